import { describe, expect, it } from '@jest/globals';
import { TimeStretcher } from '../../../media/codec/time-stretcher.ts';
import { levelAt, tone } from './signals.ts';

const RATES = [8000, 16_000, 48_000];

/** The sharpest bend of a signal; that of a sine is known, a click is far beyond. */
function sharpest(pcm: Int16Array): number {
  let most = 0;
  for (let i = 2; i < pcm.length; i++) {
    most = Math.max(most, Math.abs(pcm[i]! - 2 * pcm[i - 1]! + pcm[i - 2]!));
  }

  return most;
}

function noise(samples: number): Int16Array {
  let state = 1;

  return Int16Array.from({ length: samples }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;

    return state / 2 ** 18 - 8192;
  });
}

describe('a piece of audio made longer or shorter', () => {
  it.each(RATES)('by whole periods, without a click and at its pitch: %i Hz', (rate) => {
    const samples = rate / 25;
    const voice = tone(220, rate, samples);
    const bend = 1.5 * 10_000 * ((2 * Math.PI * 220) / rate) ** 2 + 4;
    const period = rate / 220;
    for (const way of ['shorten', 'lengthen'] as const) {
      const pcm = new Int16Array(2 * samples);
      pcm.set(voice);
      const left = new TimeStretcher(rate)[way](pcm, samples);
      const change = Math.abs(left - samples);
      expect(way === 'shorten' ? left < samples : left > samples).toBe(true);
      expect(change / rate).toBeGreaterThanOrEqual(0.0024);
      expect(change / rate).toBeLessThanOrEqual(0.0101);
      expect(Math.abs(change / period - Math.round(change / period))).toBeLessThan(0.05);
      const piece = pcm.slice(0, left);
      expect(sharpest(piece)).toBeLessThan(bend);
      expect(Math.abs(levelAt(piece, 220, rate) - levelAt(voice, 220, rate))).toBeLessThan(0.5);
      // What follows in the stream joins what came before it.
      expect(Math.abs(pcm[left - 1]! - voice[samples - 1]!)).toBeLessThanOrEqual(1);
      expect(Math.abs(pcm[0]! - voice[0]!)).toBeLessThanOrEqual(bend);
    }
  });

  it('by no more than is wanted', () => {
    const pcm = tone(330, 8000, 320);
    expect(320 - new TimeStretcher(8000).shorten(pcm, 320, 4)).toBeLessThanOrEqual(32);
    expect(new TimeStretcher(8000).shorten(tone(330, 8000, 320), 320, 2)).toBe(320);
  });

  it('in silence by any length', () => {
    expect(new TimeStretcher(8000).shorten(new Int16Array(320), 320)).toBeLessThan(320);
    expect(new TimeStretcher(8000).lengthen(new Int16Array(640), 320)).toBeGreaterThan(320);
  });

  it('is left alone while nothing in it repeats itself, but not for ever', () => {
    const stretcher = new TimeStretcher(8000);
    const original = noise(320);
    const first = original.slice();
    expect(stretcher.shorten(first, 320)).toBe(320);
    expect(first).toEqual(original);
    let tries = 1;
    while (stretcher.shorten(original.slice(), 320) === 320) tries++;
    // Each refusal makes it less choosy; the likeness of noise is small.
    expect(tries).toBeGreaterThan(10);
    expect(tries).toBeLessThan(60);
  });

  it('is left alone where there is no room for more', () => {
    const pcm = tone(220, 8000, 320);
    expect(new TimeStretcher(8000).lengthen(pcm, 320)).toBe(320);
    expect(pcm).toEqual(tone(220, 8000, 320));
  });
});
