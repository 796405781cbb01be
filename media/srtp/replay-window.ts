/** Which packets of one stream came already (RFC 3711 3.3.2). */

/** "The Replay List … the sliding window's size MUST be at least 64": four times that for jitter. */
const WORDS = 8;
export const REPLAY_WINDOW = WORDS * 32;

export class ReplayWindow {
  /** One bit for each index, at the index modulo the size. */
  #seen = new Uint32Array(WORDS);
  #highest = -1;

  /** −1 before the first packet. */
  get highest(): number {
    return this.#highest;
  }

  /** All of it, for another thread, where `thaw` goes on with it. */
  freeze() {
    return { seen: this.#seen, highest: this.#highest };
  }

  thaw(state: ReturnType<ReplayWindow['freeze']>): void {
    ({ seen: this.#seen, highest: this.#highest } = state);
  }

  /** False for what came already, and for what is so old that nobody can tell. */
  isNew(index: number): boolean {
    if (index > this.#highest) return true;
    if (index <= this.#highest - REPLAY_WINDOW) return false;

    return ((this.#seen[(index >>> 5) % WORDS]! >>> (index & 31)) & 1) === 0;
  }

  /** Only of an authentic packet, and one that `isNew`. Indexes have at most 48 bits. */
  add(index: number): void {
    if (index > this.#highest) {
      const forgotten = Math.min(index - this.#highest, REPLAY_WINDOW);
      for (let at = index - forgotten + 1; at < index; at++) this.#mark(at, false);
      this.#highest = index;
    }
    this.#mark(index, true);
  }

  #mark(index: number, seen: boolean): void {
    const low = index % REPLAY_WINDOW;
    const word = low >>> 5;
    const bit = 1 << (low & 31);
    this.#seen[word] = seen ? this.#seen[word]! | bit : this.#seen[word]! & ~bit;
  }
}
