import { toError } from '../../base/index.ts';
import type { Clock, Logger } from '../../base/index.ts';
import type { KeyedStore } from '../ports.ts';

export interface DegradingStoreOptions<Key extends string, Value> {
  inner: KeyedStore<Key, Value>;
  keyOf: (value: Value) => Key;
  clock: Clock;
  logger: Logger;
  /** How long a call may take before memory answers in its place. */
  timeoutMs?: number;
  /** Called each time memory had to do. */
  onDegraded: () => void;
}

/**
 * A store whose calls never reject and end in bounded time: when the store below does not answer, memory
 * does, and what could not be written is written when `flush` finds it back.
 */
export class DegradingStore<Key extends string, Value> implements KeyedStore<Key, Value> {
  readonly #inner: KeyedStore<Key, Value>;
  readonly #keyOf: (value: Value) => Key;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #timeoutMs: number;
  readonly #onDegraded: () => void;
  readonly #known = new Map<Key, Value>();
  /** Written here but not yet below; undefined stands for "removed". */
  readonly #unwritten = new Map<Key, Value | undefined>();

  constructor(options: DegradingStoreOptions<Key, Value>) {
    this.#inner = options.inner;
    this.#keyOf = options.keyOf;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#timeoutMs = options.timeoutMs ?? 500;
    this.#onDegraded = options.onDegraded;
  }

  get unwritten(): number {
    return this.#unwritten.size;
  }

  async list(): Promise<Value[]> {
    const stored = await this.#attempt('list', () => this.#inner.list());
    for (const value of stored?.value ?? []) {
      const key = this.#keyOf(value);
      if (!this.#unwritten.has(key)) this.#known.set(key, value);
    }

    return [...this.#known.values()];
  }

  async find(key: Key): Promise<Value | undefined> {
    if (this.#unwritten.has(key)) return this.#unwritten.get(key);
    const found = await this.#attempt('find', () => this.#inner.find(key));

    if (found === undefined) return this.#known.get(key);
    if (found.value === undefined) this.#known.delete(key);
    else this.#known.set(key, found.value);

    return found.value;
  }

  async save(value: Value): Promise<void> {
    const key = this.#keyOf(value);
    this.#known.set(key, value);
    this.#unwritten.set(key, value);
    await this.#write(key);
  }

  async remove(key: Key): Promise<void> {
    this.#known.delete(key);
    this.#unwritten.set(key, undefined);
    await this.#write(key);
  }

  /** Writes what is still unwritten; call it when the store below is back. */
  async flush(): Promise<void> {
    for (const key of [...this.#unwritten.keys()]) {
      if (!(await this.#write(key))) return;
    }
  }

  async #write(key: Key): Promise<boolean> {
    if (!this.#unwritten.has(key)) return true;
    const value = this.#unwritten.get(key);
    const written = await this.#attempt(value === undefined ? 'remove' : 'save', () =>
      value === undefined ? this.#inner.remove(key) : this.#inner.save(value),
    );
    if (written === undefined) return false;
    // What was written meanwhile by a later call must not be forgotten.
    if (this.#unwritten.get(key) === value) this.#unwritten.delete(key);

    return true;
  }

  /** Undefined when it failed or took too long. */
  async #attempt<T>(what: string, call: () => Promise<T>): Promise<{ value: T } | undefined> {
    try {
      return { value: await this.#bounded(call()) };
    } catch (error) {
      this.#onDegraded();
      this.#logger.warn({ err: toError(error), what }, 'the store does not answer, memory does');

      return undefined;
    }
  }

  #bounded<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = this.#clock.setTimer(this.#timeoutMs, () => {
        reject(new Error(`no answer in ${this.#timeoutMs} ms`));
      });
      work.then(resolve, reject).finally(() => {
        timer.cancel();
      });
    });
  }
}
