import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { createDecoder, createEncoder } from '../../../media/codec/index.ts';
import { G722Decoder, G722Encoder } from '../../../media/codec/g722.ts';
import { audioCodec } from '../../../media/codecs.ts';
import { projectPath } from '../../support/scratch.ts';
import { g722Signal } from './g722-signal.ts';
import { level, levelAt, tone } from './signals.ts';

/** What libspandsp makes of the signal: codes, and samples from them. */
const CODES = new Uint8Array(readFileSync(projectPath('test/fixtures/g722/spandsp.g722')));
const DECODED = readFileSync(projectPath('test/fixtures/g722/spandsp.pcm'));

function roundTrip(pcm: Int16Array, lost: (frame: number) => boolean = () => false): Int16Array {
  const encoder = new G722Encoder(20);
  const decoder = new G722Decoder();
  const heard = new Int16Array(pcm.length);
  const packet = new Uint8Array(160);
  for (let at = 0; at < pcm.length; at += 320) {
    expect(encoder.encode(pcm.subarray(at), packet)).toBe(160);
    const out = heard.subarray(at, at + 320);
    if (lost(at / 320)) decoder.conceal(out, 320);
    else expect(decoder.decode(packet, out)).toBe(320);
  }

  return heard;
}

describe('G.722', () => {
  it('has the very codes of another implementation', () => {
    const pcm = g722Signal(2 * CODES.length);
    const encoder = new G722Encoder(20);
    const codes = new Uint8Array(CODES.length);
    for (let at = 0; at < codes.length; at += 160) {
      encoder.encode(pcm.subarray(2 * at), codes.subarray(at));
    }
    expect(Buffer.compare(codes, CODES)).toBe(0);
  });

  it('has the very samples of another implementation, in packets of any length', () => {
    for (const length of [80, 160, 480]) {
      const decoder = new G722Decoder();
      const pcm = Buffer.alloc(DECODED.length);
      const out = new Int16Array(2 * length);
      for (let at = 0; at < CODES.length; at += length) {
        const samples = decoder.decode(CODES.subarray(at, at + length), out);
        for (let i = 0; i < samples; i++) pcm.writeInt16LE(out[i]!, 2 * (2 * at + i));
      }
      expect(Buffer.compare(pcm, DECODED)).toBe(0);
    }
  });

  it.each([300, 1000, 3400, 6800])('keeps a tone of %i Hz at its level', (frequency) => {
    const heard = roundTrip(tone(frequency, 16_000, 16_000)).subarray(1600);
    expect(Math.abs(levelAt(heard, frequency, 16_000) - 80)).toBeLessThan(0.5);
  });

  it('keeps a tone 30 dB above its noise', () => {
    const heard = roundTrip(tone(1000, 16_000, 16_000)).subarray(1600);
    const [cosine, sine] = [0.5, 0].map((phase) =>
      heard.reduce((sum, x, i) => sum + x * Math.sin(Math.PI * (i / 8 + phase)), 0),
    ) as [number, number];
    const scale = 2 / heard.length;
    const noise = heard.map(
      (x, i) =>
        x -
        scale * (cosine * Math.sin(Math.PI * (i / 8 + 0.5)) + sine * Math.sin((Math.PI * i) / 8)),
    );
    expect(level(heard) - level(noise)).toBeGreaterThan(30);
  });

  it('fills in for a lost packet and is itself again soon after', () => {
    const clean = roundTrip(tone(400, 16_000, 16_000));
    const lossy = roundTrip(tone(400, 16_000, 16_000), (frame) => frame === 20);
    const [from, to] = [20 * 320, 21 * 320];
    expect(level(lossy.subarray(from, to))).toBeGreaterThan(level(clean.subarray(from, to)) - 3);
    const after = clean.subarray(to + 1600).map((x, i) => x - lossy[to + 1600 + i]!);
    expect(level(after)).toBeLessThan(level(clean) - 25);
  });

  it('goes on for another encoder as if that had gone on', () => {
    const pcm = g722Signal(6400);
    const [first, second] = [new G722Encoder(20), new G722Encoder(20)];
    const [expected, other] = [new Uint8Array(160), new Uint8Array(160)];
    for (let at = 0; at < 3200; at += 320) first.encode(pcm.subarray(at), expected);
    expect(second.copyState(first)).toBe(true);
    for (let at = 3200; at < 6400; at += 320) {
      first.encode(pcm.subarray(at), expected);
      second.encode(pcm.subarray(at), other);
      expect(other).toEqual(expected);
    }
    expect(second.copyState(createEncoder(audioCodec('PCMU'), 8000, 20))).toBe(false);
  });

  it('saturates instead of wrapping, and is bounded by the buffers that it gets', () => {
    const square = new Int16Array(6400).map((_unused, i) => (i % 64 < 32 ? 32_767 : -32_768));
    const heard = roundTrip(square);
    let largest = 0;
    for (let i = 1; i < heard.length; i++) {
      largest = Math.max(largest, Math.abs(heard[i]! - heard[i - 1]!));
    }
    expect(largest).toBeLessThan(60_000);
    expect(new G722Decoder().decode(new Uint8Array(10), new Int16Array(19))).toBe(0);
    expect(new G722Decoder().decode(new Uint8Array(0), new Int16Array(19))).toBe(0);
    expect(new G722Encoder(20).encode(new Int16Array(319), new Uint8Array(160))).toBe(0);
    expect(new G722Encoder(20).encode(new Int16Array(320), new Uint8Array(159))).toBe(0);
  });

  it('samples at 16 kHz though its RTP clock says 8 (RFC 3551 4.5.2)', () => {
    const codec = audioCodec('G722');
    expect([codec.clockRate, codec.sampleRate, codec.payloadType]).toEqual([8000, 16_000, 9]);
    const encoder = createEncoder(codec, 48_000, 20);
    const packet = new Uint8Array(200);
    expect(encoder.encode(new Int16Array(960), packet)).toBe(160);
    expect(createDecoder(codec, 8000).decode(packet.subarray(0, 160), new Int16Array(400))).toBe(
      160,
    );
  });
});
