import type { Clock } from '../../base/index.ts';

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

/** One bucket per key, at most `maxKeys`; when all are in use, strangers share one bucket. */
export class KeyedRateLimiter {
  readonly #limit: RateLimit;
  readonly #clock: Clock;
  readonly #maxKeys: number;
  readonly #buckets = new Map<string, RateLimiter>();
  readonly #strangers: RateLimiter;

  constructor(limit: RateLimit, clock: Clock, maxKeys = 10_000) {
    this.#limit = limit;
    this.#clock = clock;
    this.#maxKeys = maxKeys;
    this.#strangers = new RateLimiter(limit, clock);
  }

  take(key: string): boolean {
    return this.#bucket(key).take();
  }

  #bucket(key: string): RateLimiter {
    const known = this.#buckets.get(key);
    if (known !== undefined) return known;
    if (this.#buckets.size >= this.#maxKeys) this.#forgetFull();
    if (this.#buckets.size >= this.#maxKeys) return this.#strangers;
    const bucket = new RateLimiter(this.#limit, this.#clock);
    this.#buckets.set(key, bucket);

    return bucket;
  }

  #forgetFull(): void {
    for (const [key, bucket] of this.#buckets) {
      if (bucket.isFull()) this.#buckets.delete(key);
    }
  }
}

/** What counts as one sender: an IPv4 address, or the /64 that one IPv6 host may roam in. */
export function addressKey(address: string): string {
  const ipv4 = /^(?:::ffff:)?(\d+\.\d+\.\d+\.\d+)$/.exec(address);
  if (ipv4?.[1] !== undefined) return ipv4[1];
  const [head = ''] = address.split('::');
  const groups = head === '' ? [] : head.split(':').slice(0, 4);
  while (groups.length < 4) groups.push('0');

  return `${groups.join(':')}::/64`;
}
