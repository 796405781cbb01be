import { TimerSet, type Clock, type Closeable } from '../../../base/index.ts';
import type { SipRequest } from '../message/index.ts';
import { isLoopback } from './address.ts';
import { sourceOf, TokenBuckets, type BucketRate } from './token-buckets.ts';
import type { RemoteFlow } from './transport.ts';

/** Why a new request is not taken: its source sends too many, or we have too much to do. */
export type RefusalReason = 'rate' | 'overload';

export type Admission =
  | { readonly kind: 'admit' }
  /** 503 with Retry-After, and nothing kept. */
  | { readonly kind: 'refuse'; readonly reason: RefusalReason; readonly retryAfter: number }
  /** Not even that: who does not heed one 503 a second gets none. */
  | { readonly kind: 'drop'; readonly reason: RefusalReason };

export interface AdmissionOptions {
  readonly clock: Clock;
  /** Requests outside dialogs, of one source. */
  readonly rate: BucketRate;
  /** 0 ≤ value < 1. */
  readonly random?: () => number;
  readonly onRefused?: (reason: RefusalReason) => void;
}

const SAMPLE_MS = 100;
/** How late timers run, on average of about the last second, in milliseconds. */
const OVERLOADED_AT = 250;
const RELIEVED_AT = 50;
const SMOOTHING = 0.15;
/** One stall of the whole machine, however long, is no overload of ours. */
const MAX_LATE_MS = 1_000;

const ADMIT: Admission = { kind: 'admit' };
/** Answers to a source that is over its rate: enough for a client that listens. */
const REFUSALS: BucketRate = { perSecond: 50, burst: 200 };

/**
 * Decides which new requests are worth work. Requests inside dialogs, ACK and CANCEL always are: a call
 * that stands must be able to end, and serving it frees more than refusing it.
 */
export class AdmissionControl implements Closeable {
  readonly #options: AdmissionOptions;
  readonly #buckets: TokenBuckets;
  readonly #refusals = new TokenBuckets(REFUSALS);
  readonly #timers: TimerSet<'sample'>;
  #lateness = 0;
  #isOverloaded = false;

  constructor(options: AdmissionOptions) {
    this.#options = options;
    this.#buckets = new TokenBuckets(options.rate);
    this.#timers = new TimerSet(options.clock);
    this.#sample();
  }

  get isOverloaded(): boolean {
    return this.#isOverloaded;
  }

  decide(request: SipRequest, { remote }: RemoteFlow): Admission {
    const { method, toTag } = request;
    if (toTag !== undefined || method === 'ACK' || method === 'CANCEL') return ADMIT;
    const source = sourceOf(remote.address);
    const now = this.#options.clock.now();
    // What runs on this machine was put there by who runs us.
    const isWithin = isLoopback(remote.address) || this.#buckets.take(source, now);
    if (isWithin && !this.#isOverloaded) return ADMIT;
    const reason = isWithin ? 'overload' : 'rate';
    this.#options.onRefused?.(reason);
    if (!this.#refusals.take(source, now)) return { kind: 'drop', reason };

    return { kind: 'refuse', reason, retryAfter: this.#retryAfter() };
  }

  close(): void {
    this.#timers.close();
  }

  /** Spread, so that all who were refused do not come back at once. */
  #retryAfter(): number {
    return 2 + Math.floor((this.#options.random ?? Math.random)() * 8);
  }

  #sample(): void {
    const { clock } = this.#options;
    const due = clock.now() + SAMPLE_MS;
    this.#timers.start('sample', SAMPLE_MS, () => {
      this.measured(clock.now() - due);
      this.#sample();
    });
  }

  /** One timer ran so late. */
  measured(lateMs: number): void {
    this.#lateness += (Math.min(MAX_LATE_MS, Math.max(0, lateMs)) - this.#lateness) * SMOOTHING;
    const limit = this.#isOverloaded ? RELIEVED_AT : OVERLOADED_AT;
    this.#isOverloaded = this.#lateness > limit;
  }
}
