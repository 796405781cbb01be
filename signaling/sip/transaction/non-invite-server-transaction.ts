import type { SipRequest, SipResponse } from '../message/index.ts';
import {
  ServerTransactionMachine,
  type ServerParts,
  type ServerTable,
} from './server-transaction.ts';
import type { TransactionContext } from './state-machine.ts';
import type { RequestInfo } from './transaction.ts';

type State = 'Trying' | 'Proceeding' | 'Completed' | 'Terminated';
type Event = 'request' | '100 from TU' | '200-699 from TU';
type Timer = '100' | 'F of the client' | 'J';

/** RFC 3261 figure 8 with the changes of RFC 4320. */
const TABLE: ServerTable<State, Event, never, Timer> = {
  Trying: {
    request: ['Trying'],
    'Timer 100': ['Proceeding', 'send 100'],
    'Timer F of the client': ['Terminated'],
    '100 from TU': ['Proceeding', 'send'],
    '200-699 from TU': ['Completed', 'send'],
    'transport error': ['Trying', 'failure'],
  },
  Proceeding: {
    request: ['Proceeding', 'send again'],
    'Timer F of the client': ['Terminated'],
    '100 from TU': ['Proceeding', 'send'],
    '200-699 from TU': ['Completed', 'send'],
    'transport error': ['Proceeding', 'failure'],
  },
  Completed: {
    request: ['Completed', 'send again'],
    'Timer J': ['Terminated'],
    // 17.2.2: "Any other final responses passed by the TU … MUST be discarded".
    '200-699 from TU': ['Completed'],
    'transport error': ['Completed', 'failure'],
  },
  Terminated: {},
};

/** RFC 3261 17.2.2 and RFC 4320. */
export class NonInviteServerTransaction extends ServerTransactionMachine<
  State,
  Event,
  never,
  Timer
> {
  constructor(context: TransactionContext, parts: ServerParts) {
    super(context, 'non-INVITE server', TABLE, 'Trying', parts);
  }

  get isPending(): boolean {
    return this.state === 'Trying' || this.state === 'Proceeding';
  }

  start(): void {
    const { timers } = this.context;
    // RFC 4320 4.1: "MUST respond … with a 100 … if it has not otherwise responded after the amount
    // of time it takes a client transaction's Timer E to be reset to T2".
    this.startTimer('100', timers.nonInviteTrying);
    // After the client's Timer F nobody waits any more, and RFC 4320 4.2 forbids a 408.
    this.startTimer('F of the client', timers.timerF);
  }

  respond(response: SipResponse, request: SipRequest, info: RequestInfo): void {
    const { status } = response;
    if (!this.#isAllowed(status, request.method)) return;
    if (this.isPending) this.hold(response, info);
    this.fire(status < 200 ? '100 from TU' : '200-699 from TU');
  }

  receiveRetransmission(): void {
    this.fire('request');
  }

  protected onEnter(state: State): void {
    if (state === 'Proceeding') this.timerSet.stop('100');
    if (state !== 'Completed') return;
    this.release();
    this.timerSet.stopAll();
    this.startTimer('J', this.context.timers.timerJ(this.reliable));
  }

  protected performOwn(): void {
    // All that it does is what both machines do.
  }

  /**
   * RFC 4320 4.1: no provisional response but 100, and over UDP that one only when its time has come
   * (by the timer); 4.2: no 408.
   */
  #isAllowed(status: number, method: string): boolean {
    if (status === 408 || (status > 100 && status < 200)) {
      this.context.onIllegal(`non-INVITE server: a ${String(status)} to ${method}`);

      return false;
    }

    return status !== 100 || this.reliable || this.state === 'Proceeding';
  }
}
