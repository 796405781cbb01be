import { writeFileSync } from 'node:fs';

/**
 * Writes a mono 16-bit WAV of one sine, `level` dBFS of its peak. The frequency must be a whole
 * number of Hz, so that one second repeats without a click.
 */
export function writeToneWav(
  file: string,
  frequency: number,
  options: { seconds: number; sampleRate: number; level?: number },
): void {
  const { seconds, sampleRate, level = -12 } = options;
  const amplitude = 32767 * 10 ** (level / 20);
  const second = new Int16Array(sampleRate);
  for (let i = 0; i < sampleRate; i++) {
    second[i] = Math.round(amplitude * Math.sin((2 * Math.PI * frequency * i) / sampleRate));
  }
  const whole = new Int16Array(sampleRate * seconds);
  for (let i = 0; i < seconds; i++) whole.set(second, i * sampleRate);
  writeWav(file, whole, sampleRate);
}

/** Mono, 16 bits. */
export function writeWav(file: string, samples: Int16Array, sampleRate: number): void {
  const bytes = Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength);
  const header = Buffer.alloc(44);
  const dataLength = bytes.length;
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(36 + dataLength, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(sampleRate, 24);
  header.writeUInt32LE(sampleRate * 2, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(dataLength, 40);
  writeFileSync(file, Buffer.concat([header, bytes]));
}
