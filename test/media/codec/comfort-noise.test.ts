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

  it.each([20, 80, 230])('has the spectrum that the packet says: one coefficient of %i', (n) => {
    const coloured = noise(30, n);
    const k = (258 * (n - 127)) / 32_768;
    const average = (from: number, level: (hertz: number) => number): number =>
      Array.from({ length: 40 }, (_unused, i) => level(from + 10 * i)).reduce(
        (sum, value) => sum + value / 40,
        0,
      );
    const heard = (hertz: number): number => levelAt(coloured, hertz, 8000);
    // Of the filter 1 / (1 + k z⁻¹), dB.
    const meant = (hertz: number): number =>
      -10 * Math.log10(1 + 2 * k * Math.cos((2 * Math.PI * hertz) / 8000) + k * k);
    const tilt = (level: (hertz: number) => number): number =>
      average(200, level) - average(3500, level);
    // Each line of noise has a level by chance: two means of 40 differ by 1.3 dB in their deviation.
    expect(Math.abs(tilt(heard) - tilt(meant))).toBeLessThan(2.5);
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
