import { describe, expect, it } from '@jest/globals';
import { createEncoder } from '../../../media/codec/index.ts';
import { audioCodec, type AudioCodec } from '../../../media/codecs.ts';
import { MixerInput } from '../../../media/mixer/mixer-input.ts';
import { RtpPacketView, writeRtp } from '../../../media/rtp/index.ts';
import { longestGapMs, slice, toneLevel, type Signal } from '../../support/tone-meter.ts';
import { joinFrames, ToneSource } from '../../support/tone-source.ts';

interface Sent {
  at: number;
  packet: RtpPacketView;
}

/** Packets of a 440 Hz tone with the time at which each arrives. */
function toneStream(
  codec: AudioCodec,
  count: number,
  options: { ptime?: number; arrival?: (index: number) => number; ssrc?: number } = {},
): Sent[] {
  const ptime = options.ptime ?? 20;
  const encoder = createEncoder(codec, codec.sampleRate, ptime);
  const tone = new ToneSource(440, codec.sampleRate, -15);
  const payload = new Uint8Array(1400);
  const sent = Array.from({ length: count }, (_, index) => {
    const length = encoder.encode(tone.next(encoder.frameSamples), payload);
    const out = new Uint8Array(1500);
    const octets = writeRtp(out, {
      marker: index === 0,
      payloadType: codec.payloadType,
      sequenceNumber: index,
      timestamp: (index * codec.clockRate * ptime) / 1000,
      ssrc: options.ssrc ?? 1,
      payload: payload.subarray(0, length),
    });
    const packet = new RtpPacketView();
    packet.parse(out.slice(0, octets));

    return { at: options.arrival?.(index) ?? index * ptime + 3, packet };
  });
  encoder.close();

  return sent.filter(({ at }) => Number.isFinite(at)).sort((left, right) => left.at - right.at);
}

/** Plays what arrives into the input and answers what it gives, tick by tick. */
function play(
  input: MixerInput,
  codec: AudioCodec,
  stream: Sent[],
  rate: number,
  options: { ms?: number; level?: number } = {},
): Signal {
  const end = options.ms ?? stream.at(-1)!.at;
  const frames: Int16Array[] = [];
  let next = 0;
  for (let now = 0; now <= end; now += 20) {
    while (next < stream.length && stream[next]!.at <= now) {
      const { packet, at } = stream[next++]!;
      input.push(packet, codec, at, options.level);
    }
    input.tick(now);
    frames.push(input.frame().slice());
  }

  return { samples: joinFrames(frames), sampleRate: rate };
}

