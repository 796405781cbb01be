/** Sound that is made, not recorded. */
import type { Sound } from '../media-api.ts';

const RATE = 16_000;
/** So that no tone begins or ends with a click. */
const EDGE = RATE / 200;
const AMPLITUDE = 6000;

/** Memory that every mixer thread may read as it is. */
export function sharedSamples(length: number): Int16Array {
  return new Int16Array(new SharedArrayBuffer(2 * length));
}

/** Beeps: frequency (0: a pause) and milliseconds of each. */
export function toneSequence(parts: readonly (readonly [number, number])[]): Sound {
  const lengths = parts.map(([, ms]) => Math.round((ms * RATE) / 1000));
  const samples = sharedSamples(lengths.reduce((sum, length) => sum + length, 0));
  let start = 0;
  for (const [index, [frequency]] of parts.entries()) {
    const length = lengths[index]!;
    for (let i = 0; i < length; i++) {
      const edge = Math.min(1, i / EDGE, (length - 1 - i) / EDGE);
      samples[start + i] = AMPLITUDE * edge * Math.sin((2 * Math.PI * frequency * i) / RATE);
    }
    start += length;
  }

  return { rate: RATE, samples };
}

/** Somebody came in; somebody left. */
export const ENTRY_TONE: Sound = toneSequence([
  [523, 90],
  [784, 140],
]);
export const EXIT_TONE: Sound = toneSequence([
  [784, 90],
  [523, 140],
]);

const KEYS = '123A456B789C*0#D';
/** Hz (ITU-T Q.23). */
const ROWS = [697, 770, 852, 941];
const COLUMNS = [1209, 1336, 1477, 1633];
/** Peak of each of a key's two tones: −10 dBm0. */
const KEY_AMPLITUDE = 7217;
/** Milliseconds of a key and of the pause before it: twice what ITU-T Q.24 asks of receivers. */
const KEY_MS = 100;

/** Keys as tones, for who takes them in no other form. */
export function keyTones(keys: string): Sound {
  const length = (RATE * KEY_MS) / 1000;
  const samples = sharedSamples(2 * length * keys.length);
  for (const [position, key] of [...keys.toUpperCase()].entries()) {
    const index = KEYS.indexOf(key);
    if (index < 0) continue;
    const start = (2 * position + 1) * length;
    const [row, column] = [ROWS[index >> 2]!, COLUMNS[index & 3]!];
    for (let i = 0; i < length; i++) {
      const edge = Math.min(1, i / EDGE, (length - 1 - i) / EDGE);
      const turn = (2 * Math.PI * i) / RATE;
      samples[start + i] = KEY_AMPLITUDE * edge * (Math.sin(turn * row) + Math.sin(turn * column));
    }
  }

  return { rate: RATE, samples, alone: true };
}

/** A broken chord, again and again, where there is no recorded music. */
export function generatedMusic(): Sound {
  const notes = [262, 330, 392, 523, 392, 330, 294, 349, 440, 587, 440, 349];

  return toneSequence(notes.map((frequency) => [frequency, 400] as const));
}
