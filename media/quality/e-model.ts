/**
 * The E-model, ITU-T G.107 (03/2005 and later): how good a call is to its listener. Names are the
 * Recommendation's; what is not given has the default of its table 2.
 */

export interface EModelInput {
  /** One-way delay from mouth to ear, milliseconds: T and Ta, there being no echo path between. */
  delay: number;
  /** Equipment impairment of the codec without loss (G.113). */
  ie: number;
  /** Packet-loss robustness of the codec (G.113). */
  bpl: number;
  /** Packets lost or too late, percent. */
  ppl: number;
  /** Lengths of bursts over those of random loss; 1: random. */
  burstRatio: number;
}

/** Table 2. */
const SLR = 8;
const RLR = 2;
const STMR = 15;
const DS = 3;
const DR = 3;
/** "LSTR = STMR + Dr", by default. */
const LSTR = STMR + DR;
const TELR = 65;
const WEPL = 110;
const QDU = 1;
const NC = -70;
const NFOR = -64;
const PS = 35;
const PR = 35;
const ADVANTAGE = 0;

/** What is right for the default values: 93.2. */
export function transmissionRating(input: Partial<EModelInput> = {}): number {
  const { delay = 0, ie = 0, bpl = 4.3, ppl = 0, burstRatio = 1 } = input;

  return (
    basicSignalToNoise() -
    simultaneousImpairment() -
    delayImpairment(delay) -
    effectiveEquipmentImpairment(ie, bpl, ppl, burstRatio) +
    ADVANTAGE
  );
}

/** B.4: the mean opinion, 1 to 4.5, of a rating. */
export function ratingToMos(rating: number): number {
  if (rating <= 0) return 1;
  if (rating >= 100) return 4.5;

  // Below 6.5 the polynomial falls under 1, which no opinion does.
  return Math.max(1, 1 + 0.035 * rating + rating * (rating - 60) * (100 - rating) * 7e-6);
}

/** 3.5, formula 3-28. */
export function effectiveEquipmentImpairment(
  ie: number,
  bpl: number,
  ppl: number,
  burstRatio: number,
): number {
  return ppl <= 0 ? ie : ie + (95 - ie) * (ppl / (ppl / burstRatio + bpl));
}

/** Ro of 3.1. */
function basicSignalToNoise(): number {
  const olr = SLR + RLR;
  const nos = PS - SLR - DS - 100 + 0.004 * (PS - olr - DS - 14) ** 2;
  const pre = PR + 10 * Math.log10(1 + 10 ** ((10 - LSTR) / 10));
  const nor = RLR - 121 + pre + 0.008 * (pre - 35) ** 2;
  const nfo = NFOR + RLR;
  const no = powerSum([NC, nos, nor, nfo]);

  return 15 - 1.5 * (SLR + no);
}

/** Is of 3.3: too loud, sidetone, quantizing. */
function simultaneousImpairment(): number {
  const no = 10 - basicSignalToNoise() / 1.5 - SLR;
  const t = 0;
  const xolr = SLR + RLR + 0.2 * (64 + no - RLR);
  const iolr = 20 * ((1 + (xolr / 8) ** 8) ** (1 / 8) - xolr / 8);
  const stmro = -10 * Math.log10(10 ** (-STMR / 10) + Math.exp(-t / 4) * 10 ** (-TELR / 10));
  const shape = (offset: number, width: number, root: number): number =>
    (1 + ((stmro - offset) / width) ** root) ** (1 / root);
  const ist = 12 * shape(13, 6, 8) - 28 * shape(19.4, 9.8, 35) - 13 * shape(3, 33, 13) + 29;
  const q = 37 - 15 * Math.log10(QDU);
  const g = 1.07 + 0.258 * q + 0.0602 * q ** 2;
  const ro = basicSignalToNoise();
  const y = (ro - 100) / 15 + 46 / 8.4 - g / 9;
  const z = 46 / 30 - g / 40;
  const iq = 15 * Math.log10(1 + 10 ** y + 10 ** z);

  return iolr + ist + iq;
}

/** Id of 3.4: talker echo, listener echo, and delay as such. */
function delayImpairment(delay: number): number {
  const ro = basicSignalToNoise();
  const no = 10 - ro / 1.5 - SLR;
  const terv =
    TELR - 40 * Math.log10((1 + delay / 10) / (1 + delay / 150)) + 6 * Math.exp(-0.3 * delay ** 2);
  const roe = -1.5 * (no - RLR);
  const re = 80 + 2.5 * (terv - 14);
  const idte = ((roe - re) / 2 + Math.sqrt((roe - re) ** 2 / 4 + 100) - 1) * (1 - Math.exp(-delay));
  const roundTrip = 2 * delay;
  const rle = 10.5 * (WEPL + 7) * (roundTrip + 1) ** -0.25;
  const idle = (ro - rle) / 2 + Math.sqrt((ro - rle) ** 2 / 4 + 169);

  return idte + idle + absoluteDelayImpairment(delay);
}

/** Idd of 3.4; up to 100 ms nobody notices. */
function absoluteDelayImpairment(delay: number): number {
  if (delay <= 100) return 0;
  const x = Math.log10(delay / 100) / Math.log10(2);

  return 25 * ((1 + x ** 6) ** (1 / 6) - 3 * (1 + (x / 3) ** 6) ** (1 / 6) + 2);
}

function powerSum(levels: readonly number[]): number {
  return 10 * Math.log10(levels.reduce((sum, level) => sum + 10 ** (level / 10), 0));
}
