import { RateLimiter, type Clock, type RateLimit } from '../../base/index.ts';

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
