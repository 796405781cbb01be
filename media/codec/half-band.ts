/**
 * Twice or half the rate, with the sharp filter that a codec's band needs: it passes 0.46 of the
 * lower rate and stops, 62 dB down, from 0.54 on. Every second coefficient of such a filter is zero
 * and the others are symmetric, which is why all the sharpness is put here.
 */
import { designLowPass } from './fir-design.ts';

/** Coefficients on each side of the middle one, the zeros left out. */
const PAIRS = 24;
const BETA = 5.9;
/** Samples at the lower rate that the filter looks back. */
const HISTORY = 2 * PAIRS - 1;
const COEFFICIENTS = pairsOfHalfBand();

/** From the middle outwards. */
function pairsOfHalfBand(): Float64Array {
  const filter = designLowPass(4 * PAIRS - 1, 0.25, BETA);
  const pairs = new Float64Array(PAIRS);
  for (let k = 0; k < PAIRS; k++) pairs[k] = filter[2 * (PAIRS + k)]!;
  const sum = pairs.reduce((total, value) => total + value, 0);

  // Both sides together weigh as much as the middle.
  return pairs.map((value) => value / (4 * sum));
}

/** Half of what lies between the samples `i + PAIRS - 1` and `i + PAIRS` of `x`, for the first `count`. */
function between(x: Float64Array, count: number, out: Float64Array): void {
  for (let pair = 0; pair < PAIRS; pair += 12) addTwelve(x, count, pair, out);
}

/** The hot loop, written out; the first pairs set the sums, the others add to them. */
function addTwelve(x: Float64Array, count: number, pair: number, out: Float64Array): void {
  const c0 = COEFFICIENTS[pair + 0]!;
  const c1 = COEFFICIENTS[pair + 1]!;
  const c2 = COEFFICIENTS[pair + 2]!;
  const c3 = COEFFICIENTS[pair + 3]!;
  const c4 = COEFFICIENTS[pair + 4]!;
  const c5 = COEFFICIENTS[pair + 5]!;
  const c6 = COEFFICIENTS[pair + 6]!;
  const c7 = COEFFICIENTS[pair + 7]!;
  const c8 = COEFFICIENTS[pair + 8]!;
  const c9 = COEFFICIENTS[pair + 9]!;
  const c10 = COEFFICIENTS[pair + 10]!;
  const c11 = COEFFICIENTS[pair + 11]!;
  for (let i = 0, left = PAIRS - 1 - pair, right = PAIRS + pair; i < count; i++, left++, right++) {
    const sum =
      c0 * (x[left]! + x[right]!) +
      c1 * (x[left - 1]! + x[right + 1]!) +
      c2 * (x[left - 2]! + x[right + 2]!) +
      c3 * (x[left - 3]! + x[right + 3]!) +
      c4 * (x[left - 4]! + x[right + 4]!) +
      c5 * (x[left - 5]! + x[right + 5]!) +
      c6 * (x[left - 6]! + x[right + 6]!) +
      c7 * (x[left - 7]! + x[right + 7]!) +
      c8 * (x[left - 8]! + x[right + 8]!) +
      c9 * (x[left - 9]! + x[right + 9]!) +
      c10 * (x[left - 10]! + x[right + 10]!) +
      c11 * (x[left - 11]! + x[right + 11]!);
    out[i] = pair === 0 ? sum : out[i]! + sum;
  }
}

/** x, x, … becomes x, between, x, between, … */
export class RateDoubler {
  readonly input: Float64Array;
  readonly #between: Float64Array;

  /** `block`: samples that are taken at a time, at most. */
  constructor(block: number) {
    this.input = new Float64Array(HISTORY + block);
    this.#between = new Float64Array(block);
  }

  /** Where in `input` the next block is to be written. */
  get start(): number {
    return HISTORY;
  }

  /** Writes 2 × `count` samples to `output` from `to` on. */
  run(count: number, output: Float64Array, to: number): number {
    const { input } = this;
    between(input, count, this.#between);
    for (let i = 0; i < count; i++) {
      output[to + 2 * i] = input[i + PAIRS - 1]!;
      output[to + 2 * i + 1] = 2 * this.#between[i]!;
    }
    input.copyWithin(0, count, count + HISTORY);

    return 2 * count;
  }

  reset(): void {
    this.input.fill(0);
  }

  copyState(from: RateDoubler): void {
    this.input.set(from.input.subarray(0, HISTORY));
  }
}

/** Takes samples in turn into two halves, of which one is kept and the other filtered. */
export class RateHalver {
  readonly #even: Float64Array;
  readonly #odd: Float64Array;
  /** One sample of a pair is here and waits for the other. */
  #waiting = false;

  /** `block`: samples at the higher rate that are taken at a time, at most. */
  constructor(block: number) {
    this.#even = new Float64Array(HISTORY + (block >> 1) + 1);
    this.#odd = new Float64Array(HISTORY + (block >> 1) + 1);
  }

  run(input: Float64Array, count: number, output: Float64Array): number {
    const even = this.#even;
    const odd = this.#odd;
    let made = 0;
    for (let i = 0; i < count; i++) {
      if (this.#waiting) odd[HISTORY + made++] = input[i]!;
      else even[HISTORY + made] = input[i]!;
      this.#waiting = !this.#waiting;
    }
    between(odd, made, output);
    for (let i = 0; i < made; i++) output[i]! += 0.5 * even[i + PAIRS]!;
    even.copyWithin(0, made, made + HISTORY + 1);
    odd.copyWithin(0, made, made + HISTORY);

    return made;
  }

  reset(): void {
    this.#even.fill(0);
    this.#odd.fill(0);
    this.#waiting = false;
  }

  copyState(from: RateHalver): void {
    this.#even.set(from.#even.subarray(0, HISTORY + 1));
    this.#odd.set(from.#odd.subarray(0, HISTORY));
    this.#waiting = from.#waiting;
  }
}
