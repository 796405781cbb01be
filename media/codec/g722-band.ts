/**
 * One of the two sub-bands of G.722: the adaptive predictor and the scale of its quantiser (ITU-T
 * G.722 3.5 and 3.6), in the names of the Recommendation. Both ends run the same steps on the same
 * codes, so that both predict the same: every product is cut as the Recommendation cuts it.
 *
 * Size: `adapt` is one long function, as all its steps share their values, and as it is where the
 * codec spends its time.
 */

/** The mantissas of the scale: 2048 × 2^(n / 32). */
const ILB = Int16Array.from({ length: 32 }, (_unused, n) => Math.round(2048 * 2 ** (n / 32)));

export function saturate(value: number): number {
  if (value > 32_767) return 32_767;

  return value < -32_768 ? -32_768 : value;
}

/** Numbers that a band consists of. */
export const BAND_STATE = 21;

type Numbers = [number, number, number, number, number, number, number];
type BandNumbers = [...Numbers, ...Numbers, ...Numbers];

export class G722Band {
  /** The predicted sample. */
  s = 0;
  /** The scale of the quantiser. */
  det: number;
  readonly #exponent: number;
  readonly #maxNb: number;
  #nb = 0;
  #sz = 0;
  #r1 = 0;
  #a1 = 0;
  #a2 = 0;
  #p1 = 0;
  #p2 = 0;
  #d1 = 0;
  #d2 = 0;
  #d3 = 0;
  #d4 = 0;
  #d5 = 0;
  #d6 = 0;
  #b1 = 0;
  #b2 = 0;
  #b3 = 0;
  #b4 = 0;
  #b5 = 0;
  #b6 = 0;

  constructor(band: 'low' | 'high') {
    this.#exponent = band === 'low' ? 8 : 10;
    this.#maxNb = band === 'low' ? 18_432 : 22_528;
    this.det = band === 'low' ? 32 : 8;
  }

  /** Both of the same band. */
  copyFrom(other: G722Band): void {
    this.s = other.s;
    this.det = other.det;
    this.#nb = other.#nb;
    this.#sz = other.#sz;
    this.#r1 = other.#r1;
    this.#a1 = other.#a1;
    this.#a2 = other.#a2;
    this.#p1 = other.#p1;
    this.#p2 = other.#p2;
    this.#d1 = other.#d1;
    this.#d2 = other.#d2;
    this.#d3 = other.#d3;
    this.#d4 = other.#d4;
    this.#d5 = other.#d5;
    this.#d6 = other.#d6;
    this.#b1 = other.#b1;
    this.#b2 = other.#b2;
    this.#b3 = other.#b3;
    this.#b4 = other.#b4;
    this.#b5 = other.#b5;
    this.#b6 = other.#b6;
  }

  /** All of it, as BAND_STATE numbers. */
  freeze(): number[] {
    return [
      this.s,
      this.det,
      this.#nb,
      this.#sz,
      this.#r1,
      this.#a1,
      this.#a2,
      this.#p1,
      this.#p2,
      this.#d1,
      this.#d2,
      this.#d3,
      this.#d4,
      this.#d5,
      this.#d6,
      this.#b1,
      this.#b2,
      this.#b3,
      this.#b4,
      this.#b5,
      this.#b6,
    ];
  }

  thaw(state: ArrayLike<number>): void {
    [
      this.s,
      this.det,
      this.#nb,
      this.#sz,
      this.#r1,
      this.#a1,
      this.#a2,
      this.#p1,
      this.#p2,
      this.#d1,
      this.#d2,
      this.#d3,
      this.#d4,
      this.#d5,
      this.#d6,
      this.#b1,
      this.#b2,
      this.#b3,
      this.#b4,
      this.#b5,
      this.#b6,
    ] = Array.from(state) as BandNumbers;
  }

