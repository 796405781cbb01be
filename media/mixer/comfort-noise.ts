/**
 * What a phone gets while nobody talks: a line that is there. Dead silence makes people ask whether
 * anybody is. RFC 3389 has a payload for it, which few phones play; sound plays everywhere.
 */

/** dBov, of the whole: heard when one listens for it, under any room's own noise. */
export const COMFORT_NOISE_DBOV = -66;
/** Hz above which it falls off, so that it is a rustle rather than a hiss. */
const CORNER = 1500;
/** It begins again after a second, of which nobody hears a period. */
const SECONDS = 1;

const tables = new Map<number, Int16Array>();

/** A second of it at a sample rate, made once in a thread. */
export function comfortNoise(sampleRate: number): Int16Array {
  let noise = tables.get(sampleRate);
  if (noise === undefined) {
    noise = makeNoise(sampleRate);
    tables.set(sampleRate, noise);
  }

  return noise;
}

function makeNoise(sampleRate: number): Int16Array {
  const length = sampleRate * SECONDS;
  const noise = new Float64Array(length);
  const smooth = Math.exp((-2 * Math.PI * CORNER) / sampleRate);
  let state = 1;
  let low = 0;
  // Twice around, so that its end leads on to its beginning.
  for (let i = -length; i < length; i++) {
    if (i === 0) state = 1;
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    low += (1 - smooth) * (state / 2 ** 31 - 1 - low);
    if (i >= 0) noise[i] = low;
  }
  const power = noise.reduce((sum, value) => sum + value * value, 0) / length;
  const gain = (32_767 * 10 ** (COMFORT_NOISE_DBOV / 20)) / Math.sqrt(power);

  return Int16Array.from(noise, (value) => Math.round(value * gain));
}
