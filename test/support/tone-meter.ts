import { readFileSync } from 'node:fs';

/** Nothing was found: below what 16 bits can say. */
const NOTHING_DBFS = -120;

/** Audio as a test measures it: one channel. */
export interface Signal {
  samples: Int16Array;
  sampleRate: number;
}

/**
 * Level of one frequency in dBFS of a sine's peak (a full-scale sine is 0), by Goertzel with a Hann
 * window, so that a loud neighbour does not leak into the bin. Two seconds tell tones 2 Hz apart.
 */
export function toneLevel(signal: Signal, frequency: number): number {
  const { samples, sampleRate } = signal;
  const length = samples.length;
  if (length === 0) return NOTHING_DBFS;
  const omega = (2 * Math.PI * frequency) / sampleRate;
  const coefficient = 2 * Math.cos(omega);
  const turn = 2 * Math.cos((2 * Math.PI) / length);
  let before = 0;
  let last = 0;
  // The window's cosine, each from the two before it.
  let cosine = 1;
  let next = turn / 2;
  for (let i = 0; i < length; i++) {
    const window = 0.5 - 0.5 * cosine;
    [cosine, next] = [next, turn * next - cosine];
    const value = samples[i]! * window + coefficient * last - before;
    before = last;
    last = value;
  }
  const power = last * last + before * before - coefficient * last * before;
  // The window halves the amplitude; a sine of peak A gives A × length / 2 before that.
  const amplitude = (Math.sqrt(Math.max(0, power)) * 4) / length / 32_767;

  return amplitude > 0 ? Math.max(NOTHING_DBFS, 20 * Math.log10(amplitude)) : NOTHING_DBFS;
}

/**
 * What stands around a frequency when the tone itself is left out: the median of the bins between
 * 15 and 60 Hz beside it. A tone is there when it stands well above this.
 */
export function noiseFloorAround(signal: Signal, frequency: number): number {
  const levels: number[] = [];
  for (let distance = 15; distance <= 60; distance += 5) {
    levels.push(toneLevel(signal, frequency + distance));
    if (frequency > distance) levels.push(toneLevel(signal, frequency - distance));
  }
  levels.sort((left, right) => left - right);

  return levels[levels.length >> 1]!;
}

/** How far a tone stands above what is around it, in dB. */
export function toneAboveFloor(signal: Signal, frequency: number): number {
  return toneLevel(signal, frequency) - noiseFloorAround(signal, frequency);
}

/** Loudest sample, dBFS. */
export function peakLevel(signal: Signal): number {
  let peak = 0;
  for (const sample of signal.samples) peak = Math.max(peak, Math.abs(sample));

  return peak > 0 ? 20 * Math.log10(peak / 32_767) : NOTHING_DBFS;
}

/** Root mean square of the whole signal, dBov. */
export function rmsLevel(signal: Signal): number {
  let energy = 0;
  for (const sample of signal.samples) energy += sample * sample;

  return energy > 0
    ? 10 * Math.log10(energy / (signal.samples.length * 32_767 ** 2))
    : NOTHING_DBFS;
}

/** Longest run in milliseconds whose samples all stay below `threshold` dBFS: a hole in a tone. */
export function longestGapMs(signal: Signal, threshold = -60): number {
  const limit = 32_767 * 10 ** (threshold / 20);
  let longest = 0;
  let run = 0;
  for (const sample of signal.samples) {
    run = Math.abs(sample) < limit ? run + 1 : 0;
    longest = Math.max(longest, run);
  }

  return (longest / signal.sampleRate) * 1000;
}

/** A part of a signal, in seconds; a negative start counts from the end. */
export function slice(signal: Signal, from: number, to?: number): Signal {
  const { samples, sampleRate } = signal;
  const end = to === undefined ? samples.length : Math.round(to * sampleRate);

  return { samples: samples.slice(Math.round(from * sampleRate), end), sampleRate };
}

/**
 * Reads 16-bit PCM WAV, the first channel. A recorder that was killed leaves a data size of 0 or
 * 0xFFFFFFFF, or one that is longer than the file: what is really there is read then.
 */
export function readWav(file: string): Signal {
  return parseWav(readFileSync(file));
}

export function parseWav(bytes: Buffer): Signal {
  if (bytes.toString('latin1', 0, 4) !== 'RIFF' || bytes.toString('latin1', 8, 12) !== 'WAVE') {
    throw new Error('not a WAV file');
  }
  let format: { channels: number; sampleRate: number } | undefined;
  for (let offset = 12; offset + 8 <= bytes.length;) {
    const id = bytes.toString('latin1', offset, offset + 4);
    const size = bytes.readUInt32LE(offset + 4);
    const start = offset + 8;
    if (id === 'fmt ') {
      if (bytes.readUInt16LE(start + 14) !== 16) throw new Error('not 16-bit PCM');
      format = {
        channels: bytes.readUInt16LE(start + 2),
        sampleRate: bytes.readUInt32LE(start + 4),
      };
    } else if (id === 'data') {
      if (format === undefined) throw new Error('data before fmt');
      const honest = size > 0 && start + size <= bytes.length;

      return readSamples(bytes.subarray(start, honest ? start + size : bytes.length), format);
    }
    offset = start + size + (size & 1);
  }
  throw new Error('no data in the WAV file');
}

function readSamples(data: Buffer, format: { channels: number; sampleRate: number }): Signal {
  const step = format.channels * 2;
  const samples = new Int16Array(Math.floor(data.length / step));
  for (let i = 0; i < samples.length; i++) samples[i] = data.readInt16LE(i * step);

  return { samples, sampleRate: format.sampleRate };
}
