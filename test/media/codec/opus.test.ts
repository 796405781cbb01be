import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  MAX_ENCODED_OCTETS,
  createDecoder,
  createEncoder,
  opusBackend,
} from '../../../media/codec/index.ts';
import {
  configureOpus,
  createOpusDecoder,
  createOpusEncoder,
  type OpusBackendName,
} from '../../../media/codec/opus.ts';
import { audioCodec, type AudioCodecName } from '../../../media/codecs.ts';
import { bestSnr, level, levelAt, tone } from './signals.ts';

const open: { close: () => void }[] = [];
afterEach(() => {
  for (const codec of open.splice(0)) codec.close();
});

function keep<T extends { close: () => void }>(codec: T): T {
  open.push(codec);

  return codec;
}

/**
 * Voiced sound: a 300 Hz harmonic series, softer and louder. Below that the high-pass filter of
 * Opus' speech mode turns phases, which a signal-to-noise ratio cannot tell from noise.
 */
function voice(sampleRate: number, samples: number): Int16Array {
  const pcm = new Int16Array(samples);
  for (let i = 0; i < samples; i++) {
    const t = i / sampleRate;
    let sum = 0;
    for (let n = 1; n <= 11; n++) sum += Math.sin(2 * Math.PI * 300 * n * t + n * n) / n;
    pcm[i] = Math.round(5000 * sum * (0.6 + 0.4 * Math.sin(2 * Math.PI * 3 * t)));
  }

  return pcm;
}

const native = opusBackend() === 'libopus';
const backends: OpusBackendName[] = native ? ['libopus', 'wasm'] : ['wasm'];

