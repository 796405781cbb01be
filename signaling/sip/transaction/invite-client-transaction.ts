import type { OutgoingRequest } from '../transport/index.ts';
import {
  ClientTransactionMachine,
  type ClientParts,
  type ClientTable,
} from './client-transaction.ts';
import { ackFor } from './hop-requests.ts';
import type { TransactionContext } from './state-machine.ts';

type State = 'Calling' | 'Proceeding' | 'Completed' | 'Accepted' | 'Terminated';
type Event = '1xx' | '2xx' | '300-699';
type Action = 'retransmit' | 'ack and pass' | 'ack';
type Timer = 'A' | 'B' | 'C' | 'D' | 'M';

/** RFC 3261 figure 5 with the changes of RFC 6026 8.4. */
const TABLE: ClientTable<State, Event, Action, Timer> = {
  Calling: {
    'Timer A': ['Calling', 'retransmit'],
    'Timer B': ['Terminated', 'timeout'],
    '1xx': ['Proceeding', 'pass'],
    '2xx': ['Accepted', 'pass'],
    '300-699': ['Completed', 'ack and pass'],
    'transport error': ['Terminated', 'failure'],
  },
  Proceeding: {
    // Not a letter of the RFC for clients: 9.1, no final response 64*T1 after a CANCEL.
    'Timer C': ['Terminated', 'timeout'],
    '1xx': ['Proceeding', 'pass'],
    '2xx': ['Accepted', 'pass'],
    '300-699': ['Completed', 'ack and pass'],
    'transport error': ['Proceeding'],
  },
  Completed: {
    'Timer D': ['Terminated'],
    '1xx': ['Completed'],
    '2xx': ['Completed'],
    '300-699': ['Completed', 'ack'],
    // The user has its final response already; that the ACK was lost is the peer's Timer H.
    'transport error': ['Terminated'],
  },
  Accepted: {
    'Timer M': ['Terminated'],
    '1xx': ['Accepted'],
    '2xx': ['Accepted', 'pass'],
    '300-699': ['Accepted'],
    'transport error': ['Accepted'],
  },
  Terminated: {},
};

/** RFC 3261 17.1.1 and RFC 6026. */
export class InviteClientTransaction extends ClientTransactionMachine<State, Event, Action, Timer> {
  #intervalA = 0;
  #ack: OutgoingRequest | undefined;

  constructor(context: TransactionContext, parts: ClientParts) {
    super(context, 'INVITE client', TABLE, 'Calling', parts);
  }

  get isProceeding(): boolean {
    return this.state === 'Proceeding';
  }

  get isPending(): boolean {
    return this.state === 'Calling' || this.state === 'Proceeding';
  }

  onCancelSent(): void {
    this.startTimer('C', this.context.timers.transactionLife);
  }

  protected eventOf(status: number): Event {
    if (status < 200) return '1xx';

    return status < 300 ? '2xx' : '300-699';
  }

  protected startRetransmissions(): void {
    this.#startTimerA(this.context.timers.timerA);
  }

  protected startTimeout(): void {
    this.startTimer('B', this.context.timers.timerB);
  }

  protected onEnter(state: State): void {
    const { timers } = this.context;
    if (state === 'Terminated') return;
    this.timerSet.stopAll();
    if (state === 'Proceeding') this.owner.onClientProceeding(this);
    if (state === 'Accepted') this.startTimer('M', timers.timerM);
    if (state === 'Completed') this.startTimer('D', timers.timerD(this.outgoing.reliable));
  }

  protected performOwn(action: Action): void {
    if (action === 'retransmit') {
      // 17.1.1.2: "reset with a value of 2*T1 … 4*T1, and so on"; no cap.
      this.#startTimerA(2 * this.#intervalA);
      this.transmit();
    } else {
      this.#sendAck();
      if (action === 'ack and pass') this.passResponse();
    }
  }

  #startTimerA(interval: number): void {
    this.#intervalA = interval;
    this.startTimer('A', interval);
  }

  #sendAck(): void {
    this.#ack ??= this.owner.prepareAck(ackFor(this.request, this.response!), this.outgoing);
    this.#ack.send(() => {
      this.fire('transport error');
    });
  }
}
