import { describe, expect, it } from '@jest/globals';
import { parseRtcp, writeRtcp, type RtcpPacket } from '../../../media/rtp/index.ts';

function octets(packet: RtcpPacket): string {
  const out = new Uint8Array(1500);
  const length = writeRtcp(out, [packet]);

  return Buffer.from(out.subarray(0, length)).toString('hex');
}

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));

describe('feedback about video (RFC 5104, octet by octet)', () => {
  const CASES: [what: string, packet: RtcpPacket, hex: string][] = [
    [
      'FIR: PSFB 4, media source 0, then SSRC, sequence number and three reserved octets (4.3.1.1)',
      { type: 'FIR', senderSsrc: 0x01020304, requests: [{ ssrc: 0xa0b0c0d0, sequence: 7 }] },
      '84ce0004' + '01020304' + '00000000' + 'a0b0c0d0' + '07000000',
    ],
    [
      'TMMBR: RTPFB 3, 6 bits of exponent, 17 of mantissa, 9 of overhead (4.2.1.1)',
      {
        type: 'TMMBR',
        senderSsrc: 0x01020304,
        limits: [{ ssrc: 0xa0b0c0d0, bitrate: 100_000 * 4, overhead: 40 }],
      },
      // 400,000 = 100,000 · 2^2; 100,000 is 0x186a0.
      '83cd0004' +
        '01020304' +
        '00000000' +
        'a0b0c0d0' +
        (0x0b0d4028).toString(16).padStart(8, '0'),
    ],
    [
      'TMMBN without a limit: RTPFB 4 (4.2.2.1)',
      { type: 'TMMBN', senderSsrc: 0x01020304, limits: [] },
      '84cd0002' + '01020304' + '00000000',
    ],
    [
      'REMB: PSFB 15 with its name, 8 bits of count, 6 of exponent, 18 of mantissa',
      { type: 'REMB', senderSsrc: 1, bitrate: 500_000, ssrcs: [0x22] },
      // 500,000 = 250,000 · 2.
      '8fce0005' + '00000001' + '00000000' + '52454d42' + '0107d090' + '00000022',
    ],
  ];

  for (const [what, packet, hex] of CASES) {
    it(what, () => {
      expect(octets(packet)).toBe(hex);
      expect(parseRtcp(bytes(hex))).toEqual([packet]);
    });
  }

  it('limits never grow on their way', () => {
    for (const bitrate of [1, 131_071, 131_073, 1_234_567, 2 ** 40 + 1]) {
      const packet: RtcpPacket = {
        type: 'TMMBR',
        senderSsrc: 1,
        limits: [{ ssrc: 2, bitrate, overhead: 0 }],
      };
      const [read] = parseRtcp(bytes(octets(packet)))!;
      const limit = read?.type === 'TMMBR' ? read.limits[0]!.bitrate : NaN;
      expect(limit).toBeLessThanOrEqual(bitrate);
      expect(limit).toBeGreaterThan(bitrate * 0.9999);
    }
  });

  it('a list that ends within an entry is malformed', () => {
    expect(parseRtcp(bytes('84ce0003' + '01020304' + '00000000' + 'a0b0c0d0'))).toBeUndefined();
    expect(
      parseRtcp(bytes('8fce0004' + '00000001' + '00000000' + '52454d42' + '0207d090')),
    ).toBeUndefined();
  });

  it('other applications than REMB are left out', () => {
    expect(parseRtcp(bytes('8fce0003' + '00000001' + '00000000' + '41424344'))).toEqual([]);
  });
});