describe.each(backends)('Opus by %s', (backend) => {
  it.each([8000, 16_000, 48_000])('keeps voice at %i Hz', (rate) => {
    const encoder = keep(createOpusEncoder(rate, 20, backend));
    const decoder = keep(createOpusDecoder(rate, backend));
    const pcm = voice(rate, rate);
    const heard = new Int16Array(rate);
    const packet = new Uint8Array(MAX_ENCODED_OCTETS);
    let octets = 0;
    for (let at = 0; at < pcm.length; at += encoder.frameSamples) {
      const length = encoder.encode(pcm.subarray(at), packet);
      octets += length;
      expect(decoder.decode(packet.subarray(0, length), heard.subarray(at))).toBe(rate / 50);
    }
    expect(octets * 8).toBeGreaterThan(16_000);
    expect(octets * 8).toBeLessThan(110_000);
    const settled = rate / 5;
    const snr = bestSnr(
      pcm.subarray(settled, 0.3 * rate),
      heard.subarray(settled, 0.32 * rate),
      rate / 50,
    );
    expect(snr).toBeGreaterThan(10);
  });

  it('decodes at another rate than was encoded', () => {
    const encoder = keep(createOpusEncoder(48_000, 20, backend));
    const decoder = keep(createOpusDecoder(8000, backend));
    const pcm = tone(1000, 48_000, 48_000);
    const heard = new Int16Array(8000);
    const packet = new Uint8Array(MAX_ENCODED_OCTETS);
    for (let frame = 0; frame < 50; frame++) {
      const length = encoder.encode(pcm.subarray(frame * 960), packet);
      expect(decoder.decode(packet.subarray(0, length), heard.subarray(frame * 160))).toBe(160);
    }
    expect(Math.abs(levelAt(heard.subarray(1600), 1000, 8000) - 80)).toBeLessThan(1);
  });

  it('conceals a lost packet and fades when nothing comes', () => {
    const encoder = keep(createOpusEncoder(48_000, 20, backend, 'maxaveragebitrate=32000'));
    const decoder = keep(createOpusDecoder(48_000, backend));
    const pcm = voice(48_000, 48_000);
    const packet = new Uint8Array(MAX_ENCODED_OCTETS);
    const out = new Int16Array(5760);
    for (let frame = 0; frame < 20; frame++) {
      const length = encoder.encode(pcm.subarray(frame * 960), packet);
      decoder.decode(packet.subarray(0, length), out);
    }
    expect(decoder.conceal(out, 960)).toBe(960);
    expect(level(out.subarray(0, 960))).toBeGreaterThan(level(pcm) - 12);
    for (let i = 0; i < 50; i++) expect(decoder.conceal(out, 960)).toBe(960);
    expect(level(out.subarray(0, 960))).toBeLessThan(level(pcm) - 30);
    expect(decoder.conceal(out, 7)).toBe(7);
    expect(decoder.conceal(out, 10_000)).toBe(5760);
  });

  it('recovers a lost packet from the next one better than by concealment', () => {
    const encoder = keep(createOpusEncoder(16_000, 20, backend, 'useinbandfec=1'));
    encoder.expectLoss(20);
    const [plain, fec] = [
      keep(createOpusDecoder(16_000, backend)),
      keep(createOpusDecoder(16_000, backend)),
    ];
    const clean = keep(createOpusDecoder(16_000, backend));
    // Every lost frame is of another pitch than the one before it.
    const packets = Array.from({ length: 60 }, (_unused, frame) => {
      const packet = new Uint8Array(MAX_ENCODED_OCTETS);
      const pcm = tone(200 + 150 * (Math.floor(frame / 3) % 5), 16_000, 320 * 3);

      return packet.slice(0, encoder.encode(pcm.subarray((frame % 3) * 320), packet));
    });
    let plainError = 0;
    let fecError = 0;
    const [reference, concealed, recovered] = [
      new Int16Array(320),
      new Int16Array(320),
      new Int16Array(320),
    ];
    packets.forEach((packet, frame) => {
      clean.decode(packet, reference);
      if (frame % 3 === 0 && frame > 5) {
        plain.conceal(concealed, 320);
        fec.recover(packets[frame + 1]!, recovered, 320);
        for (let i = 0; i < 320; i++) {
          plainError += (concealed[i]! - reference[i]!) ** 2;
          fecError += (recovered[i]! - reference[i]!) ** 2;
        }
      } else {
        plain.decode(packet, concealed);
        fec.decode(packet, recovered);
      }
    });
    expect(fecError).toBeLessThan(plainError / 2);
  });

  it('leaves voices to the transform where it has bits, unless copies for lost packets are wanted', () => {
    configureOpus({ bitrate: 80_000 });
    const [plain, without, few] = [
      keep(createOpusEncoder(48_000, 20, backend, 'useinbandfec=1')),
      keep(createOpusEncoder(48_000, 20, backend, 'useinbandfec=0')),
      keep(createOpusEncoder(48_000, 20, backend, 'maxaveragebitrate=24000')),
    ];
    const packet = new Uint8Array(MAX_ENCODED_OCTETS);
    // Configurations from 16 on are CELT (RFC 6716 3.1).
    const isTransform = (encoder: typeof plain): boolean => {
      for (let i = 0; i < 10; i++) encoder.encode(voice(48_000, 960), packet);

      return packet[0]! >> 3 >= 16;
    };

    expect([isTransform(plain), isTransform(few)]).toEqual([true, false]);
    plain.expectLoss(5);
    expect(isTransform(plain)).toBe(false);
    // "If no value is specified, useinbandfec is assumed to be 0" (RFC 7587 6.1).
    without.expectLoss(5);
    expect(isTransform(without)).toBe(true);
    plain.expectLoss(0);
    expect(isTransform(plain)).toBe(true);
    // A limit of the average has to hold even where each frame takes twice the rate.
    for (const limit of ['maxaveragebitrate=120000', 'cbr=1']) {
      expect(isTransform(keep(createOpusEncoder(48_000, 20, backend, limit)))).toBe(false);
    }
    configureOpus({ bitrate: 128_000 });
    for (const limit of ['maxaveragebitrate=128000', 'cbr=1']) {
      expect(isTransform(keep(createOpusEncoder(48_000, 20, backend, limit)))).toBe(true);
    }
    configureOpus({ bitrate: 40_000 });
    expect(isTransform(keep(createOpusEncoder(48_000, 20, backend)))).toBe(false);
    configureOpus({ bitrate: 80_000 });
  });

  it.each([
    [10, 480],
    [20, 960],
    [30, 960],
    [40, 1920],
    [60, 2880],
  ])('has frames for a ptime of %i ms', (ptime, samples) => {
    const encoder = keep(createOpusEncoder(48_000, ptime, backend));
    const decoder = keep(createOpusDecoder(48_000, backend));
    expect(encoder.frameSamples).toBe(samples);
    const packet = new Uint8Array(MAX_ENCODED_OCTETS);
    const length = encoder.encode(new Int16Array(samples), packet);
    expect(decoder.decode(packet.subarray(0, length), new Int16Array(5760))).toBe(samples);
  });

  it('never throws and never writes beyond `out`, whatever comes', () => {
    const decoder = keep(createOpusDecoder(48_000, backend));
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.integer({ min: 0, max: 5760 }),
        (payload, room) => {
          const out = new Int16Array(room + 1).fill(12_345);
          const samples = decoder.decode(payload, out.subarray(0, room));
          expect(samples).toBeLessThanOrEqual(room);
          expect(out[room]).toBe(12_345);
          expect(decoder.recover(payload, out.subarray(0, room), room)).toBeLessThanOrEqual(room);
        },
      ),
      { numRuns: 200 },
    );
    expect(decoder.decode(new Uint8Array(0), new Int16Array(5760))).toBe(0);
    expect(decoder.decode(new Uint8Array(2000), new Int16Array(5760))).toBeLessThanOrEqual(5760);
  });

  it('is safe after close', () => {
    const encoder = createOpusEncoder(48_000, 20, backend);
    const decoder = createOpusDecoder(48_000, backend);
    for (const codec of [encoder, decoder, encoder, decoder]) codec.close();
    expect(encoder.encode(new Int16Array(960), new Uint8Array(100))).toBe(0);
    expect(decoder.decode(Uint8Array.of(1, 2, 3), new Int16Array(960))).toBe(0);
    decoder.reset();
    encoder.expectLoss(5);
  });

  it('refuses to encode less than a frame', () => {
    const encoder = keep(createOpusEncoder(48_000, 20, backend));
    expect(encoder.encode(new Int16Array(959), new Uint8Array(100))).toBe(0);
    expect(encoder.encode(new Int16Array(960), new Uint8Array(0))).toBe(0);
  });
});

