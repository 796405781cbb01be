import { EventEmitter } from 'node:events';

/** Event name → the tuple of its listener's arguments. */
export type EventMap<T> = { [K in keyof T]: unknown[] };

/**
 * An EventEmitter whose events are typed and whose listeners cannot break it: an error thrown by a
 * listener goes to `onListenerError` and the other listeners still run.
 */
export class TypedEmitter<Events extends EventMap<Events>> {
  readonly #emitter = new EventEmitter();
  #onListenerError: (event: string, error: unknown) => void = (_event, error) => {
    queueMicrotask(() => {
      throw error;
    });
  };

  constructor() {
    this.#emitter.setMaxListeners(0);
  }

  /** Where errors of listeners go; without it they surface as uncaught exceptions. */
  handleListenerErrors(handler: (event: string, error: unknown) => void): void {
    this.#onListenerError = handler;
  }

  on<K extends keyof Events & string>(event: K, listener: (...args: Events[K]) => void): this {
    this.#emitter.on(event, listener as (...args: unknown[]) => void);

    return this;
  }

  once<K extends keyof Events & string>(event: K, listener: (...args: Events[K]) => void): this {
    this.#emitter.once(event, listener as (...args: unknown[]) => void);

    return this;
  }

  off<K extends keyof Events & string>(event: K, listener: (...args: Events[K]) => void): this {
    this.#emitter.off(event, listener as (...args: unknown[]) => void);

    return this;
  }

  removeAllListeners(): void {
    this.#emitter.removeAllListeners();
  }

  listenerCount(event: keyof Events & string): number {
    return this.#emitter.listenerCount(event);
  }

  emit<K extends keyof Events & string>(event: K, ...args: Events[K]): void {
    for (const listener of this.#emitter.rawListeners(event)) {
      try {
        (listener as (...values: Events[K]) => void).apply(this.#emitter, args);
      } catch (error) {
        this.#onListenerError(event, error);
      }
    }
  }
}
