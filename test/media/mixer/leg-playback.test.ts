import { describe, expect, it } from '@jest/globals';
import { LegPlayback } from '../../../media/mixer/leg-playback.ts';
import type { Sound } from '../../../media/media-api.ts';

const RATE = 8000;
const FRAME = RATE / 50;

/** Full of one value, so that gains can be read off. */
function sound(value: number, frames: number): Sound {
  return { rate: RATE, samples: new Int16Array(frames * FRAME).fill(value) };
}

function setup(): { playback: LegPlayback; over: [number, boolean][]; next: () => Int16Array } {
  const over: [number, boolean][] = [];
  const playback = new LegPlayback((id, complete) => over.push([id, complete]));
  const mix = new Int16Array(FRAME).fill(1000);

  return { playback, over, next: () => (playback.process(mix, RATE) ?? mix).slice() };
}

/** The largest step between two neighbours: what would click. */
function largestStep(frames: Int16Array[]): number {
  const samples = frames.flatMap((frame) => [...frame]);

  return Math.max(...samples.slice(1).map((value, i) => Math.abs(value - samples[i]!)));
}

describe('what one phone alone hears', () => {
  it('is the mix itself while nothing is played to it', () => {
    const { playback, next } = setup();

    expect(playback.active).toBe(false);
    expect(new Set(next())).toEqual(new Set([1000]));
  });

  it('plays announcements one after the other and says when each was heard', () => {
    const { playback, over, next } = setup();
    playback.play(1, [sound(4000, 2), sound(5000, 1)]);
    playback.play(2, [sound(6000, 1)]);
    const first = [next(), next(), next()];

    expect(first.map((frame) => Math.round(frame[0]! / 1000))).toEqual([5, 5, 6]);
    expect(over).toEqual([[1, true]]);
    expect(next()[FRAME - 1]).toBe(6000 + 250);
    expect(over).toEqual([
      [1, true],
      [2, true],
    ]);
  });

  it('lowers the others under an announcement and brings them back, both in a slope', () => {
    const { playback, next } = setup();
    const frames = [next()];
    playback.play(1, [sound(0, 20)]);
    for (let i = 0; i < 20; i++) frames.push(next());

    expect(frames.at(-1)![0]).toBe(250);
    for (let i = 0; i < 10; i++) frames.push(next());
    expect(frames.at(-1)![0]).toBe(1000);
    expect(playback.active).toBe(false);
    expect(largestStep(frames)).toBeLessThan(10);
  });

  it('stops at a key within a frame, and drops what waits', () => {
    const { playback, over, next } = setup();
    playback.play(1, [sound(8000, 50)]);
    playback.play(2, [sound(8000, 50)]);
    next();
    playback.stop();

    expect(over).toEqual([[2, false]]);
    const last = next();
    expect(over).toEqual([
      [2, false],
      [1, false],
    ]);
    expect(Math.abs(last[FRAME - 1]! - next()[0]!)).toBeLessThan(100);
  });

  it('plays music in a circle, silent under an announcement, without a click', () => {
    const { playback, next } = setup();
    const frames = [next()];
    playback.setMusic([sound(10_000, 3)]);
    for (let i = 0; i < 12; i++) frames.push(next());
    expect(frames.at(-1)![0]).toBe(1000 + 3500);
    playback.play(1, [sound(0, 12)]);
    for (let i = 0; i < 12; i++) frames.push(next());
    expect(frames.at(-1)![0]).toBe(250);
    for (let i = 0; i < 12; i++) frames.push(next());
    expect(frames.at(-1)![0]).toBe(1000 + 3500);
    playback.setMusic([]);
    for (let i = 0; i < 12; i++) frames.push(next());

    expect(frames.at(-1)![0]).toBe(1000);
    expect(playback.active).toBe(false);
    expect(largestStep(frames)).toBeLessThan(20);
  });

  it('makes the others louder for this phone alone, and never wraps', () => {
    const { playback, next } = setup();
    playback.setHearingGain(4);
    for (let i = 0; i < 10; i++) next();

    expect(next()[0]).toBe(4000);
    expect(playback.active).toBe(true);
    playback.setHearingGain(100);
    for (let i = 0; i < 40; i++) next();
    expect(next()[0]).toBeGreaterThan(30_000);
  });

  it('takes no more than a handful of announcements', () => {
    const { playback, over } = setup();
    for (let id = 1; id <= 10; id++) playback.play(id, [sound(1, 1)]);

    expect(over).toEqual([
      [9, false],
      [10, false],
    ]);
  });
});
