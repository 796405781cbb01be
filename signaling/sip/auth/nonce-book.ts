import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../../base/index.ts';

export interface NonceBookOptions {
  readonly clock: Clock;
  /** How long a nonce may be used. */
  readonly lifetimeMs?: number;
  /** Nonces whose counts are remembered. */
  readonly maxUsed?: number;
}

/** `stale`: the credentials may be right, but a new nonce is needed. */
export type NonceVerdict = 'fresh' | 'stale' | 'foreign';

interface Uses {
  readonly issuedAt: number;
  highest: number;
  /** Bit i: the count `highest - i` was seen. */
  seen: bigint;
}

const DEFAULT_LIFETIME = 300_000;
const DEFAULT_MAX_USED = 20_000;
const TIME_BYTES = 6;
const RANDOM_BYTES = 6;
const MAC_BYTES = 16;
/** Requests of one phone may overtake one another by this many. */
const WINDOW = 64;
const MAX_COUNT = 0xffff_ffff;

/**
 * Nonces that prove themselves by a signature, so that a challenge costs no memory; only those that
 * were answered rightly are remembered, for RFC 7616 5.5: the same nc of a nonce is not taken twice.
 */
export class NonceBook {
  readonly #clock: Clock;
  readonly #key = randomBytes(32);
  readonly #lifetimeMs: number;
  readonly #maxUsed: number;
  readonly #used = new Map<string, Uses>();
  /** Nonces issued up to here are stale: what was known of one of them was forgotten for want of room. */
  #forgottenUpTo = -1;

  constructor({ clock, lifetimeMs, maxUsed }: NonceBookOptions) {
    this.#clock = clock;
    this.#lifetimeMs = lifetimeMs ?? DEFAULT_LIFETIME;
    this.#maxUsed = maxUsed ?? DEFAULT_MAX_USED;
  }

  get remembered(): number {
    return this.#used.size;
  }

  issue(): string {
    const bytes = Buffer.alloc(TIME_BYTES + RANDOM_BYTES);
    bytes.writeUIntBE(Math.floor(this.#clock.now()), 0, TIME_BYTES);
    randomBytes(RANDOM_BYTES).copy(bytes, TIME_BYTES);

    return Buffer.concat([bytes, this.#mac(bytes)]).toString('base64url');
  }

  /** Whose nonce it is and how old; says nothing of its count. */
  judge(nonce: string): NonceVerdict {
    const issuedAt = this.#issuedAt(nonce);
    if (issuedAt === undefined) return 'foreign';
    const isOld = this.#clock.now() - issuedAt > this.#lifetimeMs;

    return isOld || issuedAt <= this.#forgottenUpTo ? 'stale' : 'fresh';
  }

  /**
   * Uses up one count of a fresh nonce, after its response proved right. False: it was used before.
   * Without a count (a client of RFC 2069) the nonce is good once.
   */
  use(nonce: string, count: number | undefined): boolean {
    const issuedAt = this.#issuedAt(nonce);
    if (issuedAt === undefined || count === 0 || (count ?? 1) > MAX_COUNT) return false;
    const uses = this.#used.get(nonce);
    if (uses === undefined) {
      this.#remember(nonce, { issuedAt, highest: count ?? MAX_COUNT, seen: ALL_SEEN });
      if (count !== undefined) this.#used.get(nonce)!.seen = firstUse(count);

      return true;
    }
    if (count === undefined) return false;

    return markSeen(uses, count);
  }

  #remember(nonce: string, uses: Uses): void {
    const now = this.#clock.now();
    for (const [key, { issuedAt }] of this.#used) {
      const expired = now - issuedAt > this.#lifetimeMs;
      if (!expired && this.#used.size < this.#maxUsed) break;
      if (!expired) this.#forgottenUpTo = Math.max(this.#forgottenUpTo, issuedAt);
      this.#used.delete(key);
    }
    this.#used.set(nonce, uses);
  }

  #issuedAt(nonce: string): number | undefined {
    const bytes = Buffer.from(nonce, 'base64url');
    if (bytes.length !== TIME_BYTES + RANDOM_BYTES + MAC_BYTES) return undefined;
    // Several texts decode to the same octets; one of them is ours.
    if (bytes.toString('base64url') !== nonce) return undefined;
    const head = bytes.subarray(0, TIME_BYTES + RANDOM_BYTES);
    const mac = bytes.subarray(TIME_BYTES + RANDOM_BYTES);
    if (!timingSafeEqual(mac, this.#mac(head))) return undefined;

    return head.readUIntBE(0, TIME_BYTES);
  }

  #mac(head: Uint8Array): Buffer {
    return createHmac('sha256', this.#key).update(head).digest().subarray(0, MAC_BYTES);
  }
}

const ALL_SEEN = (1n << BigInt(WINDOW)) - 1n;

/** Counts below the first one may still come, as far as the window reaches. */
function firstUse(count: number): bigint {
  return count >= WINDOW ? 1n : (1n | (ALL_SEEN << BigInt(count))) & ALL_SEEN;
}

function markSeen(uses: Uses, count: number): boolean {
  if (count > uses.highest) {
    const shift = count - uses.highest;
    uses.seen = shift >= WINDOW ? 1n : ((uses.seen << BigInt(shift)) | 1n) & ALL_SEEN;
    uses.highest = count;

    return true;
  }
  const back = uses.highest - count;
  if (back >= WINDOW) return false;
  const bit = 1n << BigInt(back);
  if ((uses.seen & bit) !== 0n) return false;
  uses.seen |= bit;

  return true;
}
