import { TimerSet, type Clock, type Logger } from '../../../base/index.ts';
import type { TransactionTimers } from './timers.ts';

/** What all transactions of one layer share. */
export interface TransactionContext {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly timers: TransactionTimers;
  /** An event that the table does not have: throws in tests, logs in production. */
  onIllegal(what: string): void;
}

/** For each state and event: the next state and what is done on the way. */
export type TransitionTable<State extends string, Event extends string, Action extends string> = {
  readonly [S in State]: { readonly [E in Event]?: readonly [next: State, action?: Action] };
};

/** What happens when a timer of this letter runs out. */
export type TimerEvent<Timer extends string> = `Timer ${Timer}`;

/** A transaction as its RFC draws it: a table, timers, and an action for each arrow. */
export abstract class StateMachine<
  State extends string,
  Event extends string,
  Action extends string,
  Timer extends string,
> {
  protected readonly context: TransactionContext;
  protected readonly timerSet: TimerSet<Timer>;
  readonly #table: TransitionTable<State, Event | TimerEvent<Timer>, Action>;
  readonly #name: string;
  #state: State;
  #terminated = false;

  constructor(
    context: TransactionContext,
    name: string,
    table: TransitionTable<State, Event | TimerEvent<Timer>, Action>,
    initial: State,
  ) {
    this.context = context;
    this.timerSet = new TimerSet(context.clock);
    this.#table = table;
    this.#name = name;
    this.#state = initial;
  }

  get state(): State {
    return this.#state;
  }

  get isTerminated(): boolean {
    return this.#terminated;
  }

  /** Timers that run, with the milliseconds left: for diagnostics. */
  dumpTimers(): Record<string, number> {
    return this.timerSet.dump();
  }

  /** Ends it without telling anybody but the layer. */
  terminate(): void {
    if (this.#terminated) return;
    this.#terminated = true;
    this.timerSet.close();
    this.onTerminated();
  }

  protected startTimer(timer: Timer, delayMs: number): void {
    this.timerSet.start(timer, delayMs, () => {
      this.fire(`Timer ${timer}`);
    });
  }

  protected fire(event: Event | TimerEvent<Timer>): void {
    // Something that was on its way when the end came (a failed send, for one) is late, not wrong.
    if (this.#terminated) return;
    const transition = this.#table[this.#state][event];
    if (transition === undefined) {
      this.context.onIllegal(`${this.#name}: ${event} in state ${this.#state}`);

      return;
    }
    const [next, action] = transition;
    const entered = next !== this.#state;
    this.#state = next;
    if (entered) this.onEnter(next);
    if (action !== undefined) this.perform(action);
    if (next === 'Terminated') this.terminate();
  }

  /** A state is new: its timers start here and those of the state before stop. */
  protected abstract onEnter(state: State): void;
  protected abstract perform(action: Action): void;
  protected abstract onTerminated(): void;
}

/** An event that no table has: a fault of ours, which must not end the process. */
export function illegalHandler(logger: Logger): (what: string) => void {
  return (what) => {
    if (process.env['NODE_ENV'] === 'test') throw new Error(`illegal transition: ${what}`);
    logger.error({ what }, 'illegal transition in a SIP transaction');
  };
}
