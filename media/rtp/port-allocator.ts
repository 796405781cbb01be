/**
 * Hands out the port pairs of a range: "RTP SHOULD use an even destination port number and the
 * corresponding RTCP stream SHOULD use the next higher (odd)" (RFC 3550 11). A released pair rests
 * for a while, so that the late packets of one call never reach the next one.
 */
import type { Clock } from '../../base/index.ts';

export interface PortPair {
  readonly rtp: number;
  readonly rtcp: number;
}

export interface PortAllocatorOptions {
  min: number;
  max: number;
  clock: Clock;
  /** Ports of somebody else inside the range, both ends included: no pair touches them. */
  reserved?: { min: number; max: number };
  /** Milliseconds that a released pair rests. */
  quarantineMs?: number;
}

/** A phone notices the end of a call in far less, even when its BYE was sent again and again. */
const DEFAULT_QUARANTINE = 10_000;

interface RestingPair {
  rtp: number;
  until: number;
}

export class PortAllocator {
  readonly #clock: Clock;
  readonly #quarantineMs: number;
  /** In the order in which they are handed out, so that a pair rests as long as possible. */
  readonly #free: number[] = [];
  readonly #resting: RestingPair[] = [];
  readonly #used = new Set<number>();
  #refused = 0;

  constructor(options: PortAllocatorOptions) {
    this.#clock = options.clock;
    this.#quarantineMs = options.quarantineMs ?? DEFAULT_QUARANTINE;
    const { reserved } = options;
    const first = options.min + (options.min % 2);
    for (let rtp = first; rtp + 1 <= options.max; rtp += 2) {
      const taken = reserved !== undefined && rtp + 1 >= reserved.min && rtp <= reserved.max;
      if (!taken) this.#free.push(rtp);
    }
    if (this.#free.length === 0) {
      throw new TypeError(`no port pair between ${options.min} and ${options.max}`);
    }
  }

  /** Pairs that are handed out. */
  get inUse(): number {
    return this.#used.size;
  }

  /** How often no pair was left. */
  get refused(): number {
    return this.#refused;
  }

  /**
   * Tries pairs until `bind` succeeds and answers what it answered; undefined when no pair is left.
   * A pair that cannot be bound belongs to another process for now and rests like a released one.
   */
  async allocate<T>(bind: (pair: PortPair) => Promise<T>): Promise<T | undefined> {
    this.#wakeRested();
    // Each pair is tried once at most: failures go to the resting ones.
    for (let rtp = this.#free.shift(); rtp !== undefined; rtp = this.#free.shift()) {
      this.#used.add(rtp);
      try {
        return await bind({ rtp, rtcp: rtp + 1 });
      } catch {
        this.#rest(rtp);
      }
    }
    this.#refused++;

    return undefined;
  }

  /** Does nothing for a pair that is not handed out. */
  release(pair: PortPair): void {
    if (this.#used.has(pair.rtp)) this.#rest(pair.rtp);
  }

  #rest(rtp: number): void {
    this.#used.delete(rtp);
    this.#resting.push({ rtp, until: this.#clock.now() + this.#quarantineMs });
  }

  #wakeRested(): void {
    const now = this.#clock.now();
    while (this.#resting.length > 0 && this.#resting[0]!.until <= now) {
      this.#free.push(this.#resting.shift()!.rtp);
    }
  }
}
