import { describe, expect, it } from '@jest/globals';
import { AudioMixer, fadeIn, fadeOut } from '../../../media/mixer/audio-mixer.ts';
import { Limiter } from '../../../media/mixer/limiter.ts';
import { toneLevel } from '../../support/tone-meter.ts';
import { joinFrames, ToneSource } from '../../support/tone-source.ts';

const RATE = 8000;
const FRAME = 160;
/** How far the mix is behind what was added: one block of the limiter. */
const DELAY = FRAME / 8;

/** Mixes `count` frames of the tones; answers everyone's mix and each one's own. */
function mixTones(tones: ToneSource[], count: number): { everyone: Int16Array; own: Int16Array[] } {
  const mixer = new AudioMixer(FRAME);
  const limiters = tones.map(() => new Limiter(FRAME));
  const everyone: Int16Array[] = [];
  const own: Int16Array[][] = tones.map(() => []);
  for (let i = 0; i < count; i++) {
    const frames = tones.map((tone) => tone.next(FRAME));
    mixer.begin();
    for (const frame of frames) mixer.add(frame);
    everyone.push(mixer.finish()!.slice());
    frames.forEach((frame, index) => {
      const out = new Int16Array(FRAME);
      mixer.without(frame, limiters[index]!, out);
      own[index]!.push(out);
    });
  }

  return { everyone: joinFrames(everyone), own: own.map(joinFrames) };
}

function levelOf(samples: Int16Array, frequency: number): number {
  return toneLevel({ samples, sampleRate: RATE }, frequency);
}

describe('AudioMixer', () => {
  it('gives everyone the sum, each tone as loud as it was sent', () => {
    const { everyone } = mixTones(
      [440, 660, 880].map((frequency) => new ToneSource(frequency, RATE, -18)),
      100,
    );

    for (const frequency of [440, 660, 880]) {
      expect(Math.abs(levelOf(everyone, frequency) + 18)).toBeLessThan(0.1);
    }
  });

  it('gives a talker everybody but itself', () => {
    const frequencies = [440, 660, 880];
    const { own } = mixTones(
      frequencies.map((frequency) => new ToneSource(frequency, RATE, -18)),
      100,
    );

    own.forEach((mix, index) => {
      frequencies.forEach((frequency, other) => {
        const level = levelOf(mix, frequency);
        if (other === index) expect(level).toBeLessThan(-80);
        else expect(Math.abs(level + 18)).toBeLessThan(0.1);
      });
    });
  });

  it('leaves a single talker at full scale as it is, bit for bit, 2.5 ms later', () => {
    const tone = new ToneSource(1000, RATE, 0);
    const mixer = new AudioMixer(FRAME);
    const frames = Array.from({ length: 3 }, () => tone.next(FRAME));
    const mixed = frames.map((frame) => {
      mixer.begin();
      mixer.add(frame);

      return mixer.finish()!.slice();
    });

    expect([...joinFrames(mixed).subarray(DELAY)]).toEqual([
      ...joinFrames(frames).subarray(0, 3 * FRAME - DELAY),
    ]);
  });

  it('gives a talker exactly what the others are without it, bit for bit', () => {
    const tones = [440, 660, 880].map((frequency) => new ToneSource(frequency, RATE, -12));
    const all = new AudioMixer(FRAME);
    const others = new AudioMixer(FRAME);
    const limiter = new Limiter(FRAME);
    for (let i = 0; i < 20; i++) {
      const frames = tones.map((tone) => tone.next(FRAME));
      all.begin();
      others.begin();
      frames.forEach((frame, index) => {
        all.add(frame);
        if (index > 0) others.add(frame);
      });
      const own = new Int16Array(FRAME);
      all.finish();
      all.without(frames[0]!, limiter, own);

      expect([...own]).toEqual([...others.finish()!]);
    }
  });

  it('is silent when nobody talks, once the last of it has come out', () => {
    const mixer = new AudioMixer(FRAME);
    mixer.begin();
    mixer.add(new ToneSource(440, RATE).next(FRAME));
    mixer.finish();
    mixer.begin();
    const rest = mixer.finish()!;
    expect(rest.subarray(0, DELAY).some((sample) => sample !== 0)).toBe(true);
    expect(rest.subarray(DELAY).every((sample) => sample === 0)).toBe(true);
    mixer.begin();

    expect(mixer.finish()).toBeUndefined();
  });

  it('refuses a frame of another length', () => {
    expect(() => {
      new AudioMixer(FRAME).add(new Int16Array(80));
    }).toThrow(TypeError);
  });
});

describe('fades', () => {
  it('start at nothing and end at nothing', () => {
    const rising = new Int16Array(FRAME).fill(1000);
    const falling = new Int16Array(FRAME).fill(1000);
    fadeIn(rising, 40);
    fadeOut(falling, 40);

    expect([rising[0], rising[20], rising[40]]).toEqual([0, 500, 1000]);
    expect([falling[0]! > 950, falling[39], falling[40], falling[159]]).toEqual([true, 0, 0, 0]);
  });
});