describe('codecs by name', () => {
  it.each<[AudioCodecName, number]>([
    ['PCMU', 8000],
    ['PCMU', 48_000],
    ['PCMA', 16_000],
    ['PCMA', 48_000],
    ['opus', 16_000],
    ['opus', 48_000],
  ])('%s carries a tone at %i Hz', (name, rate) => {
    const codec = audioCodec(name);
    const encoder = keep(createEncoder(codec, rate, 20));
    const decoder = keep(createDecoder(codec, rate));
    expect([encoder.sampleRate, decoder.sampleRate, encoder.frameSamples]).toEqual([
      rate,
      rate,
      rate / 50,
    ]);
    const pcm = tone(1000, rate, rate);
    const heard = new Int16Array(rate);
    const packet = new Uint8Array(MAX_ENCODED_OCTETS);
    for (let at = 0; at < rate; at += rate / 50) {
      const length = encoder.encode(pcm.subarray(at, at + rate / 50), packet);
      expect(decoder.decode(packet.subarray(0, length), heard.subarray(at))).toBe(rate / 50);
    }
    expect(Math.abs(levelAt(heard.subarray(rate / 5), 1000, rate) - 80)).toBeLessThan(0.5);
    expect(decoder.conceal(heard, rate / 50)).toBe(rate / 50);
  });

  it('has no audio for telephone-event', () => {
    const event = { ...audioCodec('PCMU'), name: 'telephone-event' as const };
    expect(() => createDecoder(event, 8000)).toThrow(TypeError);
    expect(() => createEncoder(event, 8000, 20)).toThrow(TypeError);
  });
});

describe('codecs in a worker thread', () => {
  it('work in two at once', async () => {
    const url = new URL('../../../media/codec/index.ts', import.meta.url);
    const codecs = new URL('../../../media/codecs.ts', import.meta.url);
    const source = `
      import { parentPort } from 'node:worker_threads';
      const { createEncoder, createDecoder } = await import(${JSON.stringify(url.href)});
      const { audioCodec } = await import(${JSON.stringify(codecs.href)});
      const [encoder, decoder] = [createEncoder(audioCodec('opus'), 48000, 20), createDecoder(audioCodec('opus'), 48000)];
      const packet = new Uint8Array(1400);
      let samples = 0;
      for (let i = 0; i < 20; i++) {
        const length = encoder.encode(new Int16Array(960).fill(i * 100), packet);
        samples += decoder.decode(packet.subarray(0, length), new Int16Array(5760));
      }
      encoder.close();
      decoder.close();
      parentPort.postMessage(samples);
    `;
    const data = new URL(`data:text/javascript,${encodeURIComponent(source)}`);
    const workers = [new Worker(data), new Worker(data)];
    const answers = await Promise.all(workers.map(async (worker) => once(worker, 'message')));
    expect(answers.flat()).toEqual([19_200, 19_200]);
    await Promise.all(workers.map(async (worker) => worker.terminate()));
  });
});
