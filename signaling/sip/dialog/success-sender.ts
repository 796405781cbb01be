import { TimerSet, type Clock } from '../../../base/index.ts';
import type { SipResponse } from '../message/index.ts';
import type { ServerTransaction } from '../transaction/index.ts';

export interface RetransmissionTimes {
  /** RFC 3261 17.1.1.1, in milliseconds. */
  readonly t1: number;
  readonly t2: number;
}

/**
 * The 2xx of one INVITE until its ACK: "passed to the transport layer periodically until the ACK
 * arrives … with an interval that starts at T1 seconds and doubles for each retransmission until it
 * reaches T2 seconds", whatever the transport; after 64*T1 without ACK the session ends
 * (RFC 3261 13.3.1.4).
 */
export class SuccessSender {
  readonly #timers: TimerSet<'retransmit' | 'giveUp'>;
  readonly #times: RetransmissionTimes;
  readonly #transaction: ServerTransaction;
  readonly #response: SipResponse;

  constructor(
    clock: Clock,
    times: RetransmissionTimes,
    transaction: ServerTransaction,
    response: SipResponse,
  ) {
    this.#timers = new TimerSet(clock);
    this.#times = times;
    this.#transaction = transaction;
    this.#response = response;
  }

  /** The CSeq number that the ACK bears. */
  get sequence(): number {
    return this.#transaction.request.cseq.sequence;
  }

  start(onTimeout: () => void): void {
    this.#timers.start('giveUp', 64 * this.#times.t1, () => {
      this.#timers.close();
      onTimeout();
    });
    this.#send(this.#times.t1);
  }

  stop(): void {
    this.#timers.close();
  }

  #send(interval: number): void {
    this.#transaction.respond(this.#response);
    this.#timers.start('retransmit', interval, () => {
      this.#send(Math.min(2 * interval, this.#times.t2));
    });
  }
}
