import type { SipResponse } from '../message/index.ts';
import type { OutgoingRequest } from '../transport/index.ts';
import { ClientTransactionMachine, type ClientParts } from './client-transaction.ts';
import { ackFor } from './hop-requests.ts';
import type { TransactionContext, TransitionTable } from './state-machine.ts';

type State = 'Calling' | 'Proceeding' | 'Completed' | 'Accepted' | 'Terminated';
type Event = 'Timer A' | 'Timer B' | 'Timer D' | 'Timer M' | 'Timer C' | '1xx' | '2xx' | '300-699';
type Action = 'retransmit' | 'pass' | 'ack and pass' | 'ack' | 'timeout' | 'failure';
type Timer = 'A' | 'B' | 'C' | 'D' | 'M';

/** RFC 3261 figure 5 with the changes of RFC 6026 8.4. */
const TABLE: TransitionTable<State, Event | 'transport error', Action> = {
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

  start(): void {
    if (!this.outgoing.reliable) this.startRetransmissions();
    this.timerSet.start('B', this.context.timers.timerB, () => {
      this.fire('Timer B');
    });
    this.transmit();
  }

  onCancelSent(): void {
    this.timerSet.start('C', this.context.timers.transactionLife, () => {
      this.fire('Timer C');
    });
  }

  receive(response: SipResponse): void {
    this.response = response;
    if (response.status < 200) this.fire('1xx');
    else this.fire(response.status < 300 ? '2xx' : '300-699');
  }

  protected startRetransmissions(): void {
    this.#intervalA = this.context.timers.timerA;
    this.#startTimerA();
  }

  protected onEnter(state: State): void {
    const { timers } = this.context;
    if (state === 'Terminated') return;
    this.timerSet.stopAll();
    if (state === 'Proceeding') this.owner.onClientProceeding(this);
    if (state === 'Accepted') {
      this.timerSet.start('M', timers.timerM, () => {
        this.fire('Timer M');
      });
    }
    if (state === 'Completed') {
      this.timerSet.start('D', timers.timerD(this.outgoing.reliable), () => {
        this.fire('Timer D');
      });
    }
  }

  protected perform(action: Action): void {
    switch (action) {
      case 'retransmit':
        // 17.1.1.2: "reset with a value of 2*T1 … 4*T1, and so on"; no cap.
        this.#intervalA *= 2;
        this.#startTimerA();
        this.transmit();
        break;
      case 'pass':
        this.passResponse();
        break;
      case 'ack and pass':
        this.#sendAck();
        this.passResponse();
        break;
      case 'ack':
        this.#sendAck();
        break;
      case 'timeout':
        this.inform('timeout');
        break;
      case 'failure':
        this.inform('transport-error');
        break;
    }
  }

  #startTimerA(): void {
    this.timerSet.start('A', this.#intervalA, () => {
      this.fire('Timer A');
    });
  }

  #sendAck(): void {
    this.#ack ??= this.owner.prepareAck(ackFor(this.request, this.response!), this.outgoing);
    this.#ack.send(() => {
      this.fire('transport error');
    });
  }
}
