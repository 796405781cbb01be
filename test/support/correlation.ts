import { Resampler } from '../../media/codec/index.ts';
import type { Sound } from '../../media/index.ts';
import type { Signal } from './tone-meter.ts';

const RATE = 8000;
/** Of what is looked for: its loudest stretch says which words it is. */
const STRETCH_SECONDS = 0.4;

export interface Match {
  /** 1: the same but for its loudness; 0: nothing of it. */
  score: number;
  /** Seconds into the recording where the sound begins. */
  at: number;
}

/** Where in a recording a sound is heard best: normalised cross-correlation at 8 kHz. */
export function findSound(sound: Sound, recording: Signal): Match {
  const wanted = toNarrow(sound.samples, sound.rate);
  const heard = toNarrow(recording.samples, recording.sampleRate);
  const length = Math.min(wanted.length, STRETCH_SECONDS * RATE);
  const start = loudest(wanted, length);
  const stretch = Float64Array.from(wanted.subarray(start, start + length));
  const own = Math.sqrt(stretch.reduce((sum, value) => sum + value * value, 0));
  let best: Match = { score: 0, at: 0 };
  let energy = 0;
  for (let i = 0; i < heard.length; i++) {
    energy += heard[i]! ** 2;
    if (i < length - 1) continue;
    const from = i - length + 1;
    if (energy > length * 100) {
      let product = 0;
      for (let j = 0; j < length; j++) product += stretch[j]! * heard[from + j]!;
      const score = product / (own * Math.sqrt(energy));
      if (score > best.score) best = { score, at: (from - start) / RATE };
    }
    energy -= heard[from]! ** 2;
  }

  return best;
}

function loudest(samples: Int16Array, length: number): number {
  let energy = 0;
  let most = 0;
  let start = 0;
  for (let i = 0; i < samples.length; i++) {
    energy += samples[i]! ** 2;
    if (i >= length) energy -= samples[i - length]! ** 2;
    if (energy > most) [most, start] = [energy, Math.max(0, i - length + 1)];
  }

  return start;
}

function toNarrow(samples: Int16Array, rate: number): Int16Array {
  if (rate === RATE) return samples;
  const resampler = new Resampler(rate, RATE);
  const out = new Int16Array(Math.ceil((samples.length * RATE) / rate));
  const written = resampler.process(samples, samples.length, out);

  return out.subarray(0, written);
}
