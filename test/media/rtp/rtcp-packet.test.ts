import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  parseRtcp,
  writeRtcp,
  type ReportBlock,
  type RtcpPacket,
  type VoipMetrics,
} from '../../../media/rtp/index.ts';

const BLOCK: ReportBlock = {
  ssrc: 0x89abcdef,
  fractionLost: 200,
  packetsLost: -5,
  highestSequence: 0xfffe1234,
  jitter: 77,
  lastSenderReport: 0xdeadbeef,
  delaySinceLastSenderReport: 65_536,
};
const SR: RtcpPacket = {
  type: 'SR',
  ssrc: 0xfedcba98,
  info: {
    ntpSeconds: 0xe0000001,
    ntpFraction: 0x80000000,
    rtpTimestamp: 0xffff0000,
    packetCount: 12,
    octetCount: 1920,
  },
  reports: [BLOCK],
};

function roundTrip(packets: RtcpPacket[]): RtcpPacket[] | undefined {
  const out = new Uint8Array(1500);
  const length = writeRtcp(out, packets);
  expect(length % 4).toBe(0);
  expect(length).toBeGreaterThan(0);

  return parseRtcp(out.subarray(0, length));
}

describe('RTCP compound packets (RFC 3550 6)', () => {
  it('round-trip with every known type', () => {
    for (const cname of ['', 'a', 'ab', 'abc', 'parley@192.0.2.1', 'ü'.repeat(60)]) {
      const packets: RtcpPacket[] = [
        SR,
        {
          type: 'SDES',
          chunks: [
            { ssrc: 1, cname },
            { ssrc: 2, cname: 'x' },
          ],
        },
        { type: 'NACK', senderSsrc: 1, mediaSsrc: 2, lost: [5, 0xffff] },
        { type: 'PLI', senderSsrc: 1, mediaSsrc: 2 },
        { type: 'BYE', ssrcs: [1, 2], reason: 'gone' },
      ];
      expect(roundTrip(packets)).toEqual(packets);
    }
    expect(roundTrip([{ type: 'RR', ssrc: 3, reports: [] }])).toEqual([
      { type: 'RR', ssrc: 3, reports: [] },
    ]);
  });

  it('expands the bitmask of a NACK (RFC 4585 6.2.1)', () => {
    const rr = [0x80, 201, 0, 1, 0, 0, 0, 1];
    const nack = [0x81, 205, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0xff, 0xff, 0x80, 0x01];
    expect(parseRtcp(Uint8Array.from([...rr, ...nack]))![1]).toMatchObject({
      lost: [0xffff, 0, 15],
    });
  });

  it('are of version 2 and add up (A.2); reduced-size ones are taken (RFC 5506)', () => {
    const rr = [0x80, 201, 0, 1, 0, 0, 0, 1];
    const bye = [0x81, 203, 0, 1, 0, 0, 0, 1];
    expect(parseRtcp(Uint8Array.from([...rr, ...bye]))).toHaveLength(2);
    expect(parseRtcp(Uint8Array.from(bye))).toEqual([{ type: 'BYE', ssrcs: [1] }]);
    expect(parseRtcp(Uint8Array.from([...bye, ...rr]))).toHaveLength(2);
    expect(parseRtcp(Uint8Array.from([0x80, 199, ...rr.slice(2)]))).toBeUndefined();
    expect(parseRtcp(Uint8Array.from([0x80, 208, ...rr.slice(2)]))).toBeUndefined();
    expect(parseRtcp(Uint8Array.from([0x40, ...rr.slice(1)]))).toBeUndefined();
    expect(parseRtcp(Uint8Array.from([...rr, 0x81, 203, 0, 2, 0, 0, 0, 1]))).toBeUndefined();
    expect(parseRtcp(Uint8Array.from([...rr, 0]))).toBeUndefined();
    expect(parseRtcp(Uint8Array.from([0x85, ...rr.slice(1)]))).toBeUndefined();
  });

  it('may be padded in the last packet only', () => {
    const padded = [0xa0, 201, 0, 2, 0, 0, 0, 1, 0, 0, 0, 4];
    expect(parseRtcp(Uint8Array.from(padded))).toEqual([{ type: 'RR', ssrc: 1, reports: [] }]);
    expect(parseRtcp(Uint8Array.from([...padded, 0x80, 201, 0, 1, 0, 0, 0, 1]))).toBeUndefined();
  });

  it('carry VoIP metrics, every field in its place (RFC 3611 4.7)', () => {
    const metrics: VoipMetrics = {
      ssrc: 0x01020304,
      lossRate: 1,
      discardRate: 2,
      burstDensity: 3,
      gapDensity: 4,
      burstDuration: 0x0506,
      gapDuration: 0x0708,
      roundTripDelay: 0x090a,
      endSystemDelay: 0x0b0c,
      signalLevel: -13,
      noiseLevel: -70,
      residualEchoReturnLoss: 127,
      gmin: 16,
      rFactor: 93,
      extendedRFactor: 127,
      mosLq: 44,
      mosCq: 43,
      receiverConfiguration: 0xb0,
      bufferNominal: 0x0d0e,
      bufferMaximum: 0x0f10,
      bufferLimit: 0x1112,
    };
    const out = new Uint8Array(100);
    const packet: RtcpPacket = { type: 'XR', ssrc: 5, voipMetrics: [metrics] };
    const octets = out.subarray(0, writeRtcp(out, [packet]));
    expect(Buffer.from(octets).toString('hex')).toBe(
      '80cf000a' +
        '00000005' +
        '07000008' +
        '01020304' +
        '01020304' +
        '05060708' +
        '090a0b0c' +
        'f3ba7f10' +
        '5d7f2c2b' +
        'b0000d0e' +
        '0f101112',
    );
    expect(parseRtcp(octets)).toEqual([packet]);
    // Another block before it, and a block that leaves its packet.
    const other = [0x80, 207, 0, 11, 0, 0, 0, 5, 4, 0, 0, 0];
    const both = Uint8Array.from([...other, ...octets.subarray(8)]);
    expect(parseRtcp(both)).toEqual([packet]);
    expect(parseRtcp(Uint8Array.from([0x80, 207, 0, 2, 0, 0, 0, 5, 7, 0, 0, 8]))).toBeUndefined();
  });

  it('leaves unknown types out', () => {
    const bytes = [0x80, 201, 0, 1, 0, 0, 0, 1, 0x80, 204, 0, 1, 0, 0, 0, 1];
    expect(parseRtcp(Uint8Array.from(bytes))).toEqual([{ type: 'RR', ssrc: 1, reports: [] }]);
  });

  it('answer 0 when they do not fit', () => {
    expect(writeRtcp(new Uint8Array(20), [SR])).toBe(0);
    const reports = Array.from({ length: 32 }, () => BLOCK);
    expect(writeRtcp(new Uint8Array(1500), [{ type: 'RR', ssrc: 1, reports }])).toBe(0);
  });

  it('never throw, whatever comes', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 100 }),
        fc.integer({ min: 200, max: 207 }),
        (bytes, type) => {
          const data = bytes.slice(0, bytes.length - (bytes.length % 4));
          if (data.length >= 4) {
            data[0] = (data[0]! & 0x3f) | 0x80;
            data[1] = type;
            data[2] = 0;
            data[3] = data.length / 4 - 1;
          }
          parseRtcp(data);
          parseRtcp(bytes);
          parseRtcp(Uint8Array.from([0x80, 201, 0, 1, 0, 0, 0, 1, ...data]));
        },
      ),
      { numRuns: 5000 },
    );
  });
});
