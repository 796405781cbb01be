import { describe, expect, it } from '@jest/globals';
import { Resampler } from '../../../media/codec/index.ts';
import { level, levelAt, tone } from './signals.ts';

const PAIRS: [number, number][] = [
  [8000, 48_000],
  [48_000, 8000],
  [8000, 16_000],
  [16_000, 8000],
  [16_000, 48_000],
  [48_000, 16_000],
  [24_000, 48_000],
  [48_000, 24_000],
  [32_000, 48_000],
  [48_000, 32_000],
  [16_000, 24_000],
  [24_000, 16_000],
  [8000, 24_000],
  [24_000, 8000],
  [8000, 32_000],
  [32_000, 8000],
  [16_000, 32_000],
  [32_000, 16_000],
  [24_000, 32_000],
  [32_000, 24_000],
];

/** In packets of 20 ms; the first 100 ms are left out. */
function resample(pcm: Int16Array, from: number, to: number, step = from / 50): Int16Array {
  const resampler = new Resampler(from, to);
  const out = new Int16Array(Math.ceil((pcm.length * to) / from) + 8);
  let written = 0;
  for (let at = 0; at < pcm.length; at += step) {
    const block = pcm.subarray(at, at + step);
    written += resampler.process(block, block.length, out.subarray(written));
  }

  return out.subarray(to / 10, written);
}

describe.each(PAIRS)('resampler %i to %i Hz', (from, to) => {
  const low = Math.min(from, to);

  it('passes what is below 0.9 of the lower band within half a decibel', () => {
    for (const share of [0.02, 0.1, 0.2, 0.3, 0.38, 0.4, 0.425, 0.45]) {
      const out = resample(tone(share * low, from, 0.3 * from), from, to);
      expect(Math.abs(levelAt(out, share * low, to) - 80)).toBeLessThan(0.5);
    }
  });

  it('keeps aliases and images 60 dB down', () => {
    for (const share of to > from ? [0.1, 0.3, 0.4, 0.46] : [0.54, 0.6, 0.75, 0.9, 1, 1.3]) {
      const frequency = share * low;
      if (frequency >= from / 2) continue;
      const out = resample(tone(frequency, from, 0.3 * from), from, to);
      if (to < from) {
        expect(level(out)).toBeLessThan(80 - 60);
      } else {
        for (let image = from; image < to; image += from) {
          for (const at of [image - frequency, image + frequency]) {
            if (at < to / 2) expect(levelAt(out, at, to)).toBeLessThan(80 - 60);
          }
        }
      }
    }
  });

  it('adds nothing to a tone: no image, no alias above −60 dB', () => {
    for (const share of [0.06, 0.22, 0.41, 0.45]) {
      const frequency = Math.round(share * low);
      const out = resample(tone(frequency, from, 0.3 * from), from, to);
      const omega = (2 * Math.PI * frequency) / to;
      const length = out.length - (out.length % (to / 100));
      let [cosine, sine] = [0, 0];
      for (let i = 0; i < length; i++) {
        cosine += (2 / length) * out[i]! * Math.cos(omega * i);
        sine += (2 / length) * out[i]! * Math.sin(omega * i);
      }
      const rest = out
        .subarray(0, length)
        .map((sample, i) => sample - cosine * Math.cos(omega * i) - sine * Math.sin(omega * i));
      expect(level(rest)).toBeLessThan(80 - 60);
    }
  });

  it('goes on for another one as if that had gone on', () => {
    const pcm = tone(0.2 * low, from, from / 5);
    const first = new Resampler(from, to);
    const second = new Resampler(from, to);
    const half = from / 10 + 1;
    const [expected, other] = [new Int16Array(to / 5), new Int16Array(to / 5)];
    first.process(pcm, half, expected);
    second.process(tone(300, from, 100), 77, other);
    second.copyState(first);
    const made = first.process(pcm.subarray(half), half - 2, expected);
    expect(second.process(pcm.subarray(half), half - 2, other)).toBe(made);
    expect(other.subarray(0, made)).toEqual(expected.subarray(0, made));
  });

  it('gives whole milliseconds for whole milliseconds', () => {
    const resampler = new Resampler(from, to);
    const out = new Int16Array(to);
    for (const ms of [1, 10, 20, 30, 60, 120, 7]) {
      expect(resampler.process(new Int16Array((from * ms) / 1000), (from * ms) / 1000, out)).toBe(
        (to * ms) / 1000,
      );
    }
  });

  it('sounds the same in whatever steps it is fed', () => {
    const pcm = tone(0.2 * low, from, from / 5);
    const whole = resample(pcm, from, to, pcm.length);
    for (const step of [1, 7, 160, 333]) expect(resample(pcm, from, to, step)).toEqual(whole);
  });

  it('does not wrap at full scale', () => {
    const square = new Int16Array(from / 10).map((_unused, i) =>
      i % (from / 500) < from / 1000 ? 32_767 : -32_768,
    );
    const out = new Int16Array(to / 10);
    new Resampler(from, to).process(square, square.length, out);
    let largest = 0;
    for (let i = 1; i < out.length; i++)
      largest = Math.max(largest, Math.abs(out[i]! - out[i - 1]!));
    expect(Math.max(...out)).toBe(32_767);
    expect(Math.min(...out)).toBe(-32_768);
    expect(largest).toBeLessThan(65_535);
  });

  it('keeps a constant constant', () => {
    const out = resample(new Int16Array(from / 5).fill(1000), from, to);
    expect(out.every((sample) => Math.abs(sample - 1000) <= 1)).toBe(true);
  });
});

describe('resampler', () => {
  it('reads no more than fits', () => {
    const out = new Int16Array(100);
    expect(new Resampler(8000, 48_000).process(new Int16Array(160), 160, out)).toBe(96);
  });

  it('knows its rates only', () => {
    expect(() => new Resampler(44_100, 48_000)).toThrow(TypeError);
  });
});
