/**
 * Many at a time, or one alone: who wants to be alone waits for those that run, and who comes later waits
 * for the one alone. All begin in the order in which they came.
 */
export class SharedTurns {
  #running = 0;
  #alone = false;
  readonly #waiting: { alone: boolean; begin: () => void }[] = [];

  /** Begins at once unless one is alone, or waits to be. */
  together<T>(work: () => Promise<T>): Promise<T> {
    return this.#take(false, work);
  }

  alone<T>(work: () => Promise<T>): Promise<T> {
    return this.#take(true, work);
  }

  #take<T>(alone: boolean, work: () => Promise<T>): Promise<T> {
    if (this.#waiting.length === 0 && this.#isFree(alone)) return this.#run(alone, work);

    return new Promise((resolve, reject) => {
      this.#waiting.push({
        alone,
        begin: () => {
          this.#run(alone, work).then(resolve, reject);
        },
      });
    });
  }

  #isFree(alone: boolean): boolean {
    return !this.#alone && (!alone || this.#running === 0);
  }

  async #run<T>(alone: boolean, work: () => Promise<T>): Promise<T> {
    this.#running++;
    this.#alone = alone;
    try {
      return await work();
    } finally {
      this.#running--;
      this.#alone = false;
      this.#next();
    }
  }

  #next(): void {
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      if (!this.#isFree(first.alone)) return;
      this.#waiting.shift();
      first.begin();
    }
  }
}
