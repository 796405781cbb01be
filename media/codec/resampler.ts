/**
 * Streaming conversion between 8, 16, 24, 32 and 48 kHz in two steps: one between the lower rate and
 * its double, which is sharp, and one between that and the higher rate, which need not be. Together
 * they pass 0.9 of the lower rate's band and keep images and aliases 60 dB down.
 */
import { RateDoubler, RateHalver } from './half-band.ts';
import { Polyphase } from './polyphase.ts';

export type ResamplerRate = 8000 | 16_000 | 24_000 | 32_000 | 48_000;

const RATES: readonly number[] = [8000, 16_000, 24_000, 32_000, 48_000];
/** Milliseconds that are converted at a time. */
const BLOCK_MS = 20;

export function isResamplerRate(rate: number): rate is ResamplerRate {
  return RATES.includes(rate);
}

/** One way through: answers how many samples lie in `output`. */
interface Chain {
  /** Samples that it takes at a time, at most. */
  readonly block: number;
  readonly output: Float64Array;
  run(input: Int16Array, from: number, count: number): number;
  reset(): void;
}

export class Resampler {
  readonly #from: number;
  readonly #to: number;
  readonly #chain: UpChain | DownChain | undefined;

  constructor(from: number, to: number) {
    if (!isResamplerRate(from) || !isResamplerRate(to)) {
      throw new TypeError(`no resampling from ${from} to ${to} Hz`);
    }
    this.#from = from;
    this.#to = to;
    if (from < to) this.#chain = new UpChain(from, to);
    if (from > to) this.#chain = new DownChain(from, to);
  }

  /**
   * Converts the first `samples` of `input` and answers how many were written to `output`; what
   * `output` has no room for is not read. Whole milliseconds in are whole milliseconds out.
   */
  process(input: Int16Array, samples: number, output: Int16Array): number {
    const room = Math.floor((output.length * this.#from) / this.#to);
    const length = Math.min(samples, input.length, room);
    const chain = this.#chain;
    if (chain === undefined) {
      for (let i = 0; i < length; i++) output[i] = input[i]!;

      return length;
    }
    let written = 0;
    for (let start = 0; start < length; start += chain.block) {
      const made = chain.run(input, start, Math.min(chain.block, length - start));
      for (let i = 0; i < made; i++) output[written + i] = toInt16(chain.output[i]!);
      written += made;
    }

    return written;
  }

  /** Forgets the past, as for a new stream. */
  reset(): void {
    this.#chain?.reset();
  }

  /** Goes on as another one between the same rates would. */
  copyState(from: Resampler): void {
    const mine = this.#chain;
    const other = from.#chain;
    if (mine instanceof UpChain && other instanceof UpChain) mine.copyState(other);
    if (mine instanceof DownChain && other instanceof DownChain) mine.copyState(other);
  }
}

class UpChain implements Chain {
  readonly block: number;
  readonly output: Float64Array;
  readonly #doubler: RateDoubler;
  readonly #polyphase: Polyphase | undefined;

  constructor(from: number, to: number) {
    this.block = (from * BLOCK_MS) / 1000;
    this.#doubler = new RateDoubler(this.block);
    this.#polyphase = polyphaseBetween(2 * from, to, 2 * this.block);
    this.output = new Float64Array(roomFor(to));
  }

  run(input: Int16Array, from: number, count: number): number {
    const doubler = this.#doubler;
    const polyphase = this.#polyphase;
    const x = doubler.input;
    for (let i = 0; i < count; i++) x[doubler.start + i] = input[from + i]!;
    if (polyphase === undefined) return doubler.run(count, this.output, 0);

    return polyphase.run(doubler.run(count, polyphase.input, polyphase.start), this.output);
  }

  reset(): void {
    this.#doubler.reset();
    this.#polyphase?.reset();
  }

  copyState(from: UpChain): void {
    this.#doubler.copyState(from.#doubler);
    if (from.#polyphase !== undefined) this.#polyphase?.copyState(from.#polyphase);
  }
}

class DownChain implements Chain {
  readonly block: number;
  readonly output: Float64Array;
  readonly #polyphase: Polyphase | undefined;
  readonly #halver: RateHalver;
  /** At twice the lower rate. */
  readonly #middle: Float64Array;

  constructor(from: number, to: number) {
    this.block = (from * BLOCK_MS) / 1000;
    this.#polyphase = polyphaseBetween(from, 2 * to, this.block);
    this.#halver = new RateHalver(roomFor(2 * to));
    this.#middle = new Float64Array(roomFor(2 * to));
    this.output = new Float64Array(roomFor(to));
  }

  run(input: Int16Array, from: number, count: number): number {
    const polyphase = this.#polyphase;
    const x = polyphase?.input ?? this.#middle;
    const start = polyphase?.start ?? 0;
    for (let i = 0; i < count; i++) x[start + i] = input[from + i]!;
    const middle = polyphase?.run(count, this.#middle) ?? count;

    return this.#halver.run(this.#middle, middle, this.output);
  }

  reset(): void {
    this.#polyphase?.reset();
    this.#halver.reset();
  }

  copyState(from: DownChain): void {
    if (from.#polyphase !== undefined) this.#polyphase?.copyState(from.#polyphase);
    this.#halver.copyState(from.#halver);
  }
}

/** A block may give one sample more than its time is worth, when the one before gave one less. */
function roomFor(rate: number): number {
  return (rate * BLOCK_MS) / 1000 + 2;
}

function polyphaseBetween(from: number, to: number, block: number): Polyphase | undefined {
  if (from === to) return undefined;
  const divisor = greatestCommonDivisor(from, to);

  return new Polyphase(to / divisor, from / divisor, block);
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** Nearest, and never beyond full scale: the filter's overshoot must not wrap. */
function toInt16(value: number): number {
  if (value > 32_767) return 32_767;
  if (value < -32_768) return -32_768;

  return ((value + 32_768.5) | 0) - 32_768;
}
