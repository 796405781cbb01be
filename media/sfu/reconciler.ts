/**
 * Runs one step after another, never two at once. Whoever changed what is wanted calls `run()`; a
 * step that has not started yet covers every call made before it, so a burst costs one step, and a
 * state that changes during a step is looked at again by the next.
 */
export class Reconciler {
  readonly #step: () => Promise<void>;
  #queued: Promise<void> | undefined;
  #last: Promise<void> = Promise.resolve();

  constructor(step: () => Promise<void>) {
    this.#step = step;
  }

  /** Resolves or rejects with the step that saw the state as it is now. */
  run(): Promise<void> {
    if (this.#queued === undefined) {
      const queued = this.#last.then(() => {
        this.#queued = undefined;

        return this.#step();
      });
      this.#queued = queued;
      this.#last = queued.catch(() => undefined);
    }

    return this.#queued;
  }
}
