import { afterAll, describe, expect, it } from '@jest/globals';
import { configureOpus, createDecoder, createEncoder } from '../../../media/codec/index.ts';
import { audioCodec } from '../../../media/codecs.ts';
import { toneLevel } from '../../support/tone-meter.ts';

const RATE = 48_000;
const FRAME = 960;
const SECONDS = 3;
/** Those of three talkers, each at -12 dBFS. */
const TONES = [410, 670, 1010];
const AMPLITUDE = 32_767 * 10 ** (-12 / 20);
/** Nobody sends these: sums and differences, harmonics, and what lies between. */
const THIRD_TONES = [260, 340, 480, 600, 820, 1080, 1230, 1340, 1680, 2020, 2500, 2980, 3300];

/** What is heard of the tones that PCMU brought, dBFS by frequency: the median of half seconds. */
function heard(run: number): Map<number, number> {
  const [pcmu, opus] = [audioCodec('PCMU'), audioCodec('opus')];
  const talkers = TONES.map((tone, i) => ({
    tone,
    phase: 1.7 * run * (i + 1),
    encoder: createEncoder(pcmu, RATE, 20),
    decoder: createDecoder(pcmu, RATE),
  }));
  const encoder = createEncoder(opus, RATE, 20);
  const decoder = createDecoder(opus, RATE);
  const samples = new Int16Array(RATE * SECONDS);
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
    const octets = encoder.encode(mix, packet);
    decoder.decode(packet.subarray(0, octets), samples.subarray(from, from + FRAME));
  }
  for (const codec of [encoder, decoder]) codec.close?.();
  const pieces = [1, 2, 3, 4, 5].map((half) =>
    samples.subarray((half * RATE) / 2, ((half + 1) * RATE) / 2),
  );

  return new Map(
    [...TONES, ...THIRD_TONES].map((tone) => {
      const levels = pieces.map((piece) => toneLevel({ samples: piece, sampleRate: RATE }, tone));

      return [tone, levels.sort((a, b) => a - b)[2]!];
    }),
  );
}

describe('Opus and the tones of three talkers', () => {
  afterAll(() => {
    configureOpus({ bitrate: 40_000 });
  });

  it.each([40_000, 80_000])('%i bit/s add none above -40 dB of each', (bitrate) => {
    configureOpus({ bitrate });
    const runs = [0, 1, 2, 3].map(heard);
    const worst = (tones: readonly number[], of: (level: number) => number): number =>
      Math.max(...runs.flatMap((levels) => tones.map((tone) => of(levels.get(tone) ?? 0))));

    expect(worst(TONES, (level) => Math.abs(level + 12))).toBeLessThan(1);
    expect(worst(THIRD_TONES, (level) => level)).toBeLessThan(-52);
  });
});
