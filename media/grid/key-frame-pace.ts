/**
 * Key frames are asked for by every viewer that joins or lost something, and cost ten times a common
 * one: at most one an interval, and what was asked for meanwhile is answered by the next.
 */
export class KeyFramePace {
  readonly #interval: number;
  #wanted = false;
  #last = Number.NEGATIVE_INFINITY;

  /** Milliseconds between two. */
  constructor(interval: number) {
    this.#interval = interval;
  }

  ask(): void {
    this.#wanted = true;
  }

  /** Whether one is due; asking so takes it. */
  take(now: number): boolean {
    if (!this.#wanted || now - this.#last < this.#interval) return false;
    this.#wanted = false;
    this.#last = now;

    return true;
  }
}
