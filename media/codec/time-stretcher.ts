/**
 * Makes a piece of audio shorter or longer by one period of what sounds in it, without a click and
 * without a change of pitch: overlap and add where the audio is most like itself (WSOLA). What is
 * unlike itself is left alone for a while: another piece may do better.
 */

/** Milliseconds: one change is at least and at most this long. */
const MIN_SHIFT_MS = 2.5;
const MAX_SHIFT_MS = 10;
/** How alike both periods must be, and how that relaxes with every piece that did not do. */
const LIKENESS = 0.92;
const RELAXED_BY = 0.02;
/** Root mean square below which anything may be joined. */
const SILENT = 30;
/** Samples a second at which likeness is looked for first. */
const COARSE_RATE = 8000;

export class TimeStretcher {
  readonly #sampleRate: number;
  readonly #minShift: number;
  readonly #maxShift: number;
  readonly #stride: number;
  #refused = 0;
  #likeness = 0;

  constructor(sampleRate: number) {
    this.#sampleRate = sampleRate;
    this.#minShift = Math.round((sampleRate * MIN_SHIFT_MS) / 1000);
    this.#maxShift = Math.round((sampleRate * MAX_SHIFT_MS) / 1000);
    this.#stride = Math.max(1, Math.round(sampleRate / COARSE_RATE));
  }

  /**
   * Leaves one period of the first `samples` of `pcm` out, `mostMs` at most; answers how many samples
   * are left.
   */
  shorten(pcm: Int16Array, samples: number, mostMs = MAX_SHIFT_MS): number {
    const most = Math.min(this.#maxShift, Math.floor((mostMs * this.#sampleRate) / 1000));
    const shift = this.#period(pcm, samples, most);
    if (shift === 0) return samples;
    for (let i = 0; i < shift; i++) {
      pcm[i] = Math.round((pcm[i]! * (shift - i) + pcm[shift + i]! * i) / shift);
    }
    pcm.copyWithin(shift, 2 * shift, samples);

    return samples - shift;
  }

  /** Plays one period twice; answers how many samples there are then. */
  lengthen(pcm: Int16Array, samples: number): number {
    const shift = this.#period(pcm, samples, this.#maxShift);
    if (shift === 0 || samples + shift > pcm.length) return samples;
    pcm.copyWithin(2 * shift, shift, samples);
    // What was at `shift` is at twice that now, and its first period is still where it was, too.
    for (let i = 0; i < shift; i++) {
      pcm[shift + i] = Math.round((pcm[2 * shift + i]! * (shift - i) + pcm[i]! * i) / shift);
    }

    return samples + shift;
  }

  /** 0: nothing in it repeats itself. */
  #period(pcm: Int16Array, samples: number, most: number): number {
    const longest = Math.min(most, samples >> 1);
    if (longest < this.#minShift) return 0;
    const stride = this.#stride;
    let shift = this.#mostAlike(pcm, this.#minShift, longest, stride);
    if (stride > 1) {
      const from = Math.max(this.#minShift, shift - stride + 1);
      shift = this.#mostAlike(pcm, from, Math.min(longest, shift + stride - 1), 1);
    }
    if (this.#likeness < LIKENESS - RELAXED_BY * this.#refused) {
      this.#refused++;

      return 0;
    }
    this.#refused = 0;

    return shift;
  }

  /** Compares as much as the overlap will be, never less than half of the longest. */
  #mostAlike(pcm: Int16Array, from: number, to: number, stride: number): number {
    let best = from;
    this.#likeness = -1;
    for (let shift = from; shift <= to; shift += stride) {
      const length = Math.max(shift, to >> 1);
      let product = 0;
      let first = 0;
      let second = 0;
      for (let i = 0; i < length; i += stride) {
        const a = pcm[i]!;
        const b = pcm[shift + i]!;
        product += a * b;
        first += a * a;
        second += b * b;
      }
      const quiet = (SILENT * SILENT * length) / stride;
      const likeness =
        first <= quiet && second <= quiet ? 1 : product / Math.sqrt(first * second + 1);
      if (likeness > this.#likeness) {
        this.#likeness = likeness;
        best = shift;
      }
    }

    return best;
  }
}
