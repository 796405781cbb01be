import { describe, expect, it } from '@jest/globals';
import { createDecoder } from '../../../media/codec/index.ts';
import { audioCodec } from '../../../media/codecs.ts';
import { COMFORT_NOISE_DBOV } from '../../../media/mixer/comfort-noise.ts';
import { MixEncoder, usablePtime } from '../../../media/mixer/mix-encoder.ts';
import { RTP_HEADER_LENGTH } from '../../../media/rtp/index.ts';
import { rmsLevel, toneLevel } from '../../support/tone-meter.ts';
import { joinFrames, ToneSource } from '../../support/tone-source.ts';

/** Payloads of `frames` frames of the tone; frames for which `silent` says so are silence. */
function encode(
  encoder: MixEncoder,
  frames: number,
  silent: (frame: number) => boolean = () => false,
): Uint8Array[] {
  const tone = new ToneSource(440, encoder.sampleRate, -15);
  const payloads: Uint8Array[] = [];
  for (let i = 0; i < frames; i++) {
    const frame = tone.next(encoder.sampleRate / 50);
    encoder.push(silent(i) ? undefined : frame);
    while (encoder.next()) {
      payloads.push(
        encoder.packet.slice(RTP_HEADER_LENGTH, RTP_HEADER_LENGTH + encoder.payloadLength),
      );
    }
  }

  return payloads;
}

function decode(name: 'PCMU' | 'PCMA' | 'G722' | 'opus', payloads: Uint8Array[]): Int16Array {
  const codec = audioCodec(name);
  const decoder = createDecoder(codec, codec.sampleRate);
  const pcm = new Int16Array(codec.sampleRate);
  const signal = joinFrames(payloads.map((payload) => pcm.slice(0, decoder.decode(payload, pcm))));
  decoder.close();

  return signal;
}

describe('MixEncoder', () => {
  it.each([
    [10, 100],
    [20, 50],
    [30, 33],
    [40, 25],
    [60, 16],
  ])('fills packets of %d ms from frames of 20 ms, seamlessly', (ptime, count) => {
    const encoder = new MixEncoder(audioCodec('PCMU'), 8000, ptime);
    const payloads = encode(encoder, 50);
    const signal = { samples: decode('PCMU', payloads), sampleRate: 8000 };

    expect(payloads.map(({ length }) => length)).toEqual(Array(count).fill(ptime * 8));
    expect(toneLevel(signal, 440)).toBeCloseTo(-15, 0);
    expect(toneLevel(signal, 490)).toBeLessThan(-45);
  });

  it.each([
    ['PCMU', 8000],
    ['PCMA', 8000],
    ['G722', 16_000],
    ['opus', 48_000],
  ] as const)('sends %s comfort noise while nobody talks: no tone, no dead line', (name, rate) => {
    const encoder = new MixEncoder(audioCodec(name), rate, 20);
    const payloads = encode(encoder, 120, () => true);
    const samples = decode(name, payloads).slice(rate / 5);

    expect(payloads).toHaveLength(120);
    expect(Math.abs(rmsLevel({ samples, sampleRate: rate }) - COMFORT_NOISE_DBOV)).toBeLessThan(3);
    for (let at = 0; at + rate / 50 <= samples.length; at += rate / 50) {
      const part = { samples: samples.slice(at, at + rate / 50), sampleRate: rate };
      expect(Math.abs(rmsLevel(part) - COMFORT_NOISE_DBOV)).toBeLessThan(10);
    }
  });

  it('sends Opus noise that was encoded before, and talks on as if it had not', () => {
    const encoder = new MixEncoder(audioCodec('opus'), 48_000, 20);
    const payloads = encode(encoder, 130, (frame) => frame >= 30 && frame < 110);
    const quiet = payloads.slice(35, 110).map((payload) => Buffer.from(payload).toString('hex'));
    const samples = decode('opus', payloads);

    expect(new Set(quiet).size).toBe(24);
    const after = { samples: samples.slice(960 * 115), sampleRate: 48_000 };
    expect(Math.abs(toneLevel(after, 440) + 15)).toBeLessThan(1.5);
  });

  it('keeps a stream with DTX alive with one packet in 400 ms of silence', () => {
    const encoder = new MixEncoder(audioCodec('opus'), 48_000, 20, 'usedtx=1');
    const payloads = encode(encoder, 160, (frame) => frame >= 30);
    const silent = payloads.slice(60);

    expect(silent.filter(({ length }) => length > 0)).toHaveLength(silent.length / 20);
    expect(payloads.slice(1, 30).every(({ length }) => length > 10)).toBe(true);
  });

  it('goes on in the state of the encoder that it was aligned with', () => {
    const shared = new MixEncoder(audioCodec('G722'), 48_000, 20);
    const own = new MixEncoder(audioCodec('G722'), 48_000, 20);
    encode(shared, 10);
    own.alignWith(shared);

    expect(encode(own, 5)).toEqual(encode(shared, 5));
  });

  it('finishes its packets with another one that it was aligned with', () => {
    const shared = new MixEncoder(audioCodec('PCMU'), 8000, 40);
    const own = new MixEncoder(audioCodec('PCMU'), 8000, 40);
    encode(shared, 3);
    own.alignWith(shared);

    expect(encode(shared, 4).length).toBe(2);
    expect(encode(own, 4).length).toBe(2);
    expect(own.pendingSamples).toBe(shared.pendingSamples);
  });

  it('takes a packet time that the codec can fill for one that it cannot', () => {
    expect([10, 20, 25, 30, 60, 200, 0].map((ms) => usablePtime(audioCodec('PCMU'), ms))).toEqual([
      10, 20, 30, 30, 60, 20, 20,
    ]);
    expect([10, 20, 30, 40, 60].map((ms) => usablePtime(audioCodec('opus'), ms))).toEqual([
      10, 20, 20, 40, 60,
    ]);
  });
});
