/** Tones of keys as a phone makes them, and what surrounds them. */
export const ALL_KEYS = '123A456B789C*0#D';
const ROWS = [697, 770, 852, 941];
const COLUMNS = [1209, 1336, 1477, 1633];
const RATE = 8000;

export interface KeyTone {
  key: string;
  ms?: number;
  /** Of each tone, dBm0. */
  level?: number;
  /** dB that the column is louder than the row, the louder of them at `level`. */
  twist?: number;
  /** Of both frequencies, per cent. */
  off?: number;
}

/** 0 dBm0 is 3.14 dB below a full-scale sine. */
export function peakOf(dbm0: number): number {
  return 32_767 * 10 ** ((dbm0 - 3.14) / 20);
}

export function keyTone(options: KeyTone): Float64Array {
  const { key, ms = 80, level = -10, twist = 0, off = 0 } = options;
  const index = ALL_KEYS.indexOf(key);
  const row = ROWS[index >> 2]! * (1 + off / 100);
  const column = COLUMNS[index & 3]! * (1 + off / 100);
  const low = peakOf(level - Math.max(0, twist));
  const high = peakOf(level + Math.min(0, twist));

  return Float64Array.from({ length: (RATE * ms) / 1000 }, (_, i) => {
    const turn = (2 * Math.PI * i) / RATE;

    return low * Math.sin(turn * row) + high * Math.sin(turn * column);
  });
}

export function sine(frequency: number, ms: number, level: number): Float64Array {
  return Float64Array.from(
    { length: (RATE * ms) / 1000 },
    (_, i) => peakOf(level) * Math.sin((2 * Math.PI * frequency * i) / RATE),
  );
}

export function silence(ms: number): Float64Array {
  return new Float64Array((RATE * ms) / 1000);
}

/** Always the same numbers, −1 … 1. */
export function randomNumbers(seed = 1): () => number {
  let state = seed;

  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;

    return state / 2 ** 31 - 1;
  };
}

/** Noise of this RMS over all of it. */
export function withNoise(
  signal: Float64Array,
  rms: number,
  random = randomNumbers(),
): Float64Array {
  return signal.map((sample) => sample + rms * Math.sqrt(3) * random());
}

export function join(parts: readonly Float64Array[]): Int16Array {
  const all = parts.flatMap((part) => [...part]);

  return Int16Array.from(all, (sample) => Math.max(-32_768, Math.min(32_767, Math.round(sample))));
}
