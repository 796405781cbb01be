import { TimerSet, type Clock } from '../../../base/index.ts';
import type { SipRequest, SipResponse } from '../message/index.ts';
import type { ServerTransaction } from '../transaction/index.ts';
import { lists } from './session-timer.ts';
import type { RetransmissionTimes } from './success-sender.ts';

/** RFC 3262 3: "MUST be chosen uniformly between 1 and 2**31 - 1", inclusive. */
const RSEQ_MAX = 2 ** 31 - 1;

/** RSeq of a provisional response that wants a PRACK; undefined for any other. */
export function reliableSequence(response: SipResponse): number | undefined {
  const rseq = Number(response.headers.get('RSeq')?.trim());
  const isReliable = lists(response, 'Require', '100rel') && response.toTag !== undefined;

  return isReliable && Number.isInteger(rseq) ? rseq : undefined;
}

export interface ReliableProvisional {
  readonly hasOffer: boolean;
  /** The response with this RSeq. */
  build(rseq: number): SipResponse;
}

interface Waiting {
  readonly rseq: number;
  readonly hasOffer: boolean;
}

/**
 * The reliable provisional responses to one INVITE (RFC 3262 3): one at a time, each sent again "with
 * an interval that starts at T1 and doubles" until its PRACK comes, for 64*T1.
 */
export class ReliableProvisionals {
  readonly #timers: TimerSet<'retransmit' | 'giveUp'>;
  readonly #times: RetransmissionTimes;
  readonly #invite: ServerTransaction;
  readonly #onTimeout: () => void;
  readonly #queue: ReliableProvisional[] = [];
  #waiting: Waiting | undefined;
  #rseq: number;

  constructor(
    clock: Clock,
    times: RetransmissionTimes,
    invite: ServerTransaction,
    random: () => number,
    onTimeout: () => void,
  ) {
    this.#timers = new TimerSet(clock);
    this.#times = times;
    this.#invite = invite;
    this.#onTimeout = onTimeout;
    // Half the range: none of the following can reach its end.
    this.#rseq = Math.floor(random() * (RSEQ_MAX / 2));
  }

  get isWaiting(): boolean {
    return this.#waiting !== undefined;
  }

  /** "The UAS MUST NOT send a second reliable provisional response until the first is acknowledged". */
  send(provisional: ReliableProvisional): void {
    this.#queue.push(provisional);
    this.#sendNext();
  }

  /** What the PRACK acknowledges; undefined for none of ours, which is a 481. */
  acknowledge(prack: SipRequest): { hasOffer: boolean } | undefined {
    const match = /^(\d{1,10})\s+(\d{1,10})\s+INVITE$/.exec(
      prack.headers.get('RAck')?.trim() ?? '',
    );
    const waiting = this.#waiting;
    if (match === null || waiting === undefined) return undefined;
    if (Number(match[1]) !== waiting.rseq) return undefined;
    if (Number(match[2]) !== this.#invite.request.cseq.sequence) return undefined;
    this.#waiting = undefined;
    this.#timers.stopAll();
    this.#sendNext();

    return waiting;
  }

  /** The final response is out: nothing is sent again, but a PRACK may still come. */
  stop(): void {
    this.#queue.length = 0;
    this.#timers.close();
  }

  #sendNext(): void {
    const next = this.#waiting === undefined ? this.#queue.shift() : undefined;
    if (next === undefined) return;
    this.#rseq += 1;
    this.#waiting = { rseq: this.#rseq, hasOffer: next.hasOffer };
    const response = next.build(this.#rseq);
    this.#timers.start('giveUp', 64 * this.#times.t1, () => {
      this.stop();
      this.#onTimeout();
    });
    this.#transmit(response, this.#times.t1);
  }

  #transmit(response: SipResponse, interval: number): void {
    this.#invite.respond(response);
    // No cap at T2, unlike a 2xx.
    this.#timers.start('retransmit', interval, () => this.#transmit(response, 2 * interval));
  }
}
