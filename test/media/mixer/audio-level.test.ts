import { describe, expect, it } from '@jest/globals';
import {
  levelToWire,
  measureLevel,
  SILENCE_DBOV,
  SpeechDetector,
} from '../../../media/mixer/audio-level.ts';
import { ToneSource } from '../../support/tone-source.ts';

function feed(detector: SpeechDetector, level: number, ms: number): void {
  for (let passed = 0; passed < ms; passed += 20) detector.update(level, 20);
}

describe('measureLevel', () => {
  it('is 0 dBov for a full-scale square wave, −3.01 for a full-scale sine (RFC 6465)', () => {
    const square = Int16Array.from({ length: 160 }, (_, i) => (i % 2 === 0 ? 32_767 : -32_767));

    expect(measureLevel(square)).toBe(0);
    expect(measureLevel(new ToneSource(1000, 8000, 0).next(1600))).toBeCloseTo(-3.01, 2);
  });

  it('is −127 for digital silence and never lower', () => {
    expect(measureLevel(new Int16Array(160))).toBe(SILENCE_DBOV);
    expect(measureLevel(new Int16Array(0))).toBe(SILENCE_DBOV);
  });

  it('is carried as its magnitude in seven bits (RFC 6464)', () => {
    expect([levelToWire(0), levelToWire(-30.4), levelToWire(-127), levelToWire(-200)]).toEqual([
      0, 30, 127, 127,
    ]);
  });
});

describe('SpeechDetector', () => {
  it('hears the first frame of speech, so that no word is cut', () => {
    const detector = new SpeechDetector();
    feed(detector, -75, 2000);

    expect(detector.update(-25, 20)).toBe(true);
  });

  it('says speaking only after 60 ms, so that a click marks nobody', () => {
    const detector = new SpeechDetector();
    detector.update(-20, 20);
    expect([detector.audible, detector.speaking]).toEqual([true, false]);
    feed(detector, -20, 60);

    expect(detector.speaking).toBe(true);
  });

  it('stays audible for 300 ms after the last sound', () => {
    const detector = new SpeechDetector();
    feed(detector, -25, 500);
    feed(detector, SILENCE_DBOV, 280);
    expect(detector.audible).toBe(true);
    feed(detector, SILENCE_DBOV, 20);

    expect(detector.audible).toBe(false);
  });

  it("does not take the line's own noise for speech", () => {
    const detector = new SpeechDetector();
    feed(detector, -60, 5000);

    expect(detector.audible).toBe(false);
  });

  it('hears a steady tone for as long as it lasts', () => {
    const detector = new SpeechDetector();
    feed(detector, -30, 60_000);

    expect(detector.speaking).toBe(true);
  });
});
