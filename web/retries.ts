import { isExpected } from './session.ts';

/** Milliseconds; the last entry is the last try. */
const PAUSES = [1000, 2000, 4000, 8000, 16_000];

export interface RetriesOptions {
  /** Told of the first failure alone. */
  onError: (what: string, error: unknown) => void;
  /** It is not tried any more. */
  onGivenUp: (key: string) => void;
  pauses?: readonly number[] | undefined;
}

/** Tries again what fails for a reason that may pass: a server that is busy, an answer that got lost. */
export class Retries {
  readonly #options: RetriesOptions;
  readonly #waiting = new Map<string, ReturnType<typeof setTimeout>>();
  #closed = false;

  constructor(options: RetriesOptions) {
    this.#options = options;
  }

  /** Resolves after the first try. `key`: of several that wait under the same the last counts. */
  run(key: string, what: string, attempt: () => Promise<void>): Promise<void> {
    this.cancel(key);

    return this.#try(key, what, attempt, 0);
  }

  cancel(key: string): void {
    clearTimeout(this.#waiting.get(key));
    this.#waiting.delete(key);
  }

  close(): void {
    this.#closed = true;
    for (const key of [...this.#waiting.keys()]) this.cancel(key);
  }

  async #try(
    key: string,
    what: string,
    attempt: () => Promise<void>,
    count: number,
  ): Promise<void> {
    try {
      await attempt();
    } catch (error) {
      if (this.#closed) return;
      if (count === 0) this.#options.onError(what, error);
      const pause = (this.#options.pauses ?? PAUSES)[count];
      // Another try of the same may have begun meanwhile.
      if (this.#waiting.has(key)) return;
      if (pause === undefined || isExpected(error)) {
        this.#options.onGivenUp(key);

        return;
      }
      const timer = setTimeout(() => {
        this.#waiting.delete(key);
        void this.#try(key, what, attempt, count + 1);
      }, pause);
      this.#waiting.set(key, timer);
    }
  }
}
