import { writeFileSync } from 'node:fs';
import type { Colour } from '../../media/grid/picture.ts';
import { writeWav } from './wav-file.ts';

const [WIDTH, HEIGHT] = [640, 360];
const FRAMES = 4;

/** A Y4M file of one colour for Chromium's fake camera, which plays it again and again. */
export function writeColourVideo(file: string, [y, u, v]: Colour): void {
  const luma = WIDTH * HEIGHT;
  const frame = [
    Buffer.from('FRAME\n'),
    Buffer.alloc(luma, y),
    Buffer.alloc(luma / 4, u),
    Buffer.alloc(luma / 4, v),
  ];
  const header = Buffer.from(`YUV4MPEG2 W${WIDTH} H${HEIGHT} F20:1 Ip A1:1 C420mpeg2\n`);
  writeFileSync(
    file,
    Buffer.concat([header, ...Array.from({ length: FRAMES }, () => frame).flat()]),
  );
}

const SAMPLE_RATE = 48_000;
const WORD_S = 0.3;
const PAUSE_S = 0.1;
const WORDS = 10;

/**
 * What a browser takes for speech: words of a gliding tone, with pauses. A lasting tone would be noise to its
 * noise suppression, and its own microphone's beep comes once a second alone.
 */
export function writeBabbleWav(file: string, pitch: number): void {
  const length = Math.round((WORD_S + PAUSE_S) * SAMPLE_RATE);
  const samples = new Int16Array(length * WORDS);
  for (let word = 0; word < WORDS; word++) {
    const base = pitch * (250 + 90 * ((word * 7) % 5));
    for (let i = 0; i < WORD_S * SAMPLE_RATE; i++) {
      const t = i / SAMPLE_RATE;
      const envelope = Math.sin((Math.PI * t) / WORD_S);
      const phase = 2 * Math.PI * base * (t + t * t);
      const wave = Math.sin(phase) + 0.5 * Math.sin(2 * phase) + 0.3 * Math.sin(3 * phase);
      samples[word * length + i] = Math.round(8000 * envelope * wave);
    }
  }
  writeWav(file, samples, SAMPLE_RATE);
}
