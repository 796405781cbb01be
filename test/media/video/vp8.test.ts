import { describe, expect, it } from '@jest/globals';
import { readVp8, Vp8Continuity } from '../../../media/video/vp8.ts';

/** With a picture ID of 15 bits, TL0PICIDX and TID, as browsers send it. */
function picture(id: number, tl0: number, key: boolean, start = true): Uint8Array {
  return Uint8Array.of(
    start ? 0x90 : 0x80,
    0xe0,
    0x80 | (id >> 8),
    id & 255,
    tl0,
    0x20,
    key ? 0 : 1,
    7,
  );
}

describe('the payload descriptor of VP8 (RFC 7741 4.2)', () => {
  it('without extensions: a key frame is a first partition whose P bit is 0', () => {
    expect(readVp8(Uint8Array.of(0x10, 0x00))).toMatchObject({ length: 1, keyFrame: true });
    expect(readVp8(Uint8Array.of(0x10, 0x01))).toMatchObject({ first: true, keyFrame: false });
    expect(readVp8(Uint8Array.of(0x00, 0x00))).toMatchObject({ first: false, keyFrame: false });
    expect(readVp8(Uint8Array.of(0x11, 0x00))).toMatchObject({ first: false, keyFrame: false });
  });

  it('with all extensions', () => {
    const found = readVp8(picture(0x1234, 77, true));
    expect(found).toMatchObject({
      length: 6,
      keyFrame: true,
      pictureId: 0x1234,
      pictureIdBits: 15,
      tl0: 77,
    });
  });

  it('with a picture ID of 7 bits', () => {
    const found = readVp8(Uint8Array.of(0x90, 0x80, 0x7f, 0x00));
    expect(found).toMatchObject({
      length: 3,
      keyFrame: true,
      pictureId: 0x7f,
      pictureIdBits: 7,
      tl0Offset: -1,
    });
  });

  it('a payload that ends within it is no VP8', () => {
    for (const octets of [[], [0x10], [0x90, 0x80], [0x90, 0xe0, 0x80, 0, 0, 0]]) {
      expect(readVp8(Uint8Array.from(octets))).toBeUndefined();
    }
  });
});

describe('picture IDs of one stream out of several sources', () => {
  const numbers = (line: Vp8Continuity, payload: Uint8Array): [number, number] => {
    line.rewrite(payload);
    const found = readVp8(payload)!;

    return [found.pictureId, found.tl0];
  };

  it('run on by 1 when the source changes, and wrap', () => {
    const line = new Vp8Continuity();
    expect(numbers(line, picture(0x7ffe, 0xfe, true))).toEqual([0x7ffe, 0xfe]);
    expect(numbers(line, picture(0x7fff, 0xff, false))).toEqual([0x7fff, 0xff]);
    line.restart();
    expect(numbers(line, picture(500, 9, true))).toEqual([0, 0]);
    expect(numbers(line, picture(500, 9, true, false))).toEqual([0, 0]);
    expect(numbers(line, picture(501, 10, false))).toEqual([1, 1]);
    line.restart();
    expect(numbers(line, picture(7, 200, true))).toEqual([2, 2]);
  });

  it('a source without them leaves them where they were', () => {
    const line = new Vp8Continuity();
    numbers(line, picture(40, 4, true));
    line.restart();
    const plain = Uint8Array.of(0x10, 0x00, 5);
    line.rewrite(plain);
    expect([...plain]).toEqual([0x10, 0x00, 5]);
    line.restart();
    expect(numbers(line, picture(900, 90, true))).toEqual([41, 5]);
  });
});
