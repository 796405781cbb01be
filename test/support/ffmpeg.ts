/** ffmpeg as the second opinion: what it encodes is sent to the server, what the server sends it decodes. */
import { spawnSync } from 'node:child_process';
import type { AudioCodecName } from '../../media/codecs.ts';
import { readOggPackets, writeOggPackets } from './ogg-opus.ts';
import type { Signal } from './tone-meter.ts';

/** Octets of 20 ms in each codec but Opus. */
const PACKET_OCTETS = 160;

const CODECS = {
  PCMU: { encoder: ['pcm_mulaw'], format: 'mulaw', sampleRate: 8000 },
  PCMA: { encoder: ['pcm_alaw'], format: 'alaw', sampleRate: 8000 },
  G722: { encoder: ['g722'], format: 'g722', sampleRate: 16_000 },
  opus: { encoder: ['libopus', '-b:a', '64k'], format: 'ogg', sampleRate: 48_000 },
} as const;

export type FfmpegCodec = keyof typeof CODECS & AudioCodecName;

/** Packets of 20 ms; `options` are ffmpeg's for the encoder. */
export function encodeWav(
  wav: string,
  codec: FfmpegCodec,
  options: readonly string[] = [],
): Uint8Array[] {
  const { encoder, format, sampleRate } = CODECS[codec];
  const encoded = run(
    ['-i', wav, '-ac', '1', '-ar', String(sampleRate)],
    ['-c:a', ...encoder, ...options, '-f', format, 'pipe:1'],
  );
  if (codec === 'opus') return readOggPackets(encoded);
  const count = Math.floor(encoded.length / PACKET_OCTETS);

  return Array.from({ length: count }, (_, i) =>
    encoded.subarray(i * PACKET_OCTETS, (i + 1) * PACKET_OCTETS),
  );
}

/** Packets of 20 ms, in their order. */
export function decodePackets(packets: readonly Uint8Array[], codec: FfmpegCodec): Signal {
  const { format, sampleRate } = CODECS[codec];
  const rate = codec === 'opus' || codec === 'G722' ? [] : ['-ar', String(sampleRate)];
  const encoded = codec === 'opus' ? writeOggPackets(packets) : Buffer.concat(packets);
  const pcm = run(
    ['-f', format, ...rate, '-i', 'pipe:0'],
    ['-f', 's16le', '-ac', '1', '-ar', String(sampleRate), 'pipe:1'],
    encoded,
  );
  const samples = Int16Array.from({ length: pcm.length >> 1 }, (_, i) => pcm.readInt16LE(2 * i));

  return { samples, sampleRate };
}

function run(input: readonly string[], output: readonly string[], stdin?: Buffer): Buffer {
  const { status, stdout, stderr } = spawnSync(
    'ffmpeg',
    ['-v', 'error', '-nostdin', ...input, ...output],
    { ...(stdin !== undefined && { input: stdin }), maxBuffer: 2 ** 26 },
  );
  if (status !== 0) throw new Error(`ffmpeg: ${stderr.toString()}`);

  return stdout;
}
