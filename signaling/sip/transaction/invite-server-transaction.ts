import type { SipRequest, SipResponse } from '../message/index.ts';
import {
  ServerTransactionMachine,
  type ServerParts,
  type ServerTable,
} from './server-transaction.ts';
import type { TransactionContext } from './state-machine.ts';
import { TRYING_MS } from './timers.ts';
import { hasUniqueBranch } from './transaction-key.ts';
import type { RequestInfo } from './transaction.ts';

type State = 'Proceeding' | 'Completed' | 'Confirmed' | 'Accepted' | 'Terminated';
type Event = 'INVITE' | 'ACK' | '1xx from TU' | '2xx from TU' | '300-699 from TU';
type Action = 'send 2xx' | 'send and start G' | 'retransmit' | 'ack timeout';
type Timer = '100' | 'G' | 'H' | 'I' | 'L';

/** RFC 3261 figure 7 with the changes of RFC 6026 7.1 and 8.5. */
const TABLE: ServerTable<State, Event, Action, Timer> = {
  Proceeding: {
    INVITE: ['Proceeding', 'send again'],
    ACK: ['Proceeding'],
    'Timer 100': ['Proceeding', 'send 100'],
    '1xx from TU': ['Proceeding', 'send'],
    '2xx from TU': ['Accepted', 'send 2xx'],
    '300-699 from TU': ['Completed', 'send and start G'],
    'transport error': ['Proceeding', 'failure'],
  },
  Completed: {
    INVITE: ['Completed', 'send again'],
    ACK: ['Confirmed'],
    'Timer G': ['Completed', 'retransmit'],
    'Timer H': ['Terminated', 'ack timeout'],
    // RFC 6026 8.6: an error on sending a response no longer ends the transaction.
    'transport error': ['Completed', 'failure'],
  },
  Confirmed: {
    INVITE: ['Confirmed'],
    ACK: ['Confirmed'],
    'Timer I': ['Terminated'],
    'transport error': ['Confirmed'],
  },
  Accepted: {
    // RFC 6026 7.1: "absorbed … without being passed to the TU"; the TU retransmits its 2xx itself.
    INVITE: ['Accepted'],
    ACK: ['Accepted'],
    '2xx from TU': ['Accepted', 'send 2xx'],
    'Timer L': ['Terminated'],
    'transport error': ['Accepted', 'failure'],
  },
  Terminated: {},
};

/** RFC 3261 17.2.1 and RFC 6026. */
export class InviteServerTransaction extends ServerTransactionMachine<State, Event, Action, Timer> {
  #intervalG = 0;

  constructor(context: TransactionContext, parts: ServerParts) {
    super(context, 'INVITE server', TABLE, 'Proceeding', parts);
  }

  get isPending(): boolean {
    return this.state === 'Proceeding';
  }

  start(): void {
    this.startTimer('100', TRYING_MS);
  }

  respond(response: SipResponse, _request: SipRequest, info: RequestInfo): void {
    const { status } = response;
    // Only in Proceeding and, for a 2xx, in Accepted: anything else must not replace what was sent.
    if (this.isPending || (this.state === 'Accepted' && status >= 200 && status < 300)) {
      this.hold(response, info);
      this.timerSet.stop('100');
    }
    if (status < 200) this.fire('1xx from TU');
    else this.fire(status < 300 ? '2xx from TU' : '300-699 from TU');
  }

  receiveRetransmission(): void {
    this.fire('INVITE');
  }

  /** True when it was for this transaction; an ACK to a 2xx is for the user. */
  receiveAck(ack: SipRequest): boolean {
    // Without the cookie the To tag has to be that of the response (17.2.3).
    if (!hasUniqueBranch(ack.via) && ack.toTag !== this.responseToTag) return false;
    const absorbed = this.state !== 'Accepted';
    this.fire('ACK');

    return absorbed;
  }

  protected onEnter(state: State): void {
    const { timers } = this.context;
    if (state === 'Terminated') return;
    this.timerSet.stopAll();
    this.release();
    if (state === 'Completed') this.startTimer('H', timers.timerH);
    if (state === 'Confirmed') this.startTimer('I', timers.timerI(this.reliable));
    if (state === 'Accepted') this.startTimer('L', timers.timerL);
  }

  protected performOwn(action: Action): void {
    switch (action) {
      case 'send 2xx':
        this.transmit();
        // In Accepted each 2xx comes from the TU, retransmissions too.
        this.forgetResponse();
        break;
      case 'send and start G':
        if (!this.reliable) this.#startTimerG(this.context.timers.timerG);
        this.transmit();
        break;
      case 'retransmit':
        this.#startTimerG(this.context.timers.doubledUpToT2(this.#intervalG));
        this.transmit();
        break;
      case 'ack timeout':
        this.user?.onAckTimeout?.();
        break;
    }
  }

  #startTimerG(interval: number): void {
    this.#intervalG = interval;
    this.startTimer('G', interval);
  }
}
