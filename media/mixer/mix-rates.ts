/** Everyone's mix at the rates of codecs that do not take it as it is: one resampler for each rate. */
import { Resampler } from '../codec/index.ts';

interface Converted {
  resampler: Resampler;
  frame: Int16Array;
  /** Whether `frame` is of the mix that is asked about. */
  done: boolean;
}

export class MixRates {
  readonly #mixRate: number;
  readonly #byRate = new Map<number, Converted>();
  #mix: Int16Array | undefined;

  constructor(mixRate: number) {
    this.#mixRate = mixRate;
  }

  /** The next 20 ms of the mix; undefined: silence. */
  next(mix: Int16Array | undefined): void {
    this.#mix = mix;
    for (const converted of this.#byRate.values()) {
      converted.done = false;
      if (mix === undefined) converted.resampler.reset();
    }
  }

  /** They at another rate; worked out once, and only for a rate that is asked for. */
  at(rate: number): Int16Array | undefined {
    const mix = this.#mix;
    if (mix === undefined || rate === this.#mixRate) return mix;
    const converted = this.#byRate.get(rate) ?? this.#open(rate);
    if (!converted.done) {
      converted.resampler.process(mix, mix.length, converted.frame);
      converted.done = true;
    }

    return converted.frame;
  }

  #open(rate: number): Converted {
    const resampler = new Resampler(this.#mixRate, rate);
    const converted = { resampler, frame: new Int16Array(rate / 50), done: false };
    this.#byRate.set(rate, converted);

    return converted;
  }
}
