import type { SipRequest, SipResponse } from '../message/index.ts';
import { ServerTransactionMachine, type ServerParts } from './server-transaction.ts';
import type { TransactionContext, TransitionTable } from './state-machine.ts';
import { TRYING_MS } from './timers.ts';
import type { RequestInfo } from './transaction.ts';

type State = 'Proceeding' | 'Completed' | 'Confirmed' | 'Accepted' | 'Terminated';
type Event =
  | 'INVITE'
  | 'ACK'
  | 'Timer 100'
  | 'Timer G'
  | 'Timer H'
  | 'Timer I'
  | 'Timer L'
  | '1xx from TU'
  | '2xx from TU'
  | '300-699 from TU';
type Action =
  | 'send'
  | 'send again'
  | 'send 100'
  | 'send and start G'
  | 'retransmit'
  | 'ack timeout'
  | 'failure';
type Timer = '100' | 'G' | 'H' | 'I' | 'L';

/** RFC 3261 figure 7 with the changes of RFC 6026 7.1 and 8.5. */
const TABLE: TransitionTable<State, Event | 'transport error', Action> = {
  Proceeding: {
    INVITE: ['Proceeding', 'send again'],
    ACK: ['Proceeding'],
    'Timer 100': ['Proceeding', 'send 100'],
    '1xx from TU': ['Proceeding', 'send'],
    '2xx from TU': ['Accepted', 'send'],
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
    '2xx from TU': ['Accepted', 'send'],
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
    this.timerSet.start('100', TRYING_MS, () => {
      this.fire('Timer 100');
    });
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
  receiveAck(): boolean {
    const absorbed = this.state !== 'Accepted';
    this.fire('ACK');

    return absorbed;
  }

  protected onEnter(state: State): void {
    const { timers } = this.context;
    if (state === 'Terminated') return;
    this.timerSet.stopAll();
    this.release();
    if (state === 'Completed') {
      this.timerSet.start('H', timers.timerH, () => {
        this.fire('Timer H');
      });
    }
    if (state === 'Confirmed') {
      this.timerSet.start('I', timers.timerI(this.reliable), () => {
        this.fire('Timer I');
      });
    }
    if (state === 'Accepted') {
      this.timerSet.start('L', timers.timerL, () => {
        this.fire('Timer L');
      });
    }
  }

  protected perform(action: Action): void {
    switch (action) {
      case 'send':
      case 'send again':
        this.transmit();
        // In Accepted each 2xx comes from the TU, retransmissions too.
        if (this.state === 'Accepted') this.forgetResponse();
        break;
      case 'send 100':
        this.sendTrying();
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
      case 'failure':
        this.user?.onTransportError?.();
        break;
    }
  }

  #startTimerG(interval: number): void {
    this.#intervalG = interval;
    this.timerSet.start('G', interval, () => {
      this.fire('Timer G');
    });
  }
}
