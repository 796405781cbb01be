/**
 * From one rate to another whose ratio is a fraction. It is not sharp: it sees audio that half a band
 * is free above, before RateHalver or behind RateDoubler, so that few coefficients keep images and
 * aliases 63 dB down.
 */
import { designLowPass } from './fir-design.ts';

/** Coefficients to each output when the rate goes up; when it goes down, a multiple of it. */
const TAPS = 10;
const BETA = 6;

export class Polyphase {
  readonly input: Float64Array;
  readonly #up: number;
  readonly #down: number;
  readonly #taps: number;
  /** Phase after phase, of each the one for the oldest sample first. */
  readonly #coefficients: Float64Array;
  /** Samples before the next output. */
  #skip = 0;
  #phase = 0;

  /** `block`: samples that are taken at a time, at most. */
  constructor(up: number, down: number, block: number) {
    this.#up = up;
    this.#down = down;
    this.#taps = TAPS * Math.ceil(down / up);
    this.#coefficients = coefficientsFor(up, down, this.#taps);
    this.input = new Float64Array(this.start + block);
  }

  /** Where in `input` the next block is to be written. */
  get start(): number {
    return this.#taps - 1;
  }

  /** Answers how many samples were written to `output`. */
  run(count: number, output: Float64Array): number {
    const { input } = this;
    const taps = this.#taps;
    const up = this.#up;
    const down = this.#down;
    const coefficients = this.#coefficients;
    const first = this.#skip * up + this.#phase;
    const made = Math.max(0, Math.ceil((count * up - first) / down));
    output.fill(0, 0, made);
    // All outputs of one phase together: its coefficients are loaded once.
    for (let output0 = 0; output0 < up && output0 < made; output0++) {
      const position = first + output0 * down;
      const at = Math.floor(position / up);
      const from = (position - at * up) * taps;
      for (let tap = 0; tap < taps; tap += TAPS) {
        addTen(coefficients, from + tap, input, at + tap, down, output, output0, up, made);
      }
    }
    const next = first + made * down - count * up;
    this.#skip = Math.floor(next / up);
    this.#phase = next % up;
    input.copyWithin(0, count, count + taps - 1);

    return made;
  }

  reset(): void {
    this.input.fill(0);
    this.#skip = 0;
    this.#phase = 0;
  }

  copyState(from: Polyphase): void {
    this.input.set(from.input.subarray(0, this.start));
    this.#skip = from.#skip;
    this.#phase = from.#phase;
  }
}

/**
 * The hot loop, written out: every `every`th output gets the sum of ten products, whose samples
 * begin `step` apart.
 */
function addTen(
  c: Float64Array,
  from: number,
  x: Float64Array,
  start: number,
  step: number,
  output: Float64Array,
  first: number,
  every: number,
  made: number,
): void {
  const c0 = c[from]!;
  const c1 = c[from + 1]!;
  const c2 = c[from + 2]!;
  const c3 = c[from + 3]!;
  const c4 = c[from + 4]!;
  const c5 = c[from + 5]!;
  const c6 = c[from + 6]!;
  const c7 = c[from + 7]!;
  const c8 = c[from + 8]!;
  const c9 = c[from + 9]!;
  for (let to = first, at = start; to < made; to += every, at += step) {
    output[to]! +=
      c0 * x[at]! +
      c1 * x[at + 1]! +
      c2 * x[at + 2]! +
      c3 * x[at + 3]! +
      (c4 * x[at + 4]! + c5 * x[at + 5]! + c6 * x[at + 6]! + c7 * x[at + 7]!) +
      (c8 * x[at + 8]! + c9 * x[at + 9]!);
  }
}

const CACHE = new Map<string, Float64Array>();

function coefficientsFor(up: number, down: number, taps: number): Float64Array {
  const key = `${up}/${down}`;
  let coefficients = CACHE.get(key);
  if (coefficients === undefined) {
    const filter = designLowPass(taps * up, 0.5 / Math.max(up, down), BETA);
    coefficients = splitIntoPhases(filter, up, taps);
    CACHE.set(key, coefficients);
  }

  return coefficients;
}

/** Each phase has a gain of one, so that a constant stays constant. */
function splitIntoPhases(filter: Float64Array, up: number, taps: number): Float64Array {
  const phases = new Float64Array(filter.length);
  for (let phase = 0; phase < up; phase++) {
    let sum = 0;
    for (let tap = 0; tap < taps; tap++) sum += filter[phase + tap * up]!;
    for (let tap = 0; tap < taps; tap++) {
      phases[phase * taps + taps - 1 - tap] = filter[phase + tap * up]! / sum;
    }
  }

  return phases;
}
