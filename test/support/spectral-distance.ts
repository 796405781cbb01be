import type { Segment } from './segmental-snr.ts';

const RATE = 8000;
const WINDOW = 256;
/** Hertz of each band. */
const BAND = 250;
/** What is softer, in dB of a full-scale sine, is not heard beside speech. */
const FLOOR = -60;
const COSINES = Float64Array.from({ length: WINDOW }, (_unused, i) =>
  Math.cos((2 * Math.PI * i) / WINDOW),
);

/**
 * How far the spectrum of `dirty` is from that of `clean`, dB: root of the mean square over bands of 250 Hz, then the mean
 * over those segments, as many as `share` says (0 … 1), whose SNR is the least. Unlike an SNR it does not ask for the same
 * phase, which the ear does not hear: a hole is far away, a filling of the same sound is near (log-spectral distance, Gray
 * and Markel 1976).
 */
export function spectralDistance(
  clean: Int16Array,
  dirty: Int16Array,
  segments: readonly Segment[],
  share: number,
): number {
  const worst = segments
    .toSorted((one, other) => one.ratio - other.ratio)
    .slice(0, Math.ceil(share * segments.length));
  const sum = worst.reduce(
    (all, { at, shift }) => all + distance(levels(clean, at), levels(dirty, at + shift)),
    0,
  );

  return sum / worst.length;
}

function distance(one: readonly number[], other: readonly number[]): number {
  const squares = one.map((level, band) => (level - other[band]!) ** 2);

  return Math.sqrt(squares.reduce((sum, each) => sum + each, 0) / squares.length);
}

/** dB of each band around a segment. */
function levels(signal: Int16Array, at: number): number[] {
  const from = at - (WINDOW - RATE / 50) / 2;
  const windowed = COSINES.map((cosine, i) => (signal[from + i] ?? 0) * (0.5 - 0.5 * cosine));
  const bands = new Float64Array(RATE / 2 / BAND);
  for (let bin = 1; bin < WINDOW / 2; bin++) {
    let [re, im] = [0, 0];
    for (let i = 0; i < WINDOW; i++) {
      re += windowed[i]! * COSINES[(bin * i) % WINDOW]!;
      im += windowed[i]! * COSINES[(bin * i + WINDOW / 4) % WINDOW]!;
    }
    bands[Math.floor((bin * RATE) / WINDOW / BAND)]! +=
      (re ** 2 + im ** 2) / (32_767 * (WINDOW / 4)) ** 2;
  }

  return [...bands].map((power) => Math.max(FLOOR, 10 * Math.log10(power)));
}