  /** LOGSCL and SCALEL, or LOGSCH and SCALEH: the scale for the next sample. */
  scale(weight: number): void {
    let nb = (Math.imul(this.#nb, 127) >> 7) + weight;
    if (nb < 0) nb = 0;
    else if (nb > this.#maxNb) nb = this.#maxNb;
    this.#nb = nb;
    const mantissa = ILB[(nb >> 6) & 31]!;
    const shift = this.#exponent - (nb >> 11);
    this.det = (shift < 0 ? mantissa << -shift : mantissa >> shift) << 2;
  }

  /** BLOCK 4 with the quantised difference of this sample: the prediction of the next one. */
  adapt(d: number): void {
    // RECONS and PARREC.
    const r = saturate(this.s + d);
    const p = saturate(this.#sz + d);

    // UPPOL2 and UPPOL1: the two poles, by the signs of this and the last two.
    const sign = p >> 15;
    const sameAsLast = sign === this.#p1 >> 15;
    let wd = saturate(this.#a1 << 2);
    wd = sameAsLast ? Math.min(32_767, 0 - wd) : wd;
    let a2 =
      (wd >> 7) + (sign === this.#p2 >> 15 ? 128 : -128) + (Math.imul(this.#a2, 32_512) >> 15);
    if (a2 > 12_288) a2 = 12_288;
    else if (a2 < -12_288) a2 = -12_288;
    let a1 = saturate((sameAsLast ? 192 : -192) + (Math.imul(this.#a1, 32_640) >> 15));
    const bound = 15_360 - a2;
    if (a1 > bound) a1 = bound;
    else if (a1 < -bound) a1 = -bound;

    // UPZERO: the six zeros, by the signs of the differences; DELAYA: each difference moves on.
    const step = d === 0 ? 0 : 128;
    const dSign = d >> 15;
    const d1 = this.#d1;
    const d2 = this.#d2;
    const d3 = this.#d3;
    const d4 = this.#d4;
    const d5 = this.#d5;
    const b1 = saturate((d1 >> 15 === dSign ? step : -step) + (Math.imul(this.#b1, 32_640) >> 15));
    const b2 = saturate((d2 >> 15 === dSign ? step : -step) + (Math.imul(this.#b2, 32_640) >> 15));
    const b3 = saturate((d3 >> 15 === dSign ? step : -step) + (Math.imul(this.#b3, 32_640) >> 15));
    const b4 = saturate((d4 >> 15 === dSign ? step : -step) + (Math.imul(this.#b4, 32_640) >> 15));
    const b5 = saturate((d5 >> 15 === dSign ? step : -step) + (Math.imul(this.#b5, 32_640) >> 15));
    const b6 = saturate(
      (this.#d6 >> 15 === dSign ? step : -step) + (Math.imul(this.#b6, 32_640) >> 15),
    );

    // FILTEP and FILTEZ.
    const sp = saturate(
      (Math.imul(a1, saturate(r << 1)) >> 15) + (Math.imul(a2, saturate(this.#r1 << 1)) >> 15),
    );
    const sz = saturate(
      (Math.imul(b6, saturate(d5 << 1)) >> 15) +
        (Math.imul(b5, saturate(d4 << 1)) >> 15) +
        (Math.imul(b4, saturate(d3 << 1)) >> 15) +
        (Math.imul(b3, saturate(d2 << 1)) >> 15) +
        (Math.imul(b2, saturate(d1 << 1)) >> 15) +
        (Math.imul(b1, saturate(d << 1)) >> 15),
    );
    this.s = saturate(sp + sz);
    this.#sz = sz;

    this.#r1 = r;
    this.#p2 = this.#p1;
    this.#p1 = p;
    this.#a1 = a1;
    this.#a2 = a2;
    this.#d6 = d5;
    this.#d5 = d4;
    this.#d4 = d3;
    this.#d3 = d2;
    this.#d2 = d1;
    this.#d1 = d;
    this.#b1 = b1;
    this.#b2 = b2;
    this.#b3 = b3;
    this.#b4 = b4;
    this.#b5 = b5;
    this.#b6 = b6;
  }
}
