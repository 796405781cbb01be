/** Of the signals that are compared. */
const RATE = 8000;
const SEGMENT = RATE / 50;
/** Samples around the last segment's shift where the next one's is looked for, and where when it is not there. */
const NEAR = (3 * RATE) / 1000;
const FAR = (60 * RATE) / 1000;
/** What a far shift is recognised by. */
const CONTEXT = 3 * SEGMENT;
/** dB that a segment has when it was only delayed. */
const SAME = 12;
const [LEAST, MOST] = [-10, 35];

export interface Segment {
  /** Its first sample in the clean signal, a multiple of 160. */
  readonly at: number;
  /** Samples by which it comes later in the other signal. */
  readonly shift: number;
  /** dB. */
  readonly ratio: number;
}

/**
 * How `dirty` is to the same without losses: of each segment of 20 ms with something in it the SNR, between −10 and
 * 35 dB, at the shift that fits best, as a delay that glides is not heard.
 */
export function segmentsOf(clean: Int16Array, dirty: Int16Array): Segment[] {
  let shift = bestShift(clean, dirty, RATE / 2, -300, 1600, 15 * SEGMENT);
  const segments: Segment[] = [];
  for (let at = RATE / 2; at + CONTEXT < clean.length; at += SEGMENT) {
    if (energyOf(clean, at, SEGMENT) < SEGMENT * 100 ** 2) continue;
    shift = bestShift(clean, dirty, at, shift - NEAR, shift + NEAR, SEGMENT);
    let ratio = ratioAt(clean, dirty, at, shift);
    if (ratio < SAME) {
      const other = bestShift(clean, dirty, at, shift - FAR, shift + FAR, CONTEXT);
      const there = ratioAt(clean, dirty, at, other);
      if (there > ratio) [ratio, shift] = [there, other];
    }
    segments.push({ at, shift, ratio: Math.min(MOST, Math.max(LEAST, ratio)) });
  }

  return segments;
}

/** The segmental SNR, dB. */
export function segmentalSnr(segments: readonly Segment[]): number {
  return segments.reduce((sum, { ratio }) => sum + ratio, 0) / segments.length;
}

function ratioAt(clean: Int16Array, dirty: Int16Array, at: number, shift: number): number {
  const noise = 1 + errorAt(clean, dirty, at, shift, SEGMENT);

  return 10 * Math.log10(energyOf(clean, at, SEGMENT) / noise);
}

function energyOf(signal: Int16Array, at: number, length: number): number {
  let energy = 0;
  for (let i = at; i < at + length; i++) energy += signal[i]! ** 2;

  return energy;
}

function errorAt(
  clean: Int16Array,
  dirty: Int16Array,
  at: number,
  shift: number,
  length: number,
): number {
  let error = 0;
  for (let i = at; i < at + length; i++) error += (clean[i]! - (dirty[i + shift] ?? 0)) ** 2;

  return error;
}

function bestShift(
  clean: Int16Array,
  dirty: Int16Array,
  at: number,
  from: number,
  to: number,
  length: number,
): number {
  let best = from;
  let least = Infinity;
  for (let shift = from; shift <= to; shift++) {
    const error = errorAt(clean, dirty, at, shift, length);
    if (error < least) {
      least = error;
      best = shift;
    }
  }

  return best;
}
