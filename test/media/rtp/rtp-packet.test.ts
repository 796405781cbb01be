import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  RtpPacketView,
  isRtcp,
  writeRtp,
  writeRtpHeader,
  writeRtpHeaderWithLevel,
} from '../../../media/rtp/index.ts';
import { rtpBytes, rtpPacket } from './packets.ts';

describe('RTP fixed header (RFC 3550 5.1)', () => {
  it('reads what was written', () => {
    const packet = rtpPacket({
      marker: true,
      payloadType: 111,
      sequenceNumber: 0xfffe,
      timestamp: 0xfedcba98,
      ssrc: 0x89abcdef,
      payload: Uint8Array.of(1, 2, 3),
    });
    expect(packet).toMatchObject({
      marker: true,
      payloadType: 111,
      sequenceNumber: 0xfffe,
      timestamp: 0xfedcba98,
      ssrc: 0x89abcdef,
      csrcCount: 0,
    });
    expect([...packet.payload()]).toEqual([1, 2, 3]);
  });

  it('reads a packet by the octet', () => {
    const view = new RtpPacketView();
    const bytes = Uint8Array.from([0x80, 0x88, 0, 7, 0, 0, 0, 160, 0, 0, 0, 9, 0x55]);
    expect(view.parse(bytes)).toBe(true);
    expect(view).toMatchObject({ marker: true, payloadType: 8, sequenceNumber: 7, ssrc: 9 });
    expect([...view.payload()]).toEqual([0x55]);
  });

  it('skips CSRCs, padding and header extension to the payload', () => {
    const packet = rtpPacket({
      csrcs: [0xaabbccdd, 7],
      padding: 5,
      extensions: [{ id: 3, data: Uint8Array.of(1, 2, 3) }],
      payload: Uint8Array.of(9, 8),
    });
    expect([...packet.payload()]).toEqual([9, 8]);
    expect(packet.csrcCount).toBe(2);
    expect(packet.csrc(0)).toBe(0xaabbccdd);
    expect(packet.csrc(1)).toBe(7);
    expect(() => packet.csrc(2)).toThrow(TypeError);
  });

  it('reads a packet in the middle of a block, and nothing beyond it', () => {
    const bytes = rtpBytes({
      csrcs: [5],
      extensions: [{ id: 3, data: Uint8Array.of(0x85) }],
      payload: Uint8Array.of(9, 8),
    });
    const block = new Uint8Array(200).fill(0xff);
    block.set(bytes, 70);
    const view = new RtpPacketView();

    expect(view.parse(block, 70, bytes.length)).toBe(true);
    expect([...view.payload(), view.csrc(0), view.audioLevel(3)]).toEqual([9, 8, 5, -5]);
    expect(view.parse(block, 70, 20)).toBe(false);
  });

  it('refuses another version, a short header and lengths beyond the packet', () => {
    const view = new RtpPacketView();
    const good = rtpBytes({ payload: new Uint8Array(4) });
    expect(view.parse(good.subarray(0, 11))).toBe(false);
    expect(view.parse(Uint8Array.from([0x40, ...good.subarray(1)]))).toBe(false);
    expect(view.parse(Uint8Array.from([0x8f, ...good.subarray(1)]))).toBe(false);
    expect(view.parse(Uint8Array.from([0x90, ...good.subarray(1, 12), 0xbe, 0xde, 0, 1]))).toBe(
      false,
    );
    expect(view.parse(new Uint8Array(1501).fill(0x80))).toBe(false);
  });

  it('refuses a padding count of 0 or more than there is', () => {
    const view = new RtpPacketView();
    for (const count of [0, 5]) {
      const bytes = rtpBytes({ payload: Uint8Array.of(0, 0, 0, count) });
      bytes[0] = 0xa0;
      expect(view.parse(bytes)).toBe(false);
    }
  });
});

