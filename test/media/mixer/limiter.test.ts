import { describe, expect, it } from '@jest/globals';
import { Limiter } from '../../../media/mixer/limiter.ts';
import { peakLevel, rmsLevel, toneLevel } from '../../support/tone-meter.ts';
import { joinFrames, ToneSource } from '../../support/tone-source.ts';

const RATE = 48_000;
const FRAME = 960;

function limit(
  sum: (frame: number) => Int32Array,
  frames: number,
  limiter = new Limiter(),
): Int16Array {
  const out: Int16Array[] = [];
  for (let i = 0; i < frames; i++) {
    const frame = new Int16Array(FRAME);
    limiter.process(sum(i), frame);
    out.push(frame);
  }

  return joinFrames(out);
}

describe('Limiter', () => {
  it('never wraps: every sample keeps the sign of the sum, whatever the sum is', () => {
    const limiter = new Limiter();
    const sum = new Int32Array(FRAME);
    const out = new Int16Array(FRAME);
    let seed = 1;
    for (let frame = 0; frame < 200; frame++) {
      for (let i = 0; i < FRAME; i++) {
        seed = (Math.imul(seed, 1_103_515_245) + 12_345) | 0;
        sum[i] = (seed >> 16) * (frame % 17);
      }
      limiter.process(sum, out);
      for (let i = 0; i < FRAME; i++) {
        if (Math.sign(sum[i]!) * out[i]! < 0) throw new Error(`${sum[i]!} became ${out[i]!}`);
      }
    }
  });

  it('holds sixteen voices at full scale below the end of 16 bits and keeps them clean', () => {
    const tones = Array.from({ length: 16 }, () => new ToneSource(440, RATE, 0));
    const signal = limit(() => {
      const sum = new Int32Array(FRAME);
      for (const tone of tones) tone.next(FRAME).forEach((sample, i) => (sum[i]! += sample));

      return sum;
    }, 100);
    const settled = { samples: signal.slice(FRAME * 10), sampleRate: RATE };
    const fundamental = toneLevel(settled, 440);
    const harmonics = [2, 3, 4, 5, 6, 7].map((n) => 10 ** (toneLevel(settled, 440 * n) / 20));
    const distortion = 20 * Math.log10(Math.hypot(...harmonics) / 10 ** (fundamental / 20));

    expect(peakLevel({ samples: signal, sampleRate: RATE })).toBeLessThanOrEqual(0);
    expect(fundamental).toBeGreaterThan(-2);
    expect(distortion).toBeLessThan(-40);
  });

  it('comes back to unity within half a second after an overload', () => {
    const limiter = new Limiter();
    limit(() => new Int32Array(FRAME).fill(200_000), 5, limiter);
    expect(limiter.gain).toBeLessThan(0.2);
    const quiet = limit(() => new Int32Array(FRAME).fill(1000), 25, limiter);

    expect(limiter.gain).toBe(1);
    expect(quiet[quiet.length - 1]).toBe(1000);
    expect(rmsLevel({ samples: quiet, sampleRate: RATE })).toBeGreaterThan(-40);
  });

  it('passes a sum that fits untouched', () => {
    const tone = new ToneSource(997, RATE, 0).next(FRAME);
    const out = new Int16Array(FRAME);
    new Limiter().process(Int32Array.from(tone), out);

    expect([...out]).toEqual([...tone]);
  });
});
