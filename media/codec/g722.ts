/**
 * G.722 at 64 kbit/s (ITU-T G.722, mode 1): two bands of 4 kHz each, 6 bits for the lower, 2 for the
 * upper. "Even though the actual sampling rate for G.722 audio is 16,000 Hz, the RTP clock rate for
 * the G722 payload format is 8,000 Hz" (RFC 3551 4.5.2).
 */
import type { AudioDecoder, AudioEncoder, CodecState } from './codec.ts';
import { Concealer } from './concealer.ts';
import { BAND_STATE, G722Band, saturate } from './g722-band.ts';

const SAMPLE_RATE = 16_000;

/** Samples that the filters look back. */
const QMF_HISTORY = 22;

/** Table 6/G.722: decision levels of the lower band. */
const Q6 = Int16Array.of(
  ...[0, 35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714, 786, 858, 940],
  ...[1023, 1121, 1219, 1339, 1458, 1612, 1765, 1980, 2195, 2557, 2919],
);
const MAX_RATIO = 2919;
/** The highest decision level that each ratio of difference to scale reaches. */
const LEVEL_REACHED = Uint8Array.from({ length: MAX_RATIO + 1 }, (_unused, ratio) =>
  Q6.findLastIndex((level) => level <= ratio),
);
/** The codes of those levels, by the sign of the difference. */
const NEGATIVE_CODE = Uint8Array.from(Q6, (_unused, i) => (i < 2 ? 63 - i : 33 - i));
const POSITIVE_CODE = Uint8Array.from(Q6, (_unused, i) => 61 - i);

/** What each code of the lower band means, with 6 bits … */
const QM6 = Int16Array.of(
  ...[-136, -136, -136, -136, -24_808, -21_904, -19_008, -16_704, -14_984, -13_512, -12_280],
  ...[-11_192, -10_232, -9360, -8576, -7856, -7192, -6576, -6000, -5456, -4944, -4464, -4008],
  ...[-3576, -3168, -2776, -2400, -2032, -1688, -1360, -1040, -728, 24_808, 21_904, 19_008],
  ...[16_704, 14_984, 13_512, 12_280, 11_192, 10_232, 9360, 8576, 7856, 7192, 6576, 6000, 5456],
  ...[4944, 4464, 4008, 3576, 3168, 2776, 2400, 2032, 1688, 1360, 1040, 728, 432, 136, -432, -136],
);
/** … and with the 4 that the predictor uses, so that it is the same in all modes. */
const QM4 = Int16Array.of(
  ...[0, -20_456, -12_896, -8968, -6288, -4240, -2584, -1200],
  ...[20_456, 12_896, 8968, 6288, 4240, 2584, 1200, 0],
);
const WL = Int16Array.of(
  -60,
  3042,
  1198,
  538,
  334,
  172,
  58,
  -30,
  3042,
  1198,
  538,
  334,
  172,
  58,
  -30,
  -60,
);
const QM2 = Int16Array.of(-7408, -1616, 7408, 1616);
const WH = Int16Array.of(798, -214, 798, -214);

export class G722Encoder implements AudioEncoder {
  readonly sampleRate = SAMPLE_RATE;
  readonly frameSamples: number;
  readonly #low = new G722Band('low');
  readonly #high = new G722Band('high');
  /** The newest QMF_HISTORY samples, then the frame. */
  readonly #input: Int32Array;

  constructor(ptime: number) {
    this.frameSamples = (SAMPLE_RATE * ptime) / 1000;
    this.#input = new Int32Array(QMF_HISTORY + this.frameSamples);
  }

