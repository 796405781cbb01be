import { describe, expect, it } from '@jest/globals';
import { Limiter } from '../../../media/mixer/limiter.ts';
import { peakLevel, rmsLevel, toneLevel } from '../../support/tone-meter.ts';
import { joinFrames, ToneSource } from '../../support/tone-source.ts';

const RATE = 48_000;
const FRAME = 960;
const DELAY = FRAME / 8;

function limit(
  sum: (frame: number) => Int32Array,
  frames: number,
  limiter = new Limiter(FRAME),
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
  it('never wraps and never reaches beyond 16 bits, whatever the sum is', () => {
    const limiter = new Limiter(FRAME);
    const before = new Int32Array(DELAY);
    const sum = new Int32Array(FRAME);
    const out = new Int16Array(FRAME);
    let seed = 1;
    for (let frame = 0; frame < 200; frame++) {
      before.set(sum.subarray(FRAME - DELAY));
      for (let i = 0; i < FRAME; i++) {
        seed = (Math.imul(seed, 1_103_515_245) + 12_345) | 0;
        sum[i] = (seed >> 16) * (frame % 17);
      }
      limiter.process(sum, out);
      for (let i = 0; i < FRAME; i++) {
        const wanted = i < DELAY ? before[i]! : sum[i - DELAY]!;
        if (wanted * out[i]! < 0) throw new Error(`${wanted} became ${out[i]!}`);
        if (Math.abs(out[i]!) > Math.abs(wanted)) throw new Error(`${wanted} became ${out[i]!}`);
      }
    }
  });

  it('has its gain down before a sudden peak, so that the peak is neither cut nor bent', () => {
    const limiter = new Limiter(FRAME);
    const sudden = new ToneSource(1000, RATE, 0).next(FRAME);
    const loud = Int32Array.from(sudden, (sample) => sample * 8);
    const signal = limit((frame) => (frame < 3 ? new Int32Array(FRAME) : loud), 6, limiter);
    const peaks = signal.filter((sample) => Math.abs(sample) >= 32_766).length;

    // Of a sine only the crest is there; cut it would stand there for most of each period.
    expect(peaks / signal.length).toBeLessThan(0.03);
  });

  it.each([
    ['on one note', (): number => 440, -70],
    ['on low notes, two to each', (voice: number): number => 100 + 10 * (voice >> 1), -40],
  ])('keeps sixteen talkers at full scale clean, %s', (_what, frequencyOf, most) => {
    const frequencies = Array.from({ length: 16 }, (_unused, voice) => frequencyOf(voice));
    const tones = frequencies.map((frequency) => new ToneSource(frequency, RATE, 0));
    const signal = limit(() => {
      const sum = new Int32Array(FRAME);
      for (const tone of tones) tone.next(FRAME).forEach((sample, i) => (sum[i]! += sample));

      return sum;
    }, 75);
    const settled = { samples: signal.slice(FRAME * 25), sampleRate: RATE };
    const power = (list: number[]): number =>
      list.reduce((all, frequency) => all + 10 ** (toneLevel(settled, frequency) / 10), 0);
    const wanted = [...new Set(frequencies)];
    const harmonics = [2, 3, 4, 5, 6, 7].flatMap((n) => wanted.map((each) => each * n));
    const foreign = [...new Set(harmonics)].filter((each) => !wanted.includes(each));
    const distortion = 10 * Math.log10(power(foreign) / power(wanted));

    expect(peakLevel({ samples: signal, sampleRate: RATE })).toBeLessThanOrEqual(0);
    expect(distortion).toBeLessThan(most);
  });

  it('comes back to unity within half a second after an overload', () => {
    const limiter = new Limiter(FRAME);
    limit(() => new Int32Array(FRAME).fill(200_000), 5, limiter);
    expect(limiter.gain).toBeLessThan(0.2);
    const quiet = limit(() => new Int32Array(FRAME).fill(1000), 25, limiter);

    expect(limiter.gain).toBe(1);
    expect(quiet[quiet.length - 1]).toBe(1000);
    expect(rmsLevel({ samples: quiet, sampleRate: RATE })).toBeGreaterThan(-40);
  });

  it('passes a sum that fits untouched, 2.5 ms later', () => {
    const tone = new ToneSource(997, RATE, 0).next(FRAME);
    const out = new Int16Array(FRAME);
    new Limiter(FRAME).process(Int32Array.from(tone), out);

    expect([...out.subarray(DELAY)]).toEqual([...tone.subarray(0, FRAME - DELAY)]);
  });

  it('goes on as another one would, sample for sample', () => {
    const loud = (frame: number): Int32Array =>
      Int32Array.from(new ToneSource(300 + frame, RATE, 0).next(FRAME), (sample) => sample * 5);
    const one = new Limiter(FRAME);
    const other = new Limiter(FRAME);
    limit(loud, 7, one);
    other.copyFrom(one);

    expect([...limit(loud, 3, other)]).toEqual([...limit(loud, 3, one)]);
  });
});
