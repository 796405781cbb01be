import { describe, expect, it } from '@jest/globals';
import { G711Decoder, G711Encoder, type G711Law } from '../../../media/codec/g711.ts';
import { level, tone } from './signals.ts';

function decodeOne(law: G711Law, code: number): number {
  const out = new Int16Array(1);
  new G711Decoder(law).decode(Uint8Array.of(code), out);

  return out[0]!;
}

function encodeOne(law: G711Law, sample: number): number {
  const out = new Uint8Array(8);
  new G711Encoder(law, 1).encode(new Int16Array(8).fill(sample), out);

  return out[0]!;
}

describe.each(['PCMU', 'PCMA'] as const)('%s', (law) => {
  it('gives every code back, but for the second zero', () => {
    for (let code = 0; code < 256; code++) {
      const again = encodeOne(law, decodeOne(law, code));
      expect(again).toBe(law === 'PCMU' && code === 0x7f ? 0xff : code);
    }
  });

  it('takes the nearest of all values', () => {
    const values = Array.from({ length: 256 }, (_unused, code) => decodeOne(law, code));
    for (let sample = -32_768; sample <= 32_767; sample += 37) {
      const distance = Math.abs(decodeOne(law, encodeOne(law, sample)) - sample);
      if (distance !== Math.min(...values.map((value) => Math.abs(value - sample)))) {
        throw new Error(`${sample} has a nearer code`);
      }
    }
  });

  it('keeps a tone 35 dB above its noise', () => {
    const pcm = tone(1004, 8000, 8000);
    const encoder = new G711Encoder(law, 1000);
    const octets = new Uint8Array(8000);
    const back = new Int16Array(8000);
    expect(encoder.encode(pcm, octets)).toBe(8000);
    expect(new G711Decoder(law).decode(octets, back)).toBe(8000);
    expect(level(pcm) - level(back.map((sample, i) => sample - pcm[i]!))).toBeGreaterThan(35);
  });

  it('conceals by repeating the pitch and fades to silence', () => {
    const encoder = new G711Encoder(law, 20);
    const decoder = new G711Decoder(law);
    const pcm = tone(200, 8000, 1600);
    const octets = new Uint8Array(160);
    const out = new Int16Array(160);
    for (let frame = 0; frame < 4; frame++) {
      encoder.encode(pcm.subarray(frame * 160), octets);
      decoder.decode(octets, out);
    }
    const before = out[159]!;
    expect(decoder.conceal(out, 160)).toBe(160);
    expect(Math.abs(out[0]! - before)).toBeLessThan(3000);
    expect(level(out)).toBeGreaterThan(level(pcm) - 4);
    const expected = pcm.subarray(640, 800);
    expect(level(out.map((sample, i) => sample - expected[i]!))).toBeLessThan(level(pcm) - 6);
    decoder.conceal(out, 160);
    decoder.conceal(out, 160);
    decoder.conceal(out, 160);
    expect(out.every((sample) => sample === 0)).toBe(true);
  });

  it('is bounded by the buffers that it gets', () => {
    expect(new G711Decoder(law).decode(new Uint8Array(10), new Int16Array(9))).toBe(0);
    expect(new G711Encoder(law, 20).encode(new Int16Array(160), new Uint8Array(159))).toBe(0);
    expect(new G711Encoder(law, 20).encode(new Int16Array(159), new Uint8Array(160))).toBe(0);
  });
});

describe('G.711 by its tables', () => {
  it('has the values of the standard, in 16 bits', () => {
    // µ-law: table 2a/G.711 times four; A-law: table 1a/G.711 times eight.
    const mu: [number, number][] = [
      [0x00, -32_124],
      [0x80, 32_124],
      [0x8f, 16_764],
      [0x9f, 8_316],
      [0xff, 0],
      [0xfe, 8],
      [0x7e, -8],
      [0x7f, 0],
    ];
    const a: [number, number][] = [
      [0xd5, 8],
      [0x55, -8],
      [0xd4, 24],
      [0xaa, 32_256],
      [0x2a, -32_256],
      [0x80, 5504],
      [0xf5, 528],
    ];
    for (const [code, value] of mu) expect([code, decodeOne('PCMU', code)]).toEqual([code, value]);
    for (const [code, value] of a) expect([code, decodeOne('PCMA', code)]).toEqual([code, value]);
  });

  it.each(['PCMU', 'PCMA'] as const)('knows how loud %s is without decoding it', (law) => {
    const decoder = new G711Decoder(law);
    const data = Uint8Array.from({ length: 300 }, (_unused, i) => i * 37);
    const pcm = new Int16Array(160);
    decoder.decode(data.subarray(100, 260), pcm);

    expect(decoder.energyOf?.(data, 100, 160)).toBe(pcm.reduce((sum, x) => sum + x * x, 0));
    decoder.close();
  });

  it('makes silence of 0xFF and 0xD5', () => {
    expect(encodeOne('PCMU', 0)).toBe(0xff);
    expect([0xd5, 0x55]).toContain(encodeOne('PCMA', 0));
  });
});
