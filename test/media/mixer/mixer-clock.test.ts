import { describe, expect, it } from '@jest/globals';
import { MixerClock } from '../../../media/mixer/mixer-clock.ts';
import { FakeClock } from '../../support/fake-clock.ts';

describe('MixerClock', () => {
  it('owes one frame every 20 ms, whenever it is asked', () => {
    const clock = new FakeClock();
    const mixerClock = new MixerClock(clock);
    const owed: number[] = [];
    for (const step of [19, 2, 18, 1, 25, 15, 20]) {
      clock.advance(step);
      owed.push(mixerClock.owed());
    }

    expect(owed).toEqual([0, 1, 0, 1, 1, 1, 1]);
    expect(mixerClock.lateFrames).toBe(0);
  });

  it('does not drift when every timer fires late', () => {
    const clock = new FakeClock();
    const mixerClock = new MixerClock(clock);
    let frames = 0;
    while (clock.now() < 60_000) {
      clock.advance(mixerClock.untilNext() + 3.7);
      frames += mixerClock.owed();
    }

    expect(frames).toBe(Math.floor(clock.now() / 20));
  });

  it('catches up a short delay and counts what was late', () => {
    const clock = new FakeClock();
    const mixerClock = new MixerClock(clock);
    clock.advance(67);

    expect(mixerClock.owed()).toBe(3);
    expect([mixerClock.lateFrames, mixerClock.skipped]).toEqual([2, 0]);
    expect(mixerClock.untilNext()).toBe(13);
  });

  it('gives up on what is too old, once', () => {
    const clock = new FakeClock();
    const mixerClock = new MixerClock(clock);
    clock.advance(1000);

    expect(mixerClock.owed()).toBe(5);
    expect(mixerClock.skipped).toBe(45);
    clock.advance(20);
    expect(mixerClock.owed()).toBe(1);
    expect([mixerClock.lateFrames, mixerClock.skipped]).toEqual([49, 0]);
  });
});
