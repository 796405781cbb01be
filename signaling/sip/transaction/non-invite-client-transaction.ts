import {
  ClientTransactionMachine,
  type ClientParts,
  type ClientTable,
} from './client-transaction.ts';
import type { TransactionContext } from './state-machine.ts';

type State = 'Trying' | 'Proceeding' | 'Completed' | 'Terminated';
type Event = '1xx' | '200-699';
type Action = 'retransmit' | 'retransmit at T2';
type Timer = 'E' | 'F' | 'K';

/** RFC 3261 figure 6. */
const TABLE: ClientTable<State, Event, Action, Timer> = {
  Trying: {
    'Timer E': ['Trying', 'retransmit'],
    'Timer F': ['Terminated', 'timeout'],
    '1xx': ['Proceeding', 'pass'],
    '200-699': ['Completed', 'pass'],
    'transport error': ['Terminated', 'failure'],
  },
  Proceeding: {
    'Timer E': ['Proceeding', 'retransmit at T2'],
    'Timer F': ['Terminated', 'timeout'],
    '1xx': ['Proceeding', 'pass'],
    '200-699': ['Completed', 'pass'],
    'transport error': ['Terminated', 'failure'],
  },
  Completed: {
    'Timer K': ['Terminated'],
    '1xx': ['Completed'],
    '200-699': ['Completed'],
    'transport error': ['Completed'],
  },
  Terminated: {},
};

/** RFC 3261 17.1.2. */
export class NonInviteClientTransaction extends ClientTransactionMachine<
  State,
  Event,
  Action,
  Timer
> {
  #intervalE = 0;

  constructor(context: TransactionContext, parts: ClientParts) {
    super(context, 'non-INVITE client', TABLE, 'Trying', parts);
  }

  get isProceeding(): boolean {
    return this.state === 'Proceeding';
  }

  get isPending(): boolean {
    return this.state === 'Trying' || this.state === 'Proceeding';
  }

  protected eventOf(status: number): Event {
    return status < 200 ? '1xx' : '200-699';
  }

  protected startRetransmissions(): void {
    this.#startTimerE(this.context.timers.timerE);
  }

  protected startTimeout(): void {
    this.startTimer('F', this.context.timers.timerF);
  }

  protected onEnter(state: State): void {
    if (state !== 'Completed') return;
    this.timerSet.stopAll();
    this.startTimer('K', this.context.timers.timerK(this.outgoing.reliable));
  }

  protected performOwn(action: Action): void {
    const { timers } = this.context;
    // 17.1.2.2: in Proceeding "Timer E … MUST be reset with a value of T2 seconds".
    const isLongest = action === 'retransmit at T2';
    this.#startTimerE(isLongest ? timers.values.t2 : timers.doubledUpToT2(this.#intervalE));
    this.transmit();
  }

  #startTimerE(interval: number): void {
    this.#intervalE = interval;
    this.startTimer('E', interval);
  }
}
