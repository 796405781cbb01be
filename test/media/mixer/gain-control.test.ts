import { describe, expect, it } from '@jest/globals';
import { measureLevel } from '../../../media/mixer/audio-level.ts';
import { GainControl } from '../../../media/mixer/gain-control.ts';
import { ToneSource } from '../../support/tone-source.ts';

const RATE = 8000;
const FRAME = 160;

/** Seconds of a voice at `level` dBov through it; answers what came out last, and the greatest step of the gain. */
function speak(
  control: GainControl,
  level: number,
  seconds: number,
): { level: number; step: number } {
  const tone = new ToneSource(500, RATE, level + 3.01);
  let last: Int16Array = new Int16Array(FRAME);
  let step = 0;
  for (let i = 0; i < seconds * 50; i++) {
    const before = control.gainDb;
    last = tone.next(FRAME);
    control.process(last, level, true);
    step = Math.max(step, Math.abs(control.gainDb - before));
  }

  return { level: measureLevel(last), step };
}

describe('GainControl', () => {
  it('brings a soft and a loud voice near the nominal level, unheard', () => {
    const soft = speak(new GainControl(), -36, 10);
    const loud = speak(new GainControl(), -16, 10);

    expect(Math.abs(soft.level + 30)).toBeLessThan(0.5);
    expect(Math.abs(loud.level + 22)).toBeLessThan(0.5);
    expect(Math.max(soft.step, loud.step)).toBeLessThan(0.25);
  });

  it('leaves a voice that is right as it is, bit for bit', () => {
    const control = new GainControl();
    const frame = new ToneSource(500, RATE, -23).next(FRAME);
    const before = frame.slice();
    for (let i = 0; i < 100; i++) control.process(frame, -26, true);

    expect([...frame]).toEqual([...before]);
  });

  it('raises nothing by more than 12 dB, and nothing in a pause', () => {
    const control = new GainControl();
    speak(control, -50, 20);
    expect(control.gainDb).toBeCloseTo(12, 5);
    const paused = new GainControl();
    for (let i = 0; i < 500; i++) paused.process(new Int16Array(FRAME), -60, false);

    expect(paused.gainDb).toBe(0);
  });

  it('never wraps when a soft voice shouts', () => {
    const control = new GainControl();
    speak(control, -40, 20);
    const shout = new ToneSource(500, RATE, 0).next(FRAME);
    const before = shout.slice();
    control.process(shout, -3, true);

    expect(shout.every((sample, i) => sample * before[i]! >= 0)).toBe(true);
  });
});
