/**
 * Streaming conversion between 8, 16 and 48 kHz with a polyphase FIR filter. One filter serves both
 * directions of a pair: it passes 0.42 of the lower rate (3.4 of 8 kHz) and stops, 60 dB down, from
 * 0.54 of it (4.3 kHz) on.
 */

export type ResamplerRate = 8000 | 16_000 | 48_000;

const RATES: readonly number[] = [8000, 16_000, 48_000];
/** Per phase. */
const TAPS = 32;
/** −6 dB point as a share of the lower rate. */
const CUTOFF = 0.479;
/** Of the Kaiser window: 64 dB of stop band. */
const BETA = 6.1;
/** Samples that are filtered at a time: 20 ms at 48 kHz. */
const BLOCK = 960;
/** Outputs that are computed side by side, so that each coefficient is loaded once for all. */
const LANES = 4;

export function isResamplerRate(rate: number): rate is ResamplerRate {
  return RATES.includes(rate);
}

export class Resampler {
  readonly #from: number;
  readonly #to: number;
  readonly #factor: number;
  readonly #up: boolean;
  /** Oldest sample first; phase after phase when the rate goes up. */
  readonly #coefficients: Float64Array;
  readonly #history: number;
  readonly #buffer: Float64Array;
  readonly #sums = new Float64Array(LANES);
  /** Going down: input samples before the next output. */
  #skip = 0;

  constructor(from: number, to: number) {
    if (!isResamplerRate(from) || !isResamplerRate(to)) {
      throw new TypeError(`no resampling from ${from} to ${to} Hz`);
    }
    this.#from = from;
    this.#to = to;
    this.#up = to > from;
    this.#factor = this.#up ? to / from : from / to;
    this.#coefficients = coefficientsFor(this.#factor, this.#up);
    this.#history = (this.#up ? TAPS : TAPS * this.#factor) - 1;
    // The lanes past the end of a block read on; what they compute is not used.
    const lookahead = LANES * (this.#up ? 1 : this.#factor);
    this.#buffer = new Float64Array(this.#history + BLOCK + lookahead);
  }

  /**
   * Filters the first `samples` of `input` and answers how many were written to `output`; what
   * `output` has no room for is not read. Whole milliseconds in are whole milliseconds out.
   */
  process(input: Int16Array, samples: number, output: Int16Array): number {
    const room = Math.floor((output.length * this.#from) / this.#to);
    const length = Math.min(samples, input.length, room);
    if (this.#factor === 1) {
      for (let i = 0; i < length; i++) output[i] = input[i]!;

      return length;
    }
    let written = 0;
    for (let start = 0; start < length; start += BLOCK) {
      const count = Math.min(BLOCK, length - start);
      const buffer = this.#buffer;
      const history = this.#history;
      for (let i = 0; i < count; i++) buffer[history + i] = input[start + i]!;
      written = this.#up
        ? this.#raise(count, output, written)
        : this.#lower(count, output, written);
      buffer.copyWithin(0, count, count + history);
    }

    return written;
  }

  /** Forgets the past, as for a new stream. */
  reset(): void {
    this.#buffer.fill(0);
    this.#skip = 0;
  }

  #raise(count: number, output: Int16Array, start: number): number {
    const factor = this.#factor;
    const sums = this.#sums;
    for (let phase = 0; phase < factor; phase++) {
      for (let i = 0; i < count; i += LANES) {
        filterFour(this.#coefficients, phase * TAPS, TAPS, this.#buffer, i, 1, sums);
        const lanes = Math.min(LANES, count - i);
        for (let lane = 0; lane < lanes; lane++) {
          output[start + (i + lane) * factor + phase] = toInt16(sums[lane]!);
        }
      }
    }

    return start + count * factor;
  }

  #lower(count: number, output: Int16Array, start: number): number {
    const factor = this.#factor;
    const { length } = this.#coefficients;
    const sums = this.#sums;
    let written = start;
    let i = this.#skip;
    while (i < count) {
      filterFour(this.#coefficients, 0, length, this.#buffer, i, factor, sums);
      for (let lane = 0; lane < LANES && i < count; lane++) {
        output[written++] = toInt16(sums[lane]!);
        i += factor;
      }
    }
    this.#skip = i - count;

    return written;
  }
}

/** The hot loop: four outputs, whose inputs begin `step` apart. */
function filterFour(
  coefficients: Float64Array,
  from: number,
  taps: number,
  input: Float64Array,
  start: number,
  step: number,
  sums: Float64Array,
): void {
  let first = 0;
  let second = 0;
  let third = 0;
  let fourth = 0;
  const end = from + taps;
  const two = 2 * step;
  const three = 3 * step;
  for (let i = from, j = start; i < end; i++, j++) {
    const coefficient = coefficients[i]!;
    first += coefficient * input[j]!;
    second += coefficient * input[j + step]!;
    third += coefficient * input[j + two]!;
    fourth += coefficient * input[j + three]!;
  }
  sums[0] = first;
  sums[1] = second;
  sums[2] = third;
  sums[3] = fourth;
}

/** Nearest, and never beyond full scale: the filter's overshoot must not wrap. */
function toInt16(value: number): number {
  if (value > 32_767) return 32_767;
  if (value < -32_768) return -32_768;

  return ((value + 32_768.5) | 0) - 32_768;
}

const CACHE = new Map<number, Float64Array>();

function coefficientsFor(factor: number, up: boolean): Float64Array {
  const key = up ? factor : -factor;
  let coefficients = CACHE.get(key);
  if (coefficients === undefined) {
    const filter = designFilter(factor);
    coefficients = up ? splitIntoPhases(filter, factor) : filter;
    CACHE.set(key, coefficients);
  }

  return coefficients;
}

/** A windowed sinc at the higher rate, with a gain of one. */
function designFilter(factor: number): Float64Array {
  const length = TAPS * factor;
  const filter = new Float64Array(length);
  const centre = (length - 1) / 2;
  let sum = 0;
  for (let i = 0; i < length; i++) {
    const x = ((i - centre) * 2 * CUTOFF) / factor;
    const sinc = x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
    const position = (i - centre) / (centre + 0.5);
    filter[i] = (sinc * bessel(BETA * Math.sqrt(1 - position * position))) / bessel(BETA);
    sum += filter[i]!;
  }
  for (let i = 0; i < length; i++) filter[i]! /= sum;

  return filter;
}

/** Each phase has a gain of one, so that a constant stays constant. */
function splitIntoPhases(filter: Float64Array, factor: number): Float64Array {
  const phases = new Float64Array(filter.length);
  for (let phase = 0; phase < factor; phase++) {
    let sum = 0;
    for (let tap = 0; tap < TAPS; tap++) sum += filter[phase + tap * factor]!;
    for (let tap = 0; tap < TAPS; tap++) {
      phases[phase * TAPS + TAPS - 1 - tap] = filter[phase + tap * factor]! / sum;
    }
  }

  return phases;
}

/** Modified Bessel function of the first kind, order 0. */
function bessel(x: number): number {
  let sum = 1;
  let term = 1;
  for (let k = 1; term > 1e-12 * sum; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }

  return sum;
}
