/**
 * Something that ends. `close` may be called any number of times; only the first call has an
 * effect, and children are closed before their parent.
 */
export interface Closeable {
  close(): void | Promise<void>;
}

/** Closes in the reverse order of registration; one that fails does not keep the rest open. */
export class CloseStack {
  readonly #items: { name: string; item: Closeable }[] = [];
  readonly #onError: (name: string, error: unknown) => void;

  constructor(onError: (name: string, error: unknown) => void) {
    this.#onError = onError;
  }

  add<T extends Closeable>(name: string, item: T): T {
    this.#items.push({ name, item });

    return item;
  }

  async closeAll(): Promise<void> {
    for (let entry = this.#items.pop(); entry !== undefined; entry = this.#items.pop()) {
      try {
        await entry.item.close();
      } catch (error) {
        this.#onError(entry.name, error);
      }
    }
  }
}
