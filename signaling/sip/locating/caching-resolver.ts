import type { Clock } from '../../../base/index.ts';
import type { NameResolver, NaptrRecord, SrvRecord } from './name-resolver.ts';

/** Node tells no time to live of SRV and NAPTR, so that all are kept for a short one. */
const KEEP_MS = 60_000;
/** That there is none: short enough for an administrator who has just added it. */
const KEEP_NONE_MS = 15_000;
/** That the server did not answer: long enough not to ask for each retransmission. */
const KEEP_FAILURE_MS = 3_000;
const MAX_NAMES = 2_000;

interface Entry {
  readonly answer: Promise<readonly unknown[]>;
  expiresAt: number;
}

/** Asks once for what many calls need at a time, and remembers answers for a bounded time and number. */
export class CachingResolver implements NameResolver {
  readonly #inner: NameResolver;
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();

  constructor(inner: NameResolver, clock: Clock) {
    this.#inner = inner;
    this.#clock = clock;
  }

  naptr(name: string): Promise<readonly NaptrRecord[]> {
    return this.#ask(`naptr ${name}`, () => this.#inner.naptr(name));
  }

  srv(name: string): Promise<readonly SrvRecord[]> {
    return this.#ask(`srv ${name}`, () => this.#inner.srv(name));
  }

  addresses(name: string): Promise<readonly string[]> {
    return this.#ask(`a ${name}`, () => this.#inner.addresses(name));
  }

  #ask<T>(key: string, query: () => Promise<readonly T[]>): Promise<readonly T[]> {
    const now = this.#clock.now();
    const known = this.#entries.get(key);
    // The key has the kind of record in it, and so the type of the answer.
    if (known !== undefined && known.expiresAt > now) return known.answer as Promise<readonly T[]>;
    const answer = query();
    const entry: Entry = { answer, expiresAt: Infinity };
    const keepFor = (ms: number): void => {
      entry.expiresAt = this.#clock.now() + ms;
    };
    answer.then(
      (records) => {
        keepFor(records.length > 0 ? KEEP_MS : KEEP_NONE_MS);
      },
      () => {
        keepFor(KEEP_FAILURE_MS);
      },
    );
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    if (this.#entries.size > MAX_NAMES) {
      const [oldest] = this.#entries.keys();
      if (oldest !== undefined) this.#entries.delete(oldest);
    }

    return answer;
  }
}
