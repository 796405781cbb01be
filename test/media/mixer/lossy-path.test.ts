import { describe, expect, it, jest } from '@jest/globals';
import { createDecoder, createEncoder, type AudioDecoder } from '../../../media/codec/index.ts';
import { audioCodec, type AudioCodec, type AudioCodecName } from '../../../media/codecs.ts';
import { MixerInput } from '../../../media/mixer/mixer-input.ts';
import { RtpPacketView, writeRtp } from '../../../media/rtp/index.ts';
import { segmentsOf } from '../../support/segmental-snr.ts';
import { spectralDistance } from '../../support/spectral-distance.ts';
import { toneLevel } from '../../support/tone-meter.ts';

const RATE = 8000;
const TICK = RATE / 50;

/** 0 … 1, the same in every run. */
function randomFrom(seed: number): () => number {
  let state = seed;

  return () => (state = (state * 16_807) % 2_147_483_647) / 2_147_483_647;
}

/** Something like speech: syllables of a voice that glides between 110 and 190 Hz. */
function speech(sampleRate: number, seconds: number): Int16Array {
  const pcm = new Int16Array(sampleRate * seconds);
  let phase = 0;
  for (let i = 0; i < pcm.length; i++) {
    const t = i / sampleRate;
    phase += (2 * Math.PI * (150 + 40 * Math.sin(2 * Math.PI * 0.7 * t))) / sampleRate;
    let sum = 0;
    for (let n = 1; n <= 18; n++) {
      const formant = 1 / (1 + ((n * 150 - 700) / 500) ** 2);
      sum += formant * Math.sin(n * phase + n * n);
    }
    const syllable = Math.max(0.08, Math.sin(2 * Math.PI * 2.2 * t)) ** 0.7;
    pcm[i] = Math.round(3500 * sum * syllable);
  }

  return pcm;
}

interface Path {
  /** Packets lost, as a share. */
  loss?: number;
  /** Milliseconds: each packet is late by 0 … jitter. */
  jitter?: number;
  ptime?: number;
  /** The encoder is told of that much loss, as receiver reports do: percent. */
  reported?: number;
}

/** What the mixer has of `pcm` when it was sent over the path, and how late that is in samples. */
function sendOver(name: AudioCodecName, pcm: (rate: number) => Int16Array, path: Path): Int16Array {
  const codec = audioCodec(name);
  const { loss = 0, jitter = 0, ptime = 20, reported = 0 } = path;
  const encoder = createEncoder(codec, codec.sampleRate, ptime, 'useinbandfec=1');
  encoder.expectLoss(reported);
  const source = pcm(codec.sampleRate);
  const random = randomFrom(7);
  const packets: { at: number; view: RtpPacketView }[] = [];
  for (let i = 0; (i + 1) * encoder.frameSamples <= source.length; i++) {
    const payload = encodeOne(encoder, source.subarray(i * encoder.frameSamples));
    const view = packetOf(codec, i, ptime, payload);
    const at = 5 + i * ptime + random() * jitter;
    if (random() >= loss || i < 10) packets.push({ at, view });
  }
  encoder.close();
  packets.sort((left, right) => left.at - right.at);

  return listen(codec, packets, Math.floor(source.length / (codec.sampleRate / 50)));
}

function encodeOne(encoder: ReturnType<typeof createEncoder>, pcm: Int16Array): Uint8Array {
  const payload = new Uint8Array(1400);

  return payload.slice(0, encoder.encode(pcm, payload));
}

function packetOf(
  codec: AudioCodec,
  index: number,
  ptime: number,
  payload: Uint8Array,
): RtpPacketView {
  const out = new Uint8Array(payload.length + 12);
  writeRtp(out, {
    marker: false,
    payloadType: codec.payloadType,
    sequenceNumber: index & 0xffff,
    timestamp: (index * codec.clockRate * ptime) / 1000,
    ssrc: 9,
    payload,
  });
  const view = new RtpPacketView();
  view.parse(out);

  return view;
}

function listen(
  codec: AudioCodec,
  packets: { at: number; view: RtpPacketView }[],
  ticks: number,
): Int16Array {
  const input = new MixerInput(RATE);
  const heard = new Int16Array(ticks * TICK);
  let next = 0;
  for (let tick = 0; tick < ticks; tick++) {
    const now = tick * 20;
    for (; next < packets.length && packets[next]!.at <= now; next++) {
      input.push(packets[next]!.view, codec, packets[next]!.at);
    }
    input.tick(now);
    heard.set(input.frame(), tick * TICK);
  }
  input.close();

  return heard;
}

