import { describe, expect, it } from '@jest/globals';
import {
  longestGapMs,
  noiseFloorAround,
  parseWav,
  peakLevel,
  toneAboveFloor,
  toneLevel,
} from './tone-meter.ts';
import { ToneSource } from './tone-source.ts';

const RATE = 8000;

function tone(frequency: number, level: number, seconds = 1): Int16Array {
  return new ToneSource(frequency, RATE, level).next(RATE * seconds);
}

function wav(samples: Int16Array, dataSize = samples.length * 2): Buffer {
  const header = Buffer.alloc(44);
  header.write('RIFF', 0, 'latin1');
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(RATE, 24);
  header.writeUInt16LE(16, 34);
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(dataSize, 40);

  return Buffer.concat([header, Buffer.from(samples.buffer)]);
}

describe('tone meter', () => {
  it('measures a tone in dBFS and does not see it 100 Hz beside', () => {
    const signal = { samples: tone(440, -20), sampleRate: RATE };

    expect(toneLevel(signal, 440)).toBeCloseTo(-20, 1);
    expect(toneLevel(signal, 540)).toBeLessThan(-80);
    expect(peakLevel(signal)).toBeCloseTo(-20, 1);
  });

  it('tells a tone from noise by its surroundings', () => {
    let seed = 7;
    const samples = tone(440, -30).map((sample) => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) | 0;

      return sample + (seed >> 21);
    });
    const signal = { samples, sampleRate: RATE };

    expect(toneAboveFloor(signal, 440)).toBeGreaterThan(20);
    expect(Math.abs(toneAboveFloor(signal, 1440))).toBeLessThan(12);
    expect(noiseFloorAround(signal, 440)).toBeLessThan(-45);
  });

  it('measures the longest hole in a signal', () => {
    const samples = tone(440, -20);
    samples.fill(0, 1000, 1400);

    expect(longestGapMs({ samples, sampleRate: RATE })).toBeGreaterThanOrEqual(50);
    expect(longestGapMs({ samples, sampleRate: RATE })).toBeLessThan(52);
  });

  it.each([0, 0xffff_ffff, 99_999])('reads a WAV whose data size is %d', (size) => {
    const samples = tone(440, -20);

    expect(parseWav(wav(samples, size)).samples.length).toBe(samples.length);
  });

  it('stops where an honest data size says', () => {
    expect(parseWav(wav(tone(440, -20), 200)).samples.length).toBe(100);
  });
});