describe('MixerInput', () => {
  it.each([
    ['PCMU', 8000, 20],
    ['PCMU', 48_000, 20],
    ['PCMA', 48_000, 30],
    ['PCMA', 8000, 10],
    ['opus', 48_000, 20],
    ['opus', 8000, 60],
  ] as const)('gives %s at %d Hz from packets of %d ms as it was sent', (name, rate, ptime) => {
    const codec = audioCodec(name);
    const input = new MixerInput(rate);
    const signal = play(input, codec, toneStream(codec, 2400 / ptime, { ptime }), rate);
    input.close();

    const settled = slice(signal, 0.4);
    expect(Math.abs(toneLevel(settled, 440) + 15)).toBeLessThan(1);
    expect(longestGapMs(settled)).toBeLessThan(3);
    expect(input.speaking).toBe(true);
    expect(Math.abs(input.level + 18)).toBeLessThan(1);
  });

  it('puts packets back into order', () => {
    const codec = audioCodec('PCMU');
    const input = new MixerInput(8000);
    const swapped = toneStream(codec, 150, {
      arrival: (index) => (index % 10 === 5 ? index * 20 + 24 : index * 20 + 3),
    });
    const settled = slice(play(input, codec, swapped, 8000), 1);

    expect(Math.abs(toneLevel(settled, 440) + 15)).toBeLessThan(1);
    expect(longestGapMs(settled)).toBeLessThan(3);
  });

  it('leaves no hole where single packets were lost', () => {
    const codec = audioCodec('PCMU');
    const input = new MixerInput(8000);
    const lossy = toneStream(codec, 150, {
      arrival: (index) => (index % 12 === 7 ? Number.NaN : index * 20 + 3),
    });

    expect(longestGapMs(slice(play(input, codec, lossy, 8000), 0.4))).toBeLessThan(5);
  });

  it('falls silent when the sender stops, and is heard again when it goes on', () => {
    const codec = audioCodec('PCMU');
    const input = new MixerInput(8000);
    const pausing = toneStream(codec, 200, {
      arrival: (index) => (index >= 50 && index < 150 ? Number.NaN : index * 20 + 3),
    });
    const signal = play(input, codec, pausing, 8000);

    expect(toneLevel(slice(signal, 1.4, 2.8), 440)).toBeLessThan(-70);
    expect(Math.abs(toneLevel(slice(signal, 3.3, 3.9), 440) + 15)).toBeLessThan(1);
    expect(input.starvedFrames).toBeGreaterThan(0);
  });

  it('does not decode what its sender says is silent, and does as soon as it is not', () => {
    const codec = audioCodec('opus');
    const input = new MixerInput(48_000);
    const stream = toneStream(codec, 100);
    const silent = play(input, codec, stream.slice(0, 50), 48_000, { level: -100, ms: 1000 });
    expect(input.audible).toBe(false);
    expect(toneLevel(silent, 440)).toBeLessThan(-100);
    input.push(stream[50]!.packet, codec, 1003, -20);

    expect(input.audible).toBe(true);
  });

  it.each([10, 20, 60])(
    'does not decode a quiet G.711 phone, and misses no word: %i ms',
    (ptime) => {
      const codec = audioCodec('PCMU');
      const input = new MixerInput(8000);
      const stream = toneStream(codec, 1200 / ptime, { ptime });
      // A quiet line for half a second, the tone from then on.
      for (const { packet } of stream.slice(0, 600 / ptime)) packet.payload().fill(0xfe);
      const frames: Int16Array[] = [];
      let next = 0;
      let quiet = 0;
      for (let now = 0; now < 1200; now += 20) {
        while (next < stream.length && stream[next]!.at <= now) {
          input.push(stream[next]!.packet, codec, stream[next++]!.at);
        }
        input.tick(now);
        if (!input.audible) quiet++;
        frames.push(input.audible ? input.frame().slice() : new Int16Array(160));
      }
      const heard = { samples: joinFrames(frames), sampleRate: 8000 };

      expect(quiet).toBeGreaterThan(25);
      expect(toneLevel(slice(heard, 0, 0.55), 440)).toBeLessThan(-60);
      expect(toneLevel(slice(heard, 0.8, 1.1), 440)).toBeGreaterThan(-16);
      const first = heard.samples.findIndex((sample) => Math.abs(sample) > 1000) / 8;
      expect(first).toBeGreaterThan(590);
      expect(first).toBeLessThan(700);
      expect(longestGapMs(slice(heard, 0.75, 1.1))).toBeLessThan(5);
    },
  );

  it('forgets the old source when it is reset', () => {
    const codec = audioCodec('PCMU');
    const input = new MixerInput(8000);
    play(input, codec, toneStream(codec, 50), 8000);
    input.reset();
    input.tick(1020);

    expect(input.audible).toBe(false);
    expect(input.frame(true).every((sample) => sample === 0)).toBe(true);
  });

  it('follows a phone that changes between PCMU and PCMA', () => {
    const input = new MixerInput(8000);
    play(input, audioCodec('PCMU'), toneStream(audioCodec('PCMU'), 50), 8000);
    const other = toneStream(audioCodec('PCMA'), 100, { ssrc: 2 });
    const signal = play(input, audioCodec('PCMA'), other, 8000);

    expect(input.codec?.name).toBe('PCMA');
    expect(Math.abs(toneLevel(slice(signal, 0.4), 440) + 15)).toBeLessThan(1);
  });

  it('plays on at another mix rate', () => {
    const codec = audioCodec('PCMU');
    const input = new MixerInput(8000);
    const stream = toneStream(codec, 150);
    play(input, codec, stream.slice(0, 50), 8000);
    input.setMixRate(48_000);
    const frames: Int16Array[] = [];
    for (let i = 50; i < 150; i++) {
      input.push(stream[i]!.packet, codec, i * 20 + 3);
      input.tick(i * 20 + 10);
      frames.push(input.frame().slice());
    }
    const signal = slice({ samples: joinFrames(frames), sampleRate: 48_000 }, 0.2);

    expect(Math.abs(toneLevel(signal, 440) + 15)).toBeLessThan(1);
  });
});