  encode(pcm: Int16Array, out: Uint8Array): number {
    const samples = this.frameSamples;
    const octets = samples >> 1;
    if (samples > pcm.length || octets > out.length) return 0;
    const input = this.#input;
    input.copyWithin(0, samples);
    for (let i = 0; i < samples; i++) input[QMF_HISTORY + i] = pcm[i]!;
    for (let i = 0; i < octets; i++) {
      const at = 2 * i;
      const odd = filter(input, at);
      const even = filterReversed(input, at + 1);
      out[i] =
        (encodeHigh(this.#high, (even - odd) >> 14) << 6) |
        encodeLow(this.#low, (even + odd) >> 14);
    }

    return octets;
  }

  expectLoss(_percent: number): void {
    // G.722 has nothing to repeat.
  }

  copyState(from: AudioEncoder): boolean {
    if (!(from instanceof G722Encoder)) return false;
    this.#low.copyFrom(from.#low);
    this.#high.copyFrom(from.#high);
    const newest = from.#input.subarray(-QMF_HISTORY);
    this.#input.set(newest, this.#input.length - QMF_HISTORY);

    return true;
  }

  freeze(): CodecState {
    const newest = this.#input.subarray(-QMF_HISTORY);

    return { numbers: Int32Array.of(...this.#low.freeze(), ...this.#high.freeze(), ...newest) };
  }

  thaw({ numbers: state }: CodecState): void {
    if (state === undefined) return;
    this.#low.thaw(state.subarray(0, BAND_STATE));
    this.#high.thaw(state.subarray(BAND_STATE, 2 * BAND_STATE));
    this.#input.set(state.subarray(2 * BAND_STATE), this.#input.length - QMF_HISTORY);
  }

  close(): void {
    // Nothing is held.
  }
}

export class G722Decoder implements AudioDecoder {
  readonly sampleRate = SAMPLE_RATE;
  readonly #concealer = new Concealer(SAMPLE_RATE);
  #low = new G722Band('low');
  #high = new G722Band('high');
  /** Sums and differences of the bands: the newest QMF_HISTORY, then those of the packet. */
  #bands = new Int32Array(QMF_HISTORY);

  decode(payload: Uint8Array, out: Int16Array): number {
    const samples = 2 * payload.length;
    if (samples === 0 || samples > out.length) return 0;
    const bands = this.#roomFor(samples);
    for (let i = 0; i < payload.length; i++) {
      const code = payload[i]!;
      const low = decodeLow(this.#low, code & 0x3f);
      const high = decodeHigh(this.#high, code >> 6);
      bands[QMF_HISTORY + 2 * i] = low + high;
      bands[QMF_HISTORY + 2 * i + 1] = low - high;
    }
    for (let i = 0; i < samples; i += 2) {
      out[i] = saturate(filterReversed(bands, i + 1) >> 11);
      out[i + 1] = saturate(filter(bands, i) >> 11);
    }
    bands.copyWithin(0, samples, samples + QMF_HISTORY);
    this.#concealer.heard(out, samples);

    return samples;
  }

  conceal(out: Int16Array, samples: number): number {
    return this.#concealer.conceal(out, samples);
  }

  recover(_next: Uint8Array, out: Int16Array, samples: number): number {
    return this.conceal(out, samples);
  }

  reset(): void {
    this.#low = new G722Band('low');
    this.#high = new G722Band('high');
    this.#bands.fill(0);
    this.#concealer.reset();
  }

  freeze(): CodecState {
    const newest = this.#bands.subarray(0, QMF_HISTORY);

    return {
      numbers: Int32Array.of(...this.#low.freeze(), ...this.#high.freeze(), ...newest),
      concealer: this.#concealer.freeze(),
    };
  }

  thaw({ numbers: state, concealer }: CodecState): void {
    if (state === undefined || concealer === undefined) return;
    this.#concealer.thaw(concealer);
    this.#low.thaw(state.subarray(0, BAND_STATE));
    this.#high.thaw(state.subarray(BAND_STATE, 2 * BAND_STATE));
    this.#bands.set(state.subarray(2 * BAND_STATE));
  }

  close(): void {
    this.reset();
  }

  #roomFor(samples: number): Int32Array {
    if (this.#bands.length < QMF_HISTORY + samples) {
      const larger = new Int32Array(QMF_HISTORY + samples);
      larger.set(this.#bands.subarray(0, QMF_HISTORY));
      this.#bands = larger;
    }

    return this.#bands;
  }
}

/**
 * Half of the symmetric filter of table 11/G.722, which divides and joins the bands, over every second
 * sample of `x` from `at` on.
 */
function filter(x: Int32Array, at: number): number {
  return (
    3 * x[at]! +
    -11 * x[at + 2]! +
    12 * x[at + 4]! +
    32 * x[at + 6]! +
    -210 * x[at + 8]! +
    951 * x[at + 10]! +
    3876 * x[at + 12]! +
    -805 * x[at + 14]! +
    362 * x[at + 16]! +
    -156 * x[at + 18]! +
    53 * x[at + 20]! +
    -11 * x[at + 22]!
  );
}

/** The other half. */
function filterReversed(x: Int32Array, at: number): number {
  return (
    -11 * x[at]! +
    53 * x[at + 2]! +
    -156 * x[at + 4]! +
    362 * x[at + 6]! +
    -805 * x[at + 8]! +
    3876 * x[at + 10]! +
    951 * x[at + 12]! +
    -210 * x[at + 14]! +
    32 * x[at + 16]! +
    12 * x[at + 18]! +
    -11 * x[at + 20]! +
    3 * x[at + 22]!
  );
}

/** BLOCKS 1L to 4L. */
function encodeLow(band: G722Band, x: number): number {
  const difference = saturate(x - band.s);
  const magnitude = difference >= 0 ? difference : ~difference;
  const { det } = band;
  // QUANTL looks for the last level with (level × det) >> 12 ≤ magnitude: one division finds it.
  const ratio = (((magnitude + 1) * 4096 - 1) / det) | 0;
  const level = LEVEL_REACHED[ratio < MAX_RATIO ? ratio : MAX_RATIO]!;
  const code = difference < 0 ? NEGATIVE_CODE[level]! : POSITIVE_CODE[level]!;
  stepLow(band, code >> 2);

  return code;
}

/** BLOCKS 1H to 4H. */
function encodeHigh(band: G722Band, x: number): number {
  const difference = saturate(x - band.s);
  const magnitude = difference >= 0 ? difference : ~difference;
  const large = magnitude >= Math.imul(564, band.det) >> 12;
  const sign = difference < 0 ? 0 : 2;
  const code = large ? sign : sign + 1;
  stepHigh(band, code);

  return code;
}

function decodeLow(band: G722Band, code: number): number {
  const r = band.s + (Math.imul(band.det, QM6[code]!) >> 15);
  stepLow(band, code >> 2);

  return limit(r);
}

function decodeHigh(band: G722Band, code: number): number {
  const r = band.s + (Math.imul(band.det, QM2[code]!) >> 15);
  stepHigh(band, code);

  return limit(r);
}

function stepLow(band: G722Band, code4: number): void {
  const d = Math.imul(band.det, QM4[code4]!) >> 15;
  band.scale(WL[code4]!);
  band.adapt(d);
}

function stepHigh(band: G722Band, code: number): void {
  const d = Math.imul(band.det, QM2[code]!) >> 15;
  band.scale(WH[code]!);
  band.adapt(d);
}

/** LIMIT: 15 bits. */
function limit(value: number): number {
  if (value > 16_383) return 16_383;

  return value < -16_384 ? -16_384 : value;
}
