import { toError } from '../../base/index.ts';
import type { Clock, Logger, RoomNumber } from '../../base/index.ts';
import type { RoomSettings, RoomStore } from '../ports.ts';

export interface DegradingRoomStoreOptions {
  inner: RoomStore;
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
export class DegradingRoomStore implements RoomStore {
  readonly #inner: RoomStore;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #timeoutMs: number;
  readonly #onDegraded: () => void;
  readonly #known = new Map<RoomNumber, RoomSettings>();
  /** Written here but not yet below; undefined stands for "removed". */
  readonly #unwritten = new Map<RoomNumber, RoomSettings | undefined>();

  constructor(options: DegradingRoomStoreOptions) {
    this.#inner = options.inner;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#timeoutMs = options.timeoutMs ?? 500;
    this.#onDegraded = options.onDegraded;
  }

  get unwritten(): number {
    return this.#unwritten.size;
  }

  async list(): Promise<RoomSettings[]> {
    const stored = await this.#attempt('list', () => this.#inner.list());
    for (const room of stored?.value ?? []) {
      if (!this.#unwritten.has(room.number)) this.#known.set(room.number, room);
    }

    return [...this.#known.values()];
  }

  async find(number: RoomNumber): Promise<RoomSettings | undefined> {
    if (this.#unwritten.has(number)) return this.#unwritten.get(number);
    const found = await this.#attempt('find', () => this.#inner.find(number));

    return found === undefined ? this.#known.get(number) : found.value;
  }

  async save(room: RoomSettings): Promise<void> {
    this.#known.set(room.number, room);
    this.#unwritten.set(room.number, room);
    await this.#write(room.number);
  }

  async remove(number: RoomNumber): Promise<void> {
    this.#known.delete(number);
    this.#unwritten.set(number, undefined);
    await this.#write(number);
  }

  /** Writes what is still unwritten; call it when the store below is back. */
  async flush(): Promise<void> {
    for (const number of [...this.#unwritten.keys()]) {
      if (!(await this.#write(number))) return;
    }
  }

  async #write(number: RoomNumber): Promise<boolean> {
    if (!this.#unwritten.has(number)) return true;
    const room = this.#unwritten.get(number);
    const written = await this.#attempt(room === undefined ? 'remove' : 'save', () =>
      room === undefined ? this.#inner.remove(number) : this.#inner.save(room),
    );
    if (written === undefined) return false;
    // What was written meanwhile by a later call must not be forgotten.
    if (this.#unwritten.get(number) === room) this.#unwritten.delete(number);

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
