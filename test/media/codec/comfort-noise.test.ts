import { describe, expect, it } from '@jest/globals';
import { ComfortNoise } from '../../../media/codec/index.ts';
import { level, levelAt } from './signals.ts';

function noise(...payload: number[]): Int16Array {
  const generator = new ComfortNoise();
  generator.describe(Uint8Array.from(payload));
  const out = new Int16Array(16_000);
  generator.fill(out, out.length);

  return out;
}

describe('comfort noise (RFC 3389)', () => {
  it.each([30, 50, 60])('is as loud as the packet says: −%i dBov', (below) => {
    // A sine as loud as full scale has 3 dB less power than dBov counts from.
    const fullScale = 20 * Math.log10(32_767) + 3;
    expect(Math.abs(level(noise(below)) - (fullScale - below))).toBeLessThan(1);
    expect(Math.abs(level(noise(below, 60, 140)) - (fullScale - below))).toBeLessThan(2);
  });

  it('has the spectrum that the packet says', () => {
    const dark = noise(30, 20);
    const average = (from: number): number =>
      Array.from({ length: 40 }, (_unused, i) => levelAt(dark, from + 10 * i, 8000)).reduce(
        (sum, value) => sum + value / 40,
        0,
      );
    expect(average(200) - average(3500)).toBeGreaterThan(12);
  });

  it('is silent when the packet says so, and survives any packet', () => {
    expect(noise(127).every((sample) => sample === 0)).toBe(true);
    expect(noise().every((sample) => sample === 0)).toBe(true);
    for (const extreme of [0, 255]) {
      const wild = noise(0, ...new Array<number>(40).fill(extreme));
      expect(wild.every((sample) => Number.isInteger(sample))).toBe(true);
    }
  });
});
