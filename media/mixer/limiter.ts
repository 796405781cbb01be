/**
 * Brings a sum of talkers back into 16 bits without wrapping and without clipping. It works in blocks of
 * 2.5 ms and hands them out one block late: the gain moves in a straight line through the block that
 * leaves, to what the block behind it asks for, so that every peak finds the gain already down. Between
 * peaks it rests before it rises, so that a steady sound keeps a steady gain.
 */

const CEILING = 32_767;
/** Blocks a frame. */
const BLOCKS = 8;
/** Blocks without a peak before the gain rises: voices that beat with each other 10 times a second keep it still. */
const HOLD_BLOCKS = 40;
/** How much the gain rises in a block: 40 dB a second. */
const RELEASE = 10 ** (0.1 / 20);

export class Limiter {
  /** The block that came last and has not left. */
  #held: Int32Array;
  #heldSize = 0;
  #gain = 1;
  /** The gain that the block before ended with. */
  #from = 1;
  /** What the held block allows. */
  #allowed = 1;
  #rest = 0;

  constructor(frameSize: number) {
    this.#held = new Int32Array(frameSize / BLOCKS);
  }

  /** The gain that the last frame ended with. */
  get gain(): number {
    return this.#gain;
  }

  /** Nothing is left to come out. */
  get empty(): boolean {
    return this.#heldSize === 0;
  }

  reset(): void {
    this.#held.fill(0);
    this.#heldSize = 0;
    this.#gain = 1;
    this.#allowed = 1;
    this.#rest = 0;
  }

  /** Goes on as the other one would. */
  copyFrom(other: Limiter): void {
    this.#held.set(other.#held);
    this.#heldSize = other.#heldSize;
    this.#gain = other.#gain;
    this.#allowed = other.#allowed;
    this.#rest = other.#rest;
  }

  /** All of it, for another thread, where `thaw` of one of the same rate goes on with it. */
  freeze() {
    return {
      held: this.#held,
      heldSize: this.#heldSize,
      gain: this.#gain,
      from: this.#from,
      allowed: this.#allowed,
      rest: this.#rest,
    };
  }

  thaw(state: ReturnType<Limiter['freeze']>): void {
    ({
      held: this.#held,
      heldSize: this.#heldSize,
      gain: this.#gain,
      from: this.#from,
      allowed: this.#allowed,
      rest: this.#rest,
    } = state);
  }

  /** `out` is 2.5 ms behind `sum`, and may be a view of any buffer but not of `sum`'s. */
  process(sum: Int32Array, out: Int16Array): void {
    const { length } = sum;
    const held = this.#held;
    const size = held.length;
    const peak = peakOf(sum, 0, length);
    if (peak <= CEILING && this.#gain >= 1 && this.#allowed >= 1) {
      for (let i = 0; i < size; i++) out[i] = held[i]!;
      for (let i = size; i < length; i++) out[i] = sum[i - size]!;
    } else {
      this.#nextGain(peakOf(sum, 0, size));
      this.#slope(held, 0, out, 0);
      for (let start = size; start < length; start += size) {
        this.#nextGain(peakOf(sum, start, start + size));
        this.#slope(sum, start - size, out, start);
      }
    }
    for (let i = 0; i < size; i++) held[i] = sum[length - size + i]!;
    this.#heldSize = peakOf(held, 0, size);
  }

  /** Where the gain goes in the block that leaves now; `peak`: of the one behind it. */
  #nextGain(peak: number): void {
    const before = this.#allowed;
    const wanted = peak > CEILING ? CEILING / peak : 1;
    const bound = Math.min(before, wanted);
    this.#from = this.#gain;
    this.#allowed = wanted;
    if (bound <= this.#gain) {
      if (bound < 1) this.#rest = HOLD_BLOCKS;
      this.#gain = bound;
    } else if (this.#rest > 0) {
      this.#rest--;
    } else {
      this.#gain = Math.min(bound, this.#gain * RELEASE);
    }
  }

  #slope(samples: Int32Array, start: number, out: Int16Array, to: number): void {
    const size = this.#held.length;
    const step = (this.#gain - this.#from) / size;
    let gain = this.#from;
    for (let i = 0; i < size; i++) {
      gain += step;
      // Towards zero: rounding up at the very top would wrap.
      out[to + i] = samples[start + i]! * gain;
    }
  }
}

function peakOf(samples: Int32Array, start: number, end: number): number {
  let peak = 0;
  for (let i = start; i < end; i++) {
    const value = samples[i]!;
    const size = value < 0 ? -value : value;
    if (size > peak) peak = size;
  }

  return peak;
}