/** As decoders that know no better: silence where a packet is missing. */
function silenceInstead(name: AudioCodecName): () => void {
  const codec = audioCodec(name);
  const decoder = createDecoder(codec, codec.sampleRate);
  const kind = Object.getPrototypeOf(decoder) as AudioDecoder;
  decoder.close?.();
  const silence = (out: Int16Array, samples: number): number => {
    out.fill(0, 0, samples);

    return samples;
  };
  const conceal = jest.spyOn(kind, 'conceal').mockImplementation(silence);
  const recover = jest
    .spyOn(kind, 'recover')
    .mockImplementation((_next, out, samples) => silence(out, samples));

  return () => {
    const calls = conceal.mock.calls.length + recover.mock.calls.length;
    conceal.mockRestore();
    recover.mockRestore();
    expect(calls).toBeGreaterThan(0);
  };
}

describe('a path that loses 5 % and jitters by 40 ms', () => {
  const pcm = (rate: number): Int16Array => speech(rate, 5);
  const path: Path = { loss: 0.05, jitter: 40 };
  /** dB, of the twentieth of all segments that fits least to how it sounds without losses. */
  const distance = (name: AudioCodecName, reported = 0): number => {
    const clean = sendOver(name, pcm, { reported });
    const lossy = sendOver(name, pcm, { ...path, reported });

    return spectralDistance(clean, lossy, segmentsOf(clean, lossy), 0.05);
  };

  const asItIs = new Map<AudioCodecName, number>();

  it.each<AudioCodecName>(['PCMU', 'G722', 'opus'])(
    'is nearer in %s to how it was said than with silence for what is lost',
    (name) => {
      const concealed = distance(name);
      asItIs.set(name, concealed);
      const restore = silenceInstead(name);
      const silent = distance(name);
      restore();

      expect(concealed).toBeLessThan(silent / 2);
    },
  );

  it('is nearer in Opus with copies of what is lost', () => {
    expect(distance('opus', 10)).toBeLessThan(asItIs.get('opus') ?? 0);
  });
});

describe('a sender whose clock is 200 ppm off, for 10 minutes', () => {
  it.each([200, -200])('%i ppm: no click, no gap, no other tone', (ppm) => {
    const frequency = 440;
    const codec = audioCodec('PCMA');
    const encoder = createEncoder(codec, RATE, 20);
    const source = new Int16Array(RATE / 10).map((_unused, i) =>
      Math.round(8000 * Math.sin((2 * Math.PI * frequency * i) / RATE)),
    );
    // Of 440 Hz five packets hold whole periods.
    const payloads = [0, 1, 2, 3, 4].map((i) => encodeOne(encoder, source.subarray(i * 160)));
    const random = randomFrom(7);
    const packets = Array.from({ length: 30_000 }, (_unused, i) => ({
      at: 5 + i * 20 * (1 - ppm / 1e6) + 2 * random(),
      view: packetOf(codec, i, 20, payloads[i % 5]!),
    }));
    const heard = listen(codec, packets, 29_990);
    // The second difference of a sine is bounded by its curve; a click is far beyond.
    const curve = 8000 * ((2 * Math.PI * frequency) / RATE) ** 2;
    let sharpest = 0;
    for (let i = RATE; i < heard.length - 2 * RATE; i++) {
      const bend = Math.abs(heard[i]! - 2 * heard[i + 1]! + heard[i + 2]!);
      if (bend > sharpest) sharpest = bend;
    }
    expect(sharpest).toBeLessThan(1.5 * curve);
    const sent = 20 * Math.log10(8000 / 32_767);
    let [quietest, other] = [0, -120];
    for (let second = 1; second < 598; second += 2) {
      const samples = heard.subarray(second * RATE, (second + 2) * RATE);
      const signal = { samples, sampleRate: RATE };
      quietest = Math.min(quietest, toneLevel(signal, frequency));
      for (const third of [330, 660, 880]) other = Math.max(other, toneLevel(signal, third));
    }
    expect(quietest).toBeGreaterThan(sent - 1);
    expect(other).toBeLessThan(sent - 40);
  });
});
