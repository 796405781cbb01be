import type { Clock } from '../../../base/index.ts';

export interface AttemptLimits {
  /** Wrong passwords of one source for one account. */
  readonly perPair: number;
  /** Of one source for all accounts (a scan). */
  readonly perSource: number;
  /** For one account from everywhere (a distributed guess). */
  readonly perAccount: number;
  readonly windowMs: number;
}

export const DEFAULT_ATTEMPT_LIMITS: AttemptLimits = {
  perPair: 10,
  perSource: 30,
  perAccount: 50,
  windowMs: 60_000,
};

const MAX_KEYS = 10_000;

interface Count {
  since: number;
  failures: number;
}

/**
 * Counts wrong passwords. A pair of account and source that was right lately is only held to its own
 * count, so that neither a neighbour behind the same address nor a stranger's guesses lock it out.
 */
export class AttemptLimiter {
  readonly #clock: Clock;
  readonly #limits: AttemptLimits;
  readonly #pairs = new Map<string, Count>();
  readonly #sources = new Map<string, Count>();
  readonly #accounts = new Map<string, Count>();
  readonly #trusted = new Map<string, true>();

  constructor(clock: Clock, limits: AttemptLimits = DEFAULT_ATTEMPT_LIMITS) {
    this.#clock = clock;
    this.#limits = limits;
  }

  mayTry(source: string, username: string): boolean {
    const { perPair, perSource, perAccount } = this.#limits;
    const pair = pairKey(source, username);
    if (this.#failures(this.#pairs, pair) >= perPair) return false;
    if (this.#trusted.has(pair)) return true;

    return (
      this.#failures(this.#sources, source) < perSource &&
      this.#failures(this.#accounts, username) < perAccount
    );
  }

  failed(source: string, username: string): void {
    this.#add(this.#pairs, pairKey(source, username));
    this.#add(this.#sources, source);
    this.#add(this.#accounts, username);
  }

  succeeded(source: string, username: string): void {
    const pair = pairKey(source, username);
    this.#pairs.delete(pair);
    put(this.#trusted, pair, true);
  }

  /** The password changed: who was right before has to prove it again. */
  distrust(username: string): void {
    for (const pair of this.#trusted.keys()) {
      if (pair.startsWith(`${username} `)) this.#trusted.delete(pair);
    }
  }

  #failures(counts: Map<string, Count>, key: string): number {
    const count = counts.get(key);
    if (count === undefined) return 0;
    if (this.#clock.now() - count.since < this.#limits.windowMs) return count.failures;
    counts.delete(key);

    return 0;
  }

  #add(counts: Map<string, Count>, key: string): void {
    const failures = this.#failures(counts, key);
    if (failures > 0) counts.get(key)!.failures++;
    else put(counts, key, { since: this.#clock.now(), failures: 1 });
  }
}

function pairKey(source: string, username: string): string {
  return `${username} ${source}`;
}

/** Newest last; the oldest goes when there is no room. */
function put<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  if (map.size >= MAX_KEYS) {
    const [oldest] = map.keys();
    if (oldest !== undefined) map.delete(oldest);
  }
  map.set(key, value);
}
