/**
 * Fills in for lost audio of a codec that cannot do so itself, in the manner of G.711 Appendix I:
 * the last pitch period is repeated, joined to what was heard and to what comes, and faded out.
 */

/** Milliseconds: pitches from 400 Hz down to 66 Hz. */
const MIN_PITCH_MS = 2.5;
const MAX_PITCH_MS = 15;
/** Milliseconds over which the pitch is matched. */
const MATCH_MS = 15;
/** Milliseconds of concealment at full level, and from its beginning to silence. */
const HOLD_MS = 10;
const SILENT_MS = 60;
/** Milliseconds over which real audio is blended in afterwards. */
const BLEND_MS = 5;
/** Samples a second at which the pitch is looked for first. */
const COARSE_RATE = 4000;

export class Concealer {
  readonly #minPitch: number;
  readonly #maxPitch: number;
  readonly #match: number;
  readonly #hold: number;
  readonly #silent: number;
  readonly #stride: number;
  /** The newest samples heard. */
  #history: Int16Array;
  /** One pitch period that goes on seamlessly when it is repeated. */
  #period: Float64Array;
  readonly #tail: Int16Array;
  #pitch = 0;
  /** By how much the first repeated sample misses the last one heard. */
  #step = 0;
  /** Samples concealed since the last that were heard. */
  #concealed = 0;

  constructor(sampleRate: number) {
    const samples = (ms: number): number => Math.round((sampleRate * ms) / 1000);
    this.#minPitch = samples(MIN_PITCH_MS);
    this.#maxPitch = samples(MAX_PITCH_MS);
    this.#match = samples(MATCH_MS);
    this.#hold = samples(HOLD_MS);
    this.#silent = samples(SILENT_MS);
    this.#stride = Math.max(1, Math.round(sampleRate / COARSE_RATE));
    this.#history = new Int16Array(this.#match + this.#maxPitch + (this.#maxPitch >> 2) + 1);
    this.#period = new Float64Array(this.#maxPitch);
    this.#tail = new Int16Array(samples(BLEND_MS));
  }

  /** Real audio: its beginning is changed when something was concealed before it. */
  heard(pcm: Int16Array, samples: number): void {
    if (this.#concealed > 0) {
      const length = Math.min(this.#tail.length, samples);
      this.#repeat(this.#tail, length);
      for (let i = 0; i < length; i++) {
        pcm[i] = (this.#tail[i]! * (length - i) + pcm[i]! * i) / length;
      }
      this.#concealed = 0;
    }
    const history = this.#history;
    const kept = history.length - samples;
    if (kept > 0) history.copyWithin(0, samples);
    for (let i = Math.max(0, -kept); i < samples; i++) history[kept + i] = pcm[i]!;
  }

  conceal(out: Int16Array, samples: number): number {
    const length = Math.min(samples, out.length);
    if (this.#concealed === 0) this.#takePeriod();
    this.#repeat(out, length);

    return length;
  }

  /** All of it, for another thread, where `thaw` of one of the same rate goes on with it. */
  freeze() {
    return {
      history: this.#history,
      period: this.#period,
      pitch: this.#pitch,
      step: this.#step,
      concealed: this.#concealed,
    };
  }

  thaw(state: ReturnType<Concealer['freeze']>): void {
    ({
      history: this.#history,
      period: this.#period,
      pitch: this.#pitch,
      step: this.#step,
      concealed: this.#concealed,
    } = state);
  }

  reset(): void {
    this.#history.fill(0);
    this.#concealed = 0;
  }

  #repeat(out: Int16Array, length: number): void {
    const pitch = this.#pitch;
    const join = Math.max(1, pitch >> 1);
    for (let i = 0; i < length; i++) {
      const at = this.#concealed++;
      let sample = this.#period[at % pitch]!;
      if (at < join) sample += this.#step * (1 - at / join);
      out[i] = bounded(sample * this.#gain(at));
    }
  }

  #gain(at: number): number {
    if (at <= this.#hold) return 1;

    return at < this.#silent ? (this.#silent - at) / (this.#silent - this.#hold) : 0;
  }

  #takePeriod(): void {
    const history = this.#history;
    const end = history.length;
    const pitch = this.#findPitch();
    this.#pitch = pitch;
    const start = end - pitch;
    for (let i = 0; i < pitch; i++) this.#period[i] = history[start + i]!;
    // Its end is blended into what came before its beginning.
    const blend = pitch >> 2;
    for (let i = 0; i < blend; i++) {
      const share = (i + 1) / (blend + 1);
      const at = pitch - blend + i;
      this.#period[at] = history[start + at]! * (1 - share) + history[start - blend + i]! * share;
    }
    this.#step = history[end - 1]! - history[start - 1]!;
  }

  /** The shift at which the newest samples look most like those before them: coarse, then fine. */
  #findPitch(): number {
    const stride = this.#stride;
    const coarse = this.#bestShift(this.#minPitch, this.#maxPitch, stride);
    if (stride === 1) return coarse;
    const from = Math.max(this.#minPitch, coarse - stride + 1);

    return this.#bestShift(from, Math.min(this.#maxPitch, coarse + stride - 1), 1);
  }

  #bestShift(from: number, to: number, stride: number): number {
    const history = this.#history;
    const end = history.length;
    let best = to;
    let bestScore = 0;
    for (let shift = from; shift <= to; shift += stride) {
      let product = 0;
      let energy = 1;
      for (let i = end - this.#match; i < end; i += stride) {
        const earlier = history[i - shift]!;
        product += history[i]! * earlier;
        energy += earlier * earlier;
      }
      const score = product > 0 ? (product * product) / energy : 0;
      if (score > bestScore) {
        bestScore = score;
        best = shift;
      }
    }

    return best;
  }
}

function bounded(value: number): number {
  if (value > 32_767) return 32_767;

  return value < -32_768 ? -32_768 : value;
}
