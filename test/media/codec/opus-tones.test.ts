import { afterAll, describe, expect, it } from '@jest/globals';
import { configureOpus, createDecoder, createEncoder } from '../../../media/codec/index.ts';
import { audioCodec } from '../../../media/codecs.ts';
import { toneLevel } from '../../support/tone-meter.ts';

const RATE = 48_000;
const FRAME = 960;
const SECONDS = 3;
/** Those of three talkers, each at -12 dBFS. */
const TRIPLES = [
  [410, 670, 1010],
  [440, 1000, 1700],
  [350, 440, 620],
  [500, 900, 1500],
  [330, 810, 2050],
];
const AMPLITUDE = 32_767 * 10 ** (-12 / 20);
/** Hz between the tones that are looked for, and how near to one that is sent. */
const STEP = 50;
const NEAREST = 55;
const HIGHEST = 3500;
/** dBFS: what a talker's G.711 adds by itself is not Opus'. */
const OF_G711 = -58;

/** What Opus makes of the tones that PCMU brings: dBFS of each tone, and of the loudest that nobody sends. */
function heard(tones: readonly number[], run: number): { sent: number[]; loudestOther: number } {
  const [pcmu, opus] = [audioCodec('PCMU'), audioCodec('opus')];
  const talkers = tones.map((tone, i) => ({
    tone,
    phase: 1.7 * run * (i + 1),
    encoder: createEncoder(pcmu, RATE, 20),
    decoder: createDecoder(pcmu, RATE),
  }));
  const encoder = createEncoder(opus, RATE, 20);
  const decoder = createDecoder(opus, RATE);
  const samples = new Int16Array(RATE * SECONDS);
  const before = new Int16Array(RATE * SECONDS);
  const [one, mix, packet] = [new Int16Array(FRAME), new Int16Array(FRAME), new Uint8Array(1500)];
  for (let from = 0; from < samples.length; from += FRAME) {
    mix.fill(0);
    for (const talker of talkers) {
      const turn = (2 * Math.PI * talker.tone) / RATE;
      for (let i = 0; i < FRAME; i++) {
        one[i] = AMPLITUDE * Math.sin(turn * (from + i) + talker.phase);
      }
      const octets = talker.encoder.encode(one, packet);
      talker.decoder.decode(packet.subarray(0, octets), one);
      for (let i = 0; i < FRAME; i++) mix[i]! += one[i]!;
    }
    before.set(mix, from);
    const octets = encoder.encode(mix, packet);
    decoder.decode(packet.subarray(0, octets), samples.subarray(from, from + FRAME));
  }
  for (const codec of [encoder, decoder]) codec.close?.();
  const others = Array.from(
    { length: HIGHEST / STEP },
    (_unused, index) => STEP * (index + 4),
  ).filter(
    (other) =>
      tones.every((tone) => Math.abs(tone - other) >= NEAREST) && levelOf(before, other) < OF_G711,
  );

  return {
    sent: tones.map((tone) => levelOf(samples, tone)),
    loudestOther: Math.max(...others.map((other) => levelOf(samples, other))),
  };
}

/** The median of half seconds. */
function levelOf(samples: Int16Array, tone: number): number {
  const levels = [1, 2, 3, 4, 5].map((half) => {
    const piece = samples.subarray((half * RATE) / 2, ((half + 1) * RATE) / 2);

    return toneLevel({ samples: piece, sampleRate: RATE }, tone);
  });

  return levels.sort((a, b) => a - b)[2]!;
}

describe('Opus and the tones of three talkers', () => {
  afterAll(() => {
    configureOpus({ bitrate: 80_000 });
  });

  it.each([
    [40_000, TRIPLES.slice(0, 1)],
    [80_000, TRIPLES],
  ])('%i bit/s add none above -40 dB of each', (bitrate, triples) => {
    configureOpus({ bitrate });
    const runs = triples.flatMap((tones) => [0, 1, 2].map((run) => heard(tones, run)));

    for (const { sent, loudestOther } of runs) {
      for (const level of sent) expect(Math.abs(level + 12)).toBeLessThan(1);
      expect(loudestOther).toBeLessThan(-52);
    }
  });
});