describe('RTP header extensions (RFC 8285)', () => {
  it('finds elements of the one-byte form between padding', () => {
    const view = new RtpPacketView();
    const bytes = Uint8Array.from([
      0x90, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0xbe, 0xde, 0, 2, 0x10, 0xaa, 0, 0, 0x21, 0xbb, 0xcc,
      0, 0x77,
    ]);
    expect(view.parse(bytes)).toBe(true);
    const offset = view.findExtension(2);
    expect([...bytes.subarray(offset, offset + view.elementLength)]).toEqual([0xbb, 0xcc]);
    expect(view.findExtension(3)).toBe(-1);
    expect([...view.payload()]).toEqual([0x77]);
  });

  it('ends at ID 15 of the one-byte form', () => {
    const view = new RtpPacketView();
    const bytes = Uint8Array.from([
      0x90, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0xbe, 0xde, 0, 1, 0xf0, 0, 0x10, 0xaa,
    ]);
    expect(view.parse(bytes)).toBe(true);
    expect(view.findExtension(1)).toBe(-1);
  });

  it('round-trips both forms, the two-byte one when an element asks for it', () => {
    for (const large of [
      { id: 2, data: new Uint8Array(17).fill(5) },
      { id: 200, data: Uint8Array.of(5) },
    ]) {
      const packet = rtpPacket({ extensions: [{ id: 1, data: Uint8Array.of(0x80 | 30) }, large] });
      expect(packet.extensionProfile).toBe(0x1000);
      expect(packet.audioLevel(1)).toBe(-30);
      expect(packet.findExtension(large.id)).toBeGreaterThan(0);
      expect(packet.elementLength).toBe(large.data.length);
    }
    expect(rtpPacket({ extensions: [{ id: 1, data: Uint8Array.of(1) }] }).extensionProfile).toBe(
      0xbede,
    );
  });

  it('writes the audio level in dBov and the voice bit (RFC 6464)', () => {
    const out = new Uint8Array(100);
    const header = { marker: false, payloadType: 0, sequenceNumber: 1, timestamp: 2, ssrc: 3 };
    const view = new RtpPacketView();
    for (const [level, expected] of [
      [0, 0],
      [-42.4, -42],
      [-127, -127],
      [-300, -127],
      [3, 0],
    ] as const) {
      const length = writeRtpHeaderWithLevel(out, header, 6, level, level > -50);
      expect(view.parse(out.subarray(0, length))).toBe(true);
      expect(view.audioLevel(6)).toBeCloseTo(expected);
      expect(view.voiceActivity(6)).toBe(level > -50);
      expect(view.audioLevel(5)).toBeUndefined();
    }
    expect(() => writeRtpHeaderWithLevel(out, header, 15, 0, false)).toThrow(TypeError);
    expect(writeRtpHeader(out, header)).toBe(12);
  });
});

describe('RTP and RTCP on one port (RFC 5761 4)', () => {
  it('tells them apart by the second octet', () => {
    for (const type of [192, 200, 201, 206, 223]) {
      expect(isRtcp(Uint8Array.of(0x80, type, 0, 1, 0, 0, 0, 0))).toBe(true);
    }
    for (const type of [0, 8, 63, 96, 127, 128, 136, 224, 255]) {
      expect(isRtcp(Uint8Array.of(0x80, type, 0, 1, 0, 0, 0, 0))).toBe(false);
    }
  });
});

describe('RTP from anybody', () => {
  it('never throws and never reads outside', () => {
    const view = new RtpPacketView();
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 120 }),
        fc.integer({ min: 0, max: 255 }),
        (bytes, id) => {
          const data = bytes.slice();
          if (data.length > 0) data[0] = (data[0]! & 0x3f) | 0x80;
          if (!view.parse(data)) return;
          expect(view.payloadOffset + view.payloadLength).toBeLessThanOrEqual(data.length);
          const offset = view.findExtension(id);
          if (offset >= 0)
            expect(offset + view.elementLength).toBeLessThanOrEqual(view.extensionEnd);
          view.audioLevel(id);
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('round-trips any packet that fits', () => {
    const out = new Uint8Array(1500);
    const view = new RtpPacketView();
    fc.assert(
      fc.property(
        fc.record({
          marker: fc.boolean(),
          payloadType: fc.integer({ min: 0, max: 127 }),
          sequenceNumber: fc.integer({ min: 0, max: 0xffff }),
          timestamp: fc.integer({ min: 0, max: 0xffffffff }),
          ssrc: fc.integer({ min: 0, max: 0xffffffff }),
          csrcs: fc.array(fc.integer({ min: 0, max: 0xffffffff }), { maxLength: 15 }),
          padding: fc.integer({ min: 0, max: 255 }),
          payload: fc.uint8Array({ maxLength: 400 }),
          extensions: fc.uniqueArray(
            fc.record({
              id: fc.integer({ min: 1, max: 14 }),
              data: fc.uint8Array({ minLength: 1, maxLength: 40 }),
            }),
            { selector: ({ id }) => id, maxLength: 5 },
          ),
        }),
        (parts) => {
          const length = writeRtp(out, parts);
          expect(view.parse(out.subarray(0, length))).toBe(true);
          expect(view.marker).toBe(parts.marker);
          expect(view.ssrc).toBe(parts.ssrc);
          expect(view.timestamp).toBe(parts.timestamp);
          expect([...view.payload()]).toEqual([...parts.payload]);
          for (const { id, data } of parts.extensions) {
            const offset = view.findExtension(id);
            expect([...out.subarray(offset, offset + view.elementLength)]).toEqual([...data]);
          }
        },
      ),
    );
  });

  it('answers 0 when it does not fit', () => {
    const parts = { marker: false, payloadType: 0, sequenceNumber: 0, timestamp: 0, ssrc: 0 };
    expect(writeRtp(new Uint8Array(100), { ...parts, payload: new Uint8Array(100) })).toBe(0);
    expect(writeRtp(new Uint8Array(3000), { ...parts, payload: new Uint8Array(1490) })).toBe(0);
  });
});
