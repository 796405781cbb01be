/**
 * Samples that were decoded but not yet mixed: packets come in 10 to 120 ms, frames are 20 ms. Read
 * and written from one place each; an overflow drops what is oldest.
 */
export class PcmFifo {
  readonly #samples: Int16Array;
  #start = 0;
  #end = 0;
  /** Samples of silence, when nothing else is in it: they are counted, not written. */
  #silence = 0;
  #overflowed = 0;

  constructor(capacity: number) {
    this.#samples = new Int16Array(capacity);
  }

  get length(): number {
    return this.#end - this.#start + this.#silence;
  }

  /** Samples that were dropped since the beginning. */
  get overflowed(): number {
    return this.#overflowed;
  }

  clear(): void {
    this.#start = 0;
    this.#end = 0;
    this.#silence = 0;
  }

  /** What is in it, for another thread. */
  freeze(): Int16Array {
    const frozen = new Int16Array(this.length);
    frozen.set(this.#samples.subarray(this.#start, this.#end), this.#silence);

    return frozen;
  }

  /** All that is in it becomes silence. */
  hush(): void {
    this.#silence += this.#end - this.#start;
    this.#start = 0;
    this.#end = 0;
  }

  /** The first `count` samples of `source`. */
  write(source: Int16Array, count: number): void {
    const to = this.#reserve(count);
    const from = this.#end - to;
    const samples = this.#samples;
    for (let i = 0; i < to; i++) samples[from + i] = source[count - to + i]!;
  }

  writeSilence(count: number): void {
    if (this.#end === this.#start) {
      const length = this.#silence + count;
      this.#silence = Math.min(length, this.#samples.length);
      this.#overflowed += length - this.#silence;

      return;
    }
    const to = this.#reserve(count);
    this.#samples.fill(0, this.#end - to, this.#end);
  }

  /** Fills `out`; what is missing is silence. Answers the samples that were there. */
  read(out: Int16Array): number {
    if (this.#silence > 0) {
      out.fill(0);

      return this.skip(out.length);
    }
    const count = Math.min(out.length, this.length);
    const samples = this.#samples;
    for (let i = 0; i < count; i++) out[i] = samples[this.#start + i]!;
    if (count < out.length) out.fill(0, count);
    this.#start += count;
    if (this.#start === this.#end) this.clear();

    return count;
  }

  /** As `read`, for nobody. */
  skip(wanted: number): number {
    const count = Math.min(wanted, this.length);
    if (this.#silence > 0) this.#silence -= count;
    else this.#start += count;
    if (this.#start === this.#end && this.#silence === 0) this.clear();

    return count;
  }

  /** Makes room for `count` more at the end; answers how many fit at all. */
  #reserve(count: number): number {
    const capacity = this.#samples.length;
    if (this.#silence > 0) {
      this.#samples.fill(0, 0, this.#silence);
      this.#start = 0;
      this.#end = this.#silence;
      this.#silence = 0;
    }
    const fits = Math.min(count, capacity);
    const surplus = this.length + fits - capacity;
    if (surplus > 0) {
      this.#start += surplus;
      this.#overflowed += surplus;
    }
    if (this.#end + fits > capacity) {
      this.#samples.copyWithin(0, this.#start, this.#end);
      this.#end -= this.#start;
      this.#start = 0;
    }
    this.#end += fits;

    return fits;
  }
}
