import type { SipResponse } from '../message/index.ts';
import { ClientTransactionMachine, type ClientParts } from './client-transaction.ts';
import type { TransactionContext, TransitionTable } from './state-machine.ts';

type State = 'Trying' | 'Proceeding' | 'Completed' | 'Terminated';
type Event = 'Timer E' | 'Timer F' | 'Timer K' | '1xx' | '200-699';
type Action = 'retransmit' | 'retransmit at T2' | 'pass' | 'timeout' | 'failure';
type Timer = 'E' | 'F' | 'K';

/** RFC 3261 figure 6. */
const TABLE: TransitionTable<State, Event | 'transport error', Action> = {
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

  start(): void {
    if (!this.outgoing.reliable) this.startRetransmissions();
    this.timerSet.start('F', this.context.timers.timerF, () => {
      this.fire('Timer F');
    });
    this.transmit();
  }

  receive(response: SipResponse): void {
    this.response = response;
    this.fire(response.status < 200 ? '1xx' : '200-699');
  }

  protected startRetransmissions(): void {
    this.#intervalE = this.context.timers.timerE;
    this.#startTimerE();
  }

  protected onEnter(state: State): void {
    if (state !== 'Completed') return;
    this.timerSet.stopAll();
    this.timerSet.start('K', this.context.timers.timerK(this.outgoing.reliable), () => {
      this.fire('Timer K');
    });
  }

  protected perform(action: Action): void {
    switch (action) {
      case 'retransmit':
        this.#intervalE = this.context.timers.doubledUpToT2(this.#intervalE);
        this.#startTimerE();
        this.transmit();
        break;
      case 'retransmit at T2':
        // 17.1.2.2: in Proceeding "Timer E … MUST be reset with a value of T2 seconds".
        this.#intervalE = this.context.timers.values.t2;
        this.#startTimerE();
        this.transmit();
        break;
      case 'pass':
        this.passResponse();
        break;
      case 'timeout':
        this.inform('timeout');
        break;
      case 'failure':
        this.inform('transport-error');
        break;
    }
  }

  #startTimerE(): void {
    this.timerSet.start('E', this.#intervalE, () => {
      this.fire('Timer E');
    });
  }
}
