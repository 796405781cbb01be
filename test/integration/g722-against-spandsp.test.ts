import { createRequire } from 'node:module';
import { describe, expect, it } from '@jest/globals';
import type * as koffiModule from 'koffi';
import { G722Decoder, G722Encoder } from '../../media/codec/g722.ts';
import { g722Signal } from '../media/codec/g722-signal.ts';

/** The library that baresip's own G.722 is made of, and comes with. */
const LIBRARY = 'libspandsp.so.2';
const SAMPLES = 16_000 * 20;

type Init = (state: null, rate: number, options: number) => object;
type Encode = (state: object, codes: Uint8Array, pcm: Int16Array, samples: number) => number;
type Decode = (state: object, pcm: Int16Array, codes: Uint8Array, octets: number) => number;

describe('G.722 beside libspandsp', () => {
  const koffi = createRequire(import.meta.url)('koffi') as typeof koffiModule;
  const library = koffi.load(LIBRARY);
  const pcm = g722Signal(SAMPLES);
  const codes = new Uint8Array(SAMPLES / 2);
  (library.func('int g722_encode(void *s, uint8_t *codes, int16_t *pcm, int n)') as Encode)(
    (library.func('void *g722_encode_init(void *s, int rate, int options)') as Init)(
      null,
      64_000,
      0,
    ),
    codes,
    pcm,
    SAMPLES,
  );

  it('encodes 20 s to the same octets', () => {
    const encoder = new G722Encoder(20);
    const ours = new Uint8Array(codes.length);
    for (let at = 0; at < ours.length; at += 160) {
      encoder.encode(pcm.subarray(2 * at), ours.subarray(at));
    }
    expect(Buffer.compare(ours, codes)).toBe(0);
  });

  it('decodes 20 s to the same samples', () => {
    const theirs = new Int16Array(SAMPLES);
    (library.func('int g722_decode(void *s, int16_t *pcm, uint8_t *codes, int n)') as Decode)(
      (library.func('void *g722_decode_init(void *s, int rate, int options)') as Init)(
        null,
        64_000,
        0,
      ),
      theirs,
      codes,
      codes.length,
    );
    const decoder = new G722Decoder();
    const ours = new Int16Array(SAMPLES);
    for (let at = 0; at < codes.length; at += 160) {
      decoder.decode(codes.subarray(at, at + 160), ours.subarray(2 * at));
    }
    const differing = ours.findIndex((sample, i) => sample !== theirs[i]);
    expect(differing).toBe(-1);
  });
});
