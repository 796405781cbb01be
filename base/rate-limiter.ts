import type { Clock } from './clock.ts';

export interface RateLimit {
  /** Allowed a second in the long run. */
  perSecond: number;
  /** Allowed at once after a quiet time. */
  burst: number;
}

/** A token bucket. */
export class RateLimiter {
  readonly #limit: RateLimit;
  readonly #clock: Clock;
  #tokens: number;
  #filledAt: number;

  constructor(limit: RateLimit, clock: Clock) {
    this.#limit = limit;
    this.#clock = clock;
    this.#tokens = limit.burst;
    this.#filledAt = clock.now();
  }

  take(): boolean {
    this.#fill();
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;

    return true;
  }

  /** Nothing was taken for so long that a new bucket would be the same. */
  isFull(): boolean {
    this.#fill();

    return this.#tokens >= this.#limit.burst;
  }

  #fill(): void {
    const now = this.#clock.now();
    const earned = ((now - this.#filledAt) / 1000) * this.#limit.perSecond;
    this.#tokens = Math.min(this.#limit.burst, this.#tokens + earned);
    this.#filledAt = now;
  }
}
