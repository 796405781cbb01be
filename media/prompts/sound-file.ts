/** Recordings as they lie on the disk: G.722 without a header, or WAV with 16-bit samples. */
import { createReadStream, readFileSync, statSync } from 'node:fs';
import { G722Decoder } from '../codec/index.ts';
import type { Sound } from '../media-api.ts';
import { sharedSamples } from './tones.ts';

const G722_RATE = 16_000;
/** Octets of a file that is read at all: five minutes of WAV at 16 kHz. */
const MAX_FILE = 10_000_000;
/** Octets of G.722 that are decoded in one go: 20 ms of work at most. */
const CHUNK = 32_000;

/** What the extension stands for, the better one first. */
export const SOUND_EXTENSIONS = ['g722', 'wav'] as const;

/** Throws when the file is not what its name says, or too large. */
export function readSound(file: string): Sound {
  if (statSync(file).size > MAX_FILE) throw new TypeError(`${file} is larger than ${MAX_FILE}`);
  const bytes = readFileSync(file);
  if (file.endsWith('.wav')) return parseWav(bytes);
  const samples = sharedSamples(2 * bytes.length);
  decodeInto(samples, 0, new G722Decoder(), bytes);

  return { rate: G722_RATE, samples };
}

/** As `readSound`, in pieces, so that calls go on meanwhile: for music. */
export async function loadSound(file: string): Promise<Sound> {
  if (!file.endsWith('.g722')) return readSound(file);
  const { size } = statSync(file);
  if (size > MAX_FILE) throw new TypeError(`${file} is larger than ${MAX_FILE}`);
  const samples = sharedSamples(2 * size);
  const decoder = new G722Decoder();
  let position = 0;
  for await (const chunk of createReadStream(file, { highWaterMark: CHUNK, end: size - 1 })) {
    position = decodeInto(samples, position, decoder, chunk as Uint8Array);
    await new Promise((resolve) => setImmediate(resolve));
  }

  return { rate: G722_RATE, samples };
}

function decodeInto(
  samples: Int16Array,
  start: number,
  decoder: G722Decoder,
  bytes: Uint8Array,
): number {
  let position = start;
  for (let offset = 0; offset < bytes.length; offset += CHUNK) {
    const part = bytes.subarray(offset, offset + CHUNK);
    position += decoder.decode(part, samples.subarray(position));
  }

  return position;
}

/** PCM, 16 bit, 8 or 16 kHz; of several channels the first. */
export function parseWav(bytes: Buffer): Sound {
  const isWav =
    bytes.toString('latin1', 0, 4) === 'RIFF' && bytes.toString('latin1', 8, 12) === 'WAVE';
  if (!isWav) throw new TypeError('not a WAV file');
  let format: { channels: number; rate: 8000 | 16_000 } | undefined;
  for (let offset = 12; offset + 8 <= bytes.length;) {
    const id = bytes.toString('latin1', offset, offset + 4);
    const size = bytes.readUInt32LE(offset + 4);
    const start = offset + 8;
    if (id === 'fmt ' && start + 16 <= bytes.length) format = readFormat(bytes, start);
    if (id === 'data' && format !== undefined) {
      return {
        rate: format.rate,
        samples: readSamples(bytes.subarray(start, start + size), format.channels),
      };
    }
    offset = start + size + (size & 1);
  }
  throw new TypeError('a WAV file without sound');
}

function readFormat(bytes: Buffer, start: number): { channels: number; rate: 8000 | 16_000 } {
  const [encoding, channels] = [bytes.readUInt16LE(start), bytes.readUInt16LE(start + 2)];
  const rate = bytes.readUInt32LE(start + 4);
  const bits = bytes.readUInt16LE(start + 14);
  if (encoding !== 1 || bits !== 16 || channels < 1 || (rate !== 8000 && rate !== 16_000)) {
    throw new TypeError('not 16-bit PCM at 8 or 16 kHz');
  }

  return { channels, rate };
}

function readSamples(data: Buffer, channels: number): Int16Array {
  const samples = sharedSamples(Math.floor(data.length / (2 * channels)));
  for (let i = 0; i < samples.length; i++) samples[i] = data.readInt16LE(2 * channels * i);

  return samples;
}
