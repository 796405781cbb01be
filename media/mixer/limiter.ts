/**
 * Brings a sum of talkers back into 16 bits without wrapping and, but for the first fraction of a
 * millisecond of a sudden overload, without clipping: each short block's peak asks for a gain, the
 * gain moves in straight lines between blocks and looks one block ahead inside the frame.
 */

const CEILING = 32_767;
/** Blocks a frame: 2.5 ms each at 20 ms. */
const BLOCKS = 8;
/** How far the gain may rise in one block: back to unity after about a third of a second. */
const RELEASE_STEP = 0.0075;
/** What the gain aims at; only samples whose gain came too late pass it, into the bent range. */
const KNEE = 30_000;
const ROOM = CEILING - KNEE;

export class Limiter {
  #gain = 1;
  readonly #wanted = new Float64Array(BLOCKS);

  /** The gain that the last frame ended with. */
  get gain(): number {
    return this.#gain;
  }

  reset(): void {
    this.#gain = 1;
  }

  /** `out` may be a view of any buffer but not of `sum`'s. */
  process(sum: Int32Array, out: Int16Array): void {
    const length = sum.length;
    let framePeak = 0;
    for (let i = 0; i < length; i++) {
      const value = sum[i]!;
      const size = value < 0 ? -value : value;
      if (size > framePeak) framePeak = size;
    }
    if (framePeak <= CEILING && this.#gain >= 1) {
      for (let i = 0; i < length; i++) out[i] = sum[i]!;

      return;
    }
    this.#measure(sum);
    this.#apply(sum, out);
  }

  #measure(sum: Int32Array): void {
    const size = Math.ceil(sum.length / BLOCKS);
    for (let block = 0; block < BLOCKS; block++) {
      const end = Math.min(sum.length, (block + 1) * size);
      let peak = 0;
      for (let i = block * size; i < end; i++) {
        const value = sum[i]!;
        const magnitude = value < 0 ? -value : value;
        if (magnitude > peak) peak = magnitude;
      }
      this.#wanted[block] = peak > KNEE ? KNEE / peak : 1;
    }
  }

  #apply(sum: Int32Array, out: Int16Array): void {
    const size = Math.ceil(sum.length / BLOCKS);
    let gain = this.#gain;
    for (let block = 0; block < BLOCKS; block++) {
      const start = block * size;
      const end = Math.min(sum.length, start + size);
      if (end <= start) break;
      const here = this.#wanted[block]!;
      const ahead = block + 1 < BLOCKS ? this.#wanted[block + 1]! : here;
      const target = Math.min(here, ahead, gain + RELEASE_STEP, 1);
      const step = (target - gain) / (end - start);
      // The frame before could not see this one: the gain comes down within the block, and what
      // still stands out on the way is bent, never cut.
      for (let i = start; i < end; i++) {
        gain += step;
        out[i] = saturate(sum[i]! * gain);
      }
      gain = target;
    }
    this.#gain = gain;
  }
}

/** Straight up to the knee, then bent so that it nears the end of 16 bits and never reaches it. */
function saturate(value: number): number {
  if (value <= KNEE && value >= -KNEE) return value;
  const over = (value < 0 ? -value : value) - KNEE;
  const bent = KNEE + (ROOM * over) / (ROOM + over);

  return value < 0 ? -bent : bent;
}
