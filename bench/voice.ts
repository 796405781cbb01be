/** A voice that nobody owns: syllables of three formants over a gliding pitch, with short pauses. */

/** Hz of the first three formants of some vowels. */
const VOWELS = [
  [730, 1090, 2440],
  [270, 2290, 3010],
  [300, 870, 2240],
  [530, 1840, 2480],
  [570, 840, 2410],
] as const;
const PEAK = 14_000;

/** Repeatable noise, so that every run has the same load. */
function makeRandom(seed: number): () => number {
  let state = seed;

  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;

    return state / 2 ** 32;
  };
}

export function makeVoice(seconds: number, sampleRate: number, seed: number): Int16Array {
  const random = makeRandom(seed);
  const voice = new Float64Array(seconds * sampleRate);
  const states = [new Float64Array(2), new Float64Array(2), new Float64Array(2)];
  let at = 0;
  let phase = 0;
  while (at < voice.length) {
    const length = Math.floor((0.14 + 0.12 * random()) * sampleRate);
    const pause = Math.floor((random() < 0.2 ? 0.15 : 0.03) * sampleRate);
    const vowel = VOWELS[Math.floor(random() * VOWELS.length)]!;
    const pitch = 95 + 60 * random();
    for (let i = 0; i < length && at < voice.length; i++, at++) {
      const envelope = Math.sin((Math.PI * i) / length);
      phase += (pitch * (1 - (0.1 * i) / length)) / sampleRate;
      const pulse = phase >= 1 ? 1 : 0;
      phase -= pulse;
      const source = envelope * (pulse + 0.02 * (random() - 0.5));
      voice[at] = states.reduce(
        (sum, state, n) => sum + ring(state, source, vowel[n]!, sampleRate),
        0,
      );
    }
    at += pause;
  }

  return toPeak(voice);
}

/** One resonance, 90 Hz wide. */
function ring(state: Float64Array, input: number, frequency: number, sampleRate: number): number {
  const radius = Math.exp((-Math.PI * 90) / sampleRate);
  const cosine = Math.cos((2 * Math.PI * frequency) / sampleRate);
  const output = input + 2 * radius * cosine * state[0]! - radius * radius * state[1]!;
  state[1] = state[0]!;
  state[0] = output;

  return output;
}

function toPeak(signal: Float64Array): Int16Array {
  const peak = signal.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-9);

  return Int16Array.from(signal, (value) => (value / peak) * PEAK);
}

/** What a microphone in a quiet room gives: noise at about −65 dBov. */
export function makeRoomNoise(seconds: number, sampleRate: number): Int16Array {
  const random = makeRandom(99);

  return Int16Array.from({ length: seconds * sampleRate }, () => (random() - 0.5) * 64);
}

/** Samples that an answering machine would call a click, this far into a packet. */
export const CLICK_AT = 100;
const CLICK_SAMPLES = 8;

/** A click every `everyMs` in silence. */
export function makeClicks(seconds: number, everyMs: number): Int16Array {
  const signal = new Int16Array(seconds * 8000);
  for (let at = CLICK_AT; at + CLICK_SAMPLES < signal.length; at += everyMs * 8) {
    signal.fill(20_000, at, at + CLICK_SAMPLES);
  }

  return signal;
}
