import { describe, expect, it } from '@jest/globals';
import { RtpPacketView, RtpSender } from '../../../media/rtp/index.ts';

function send(sender: RtpSender, now: number, duration = 160): RtpPacketView {
  const out = new Uint8Array(172);
  expect(sender.writeHeader(out, 0, duration, 160, now)).toBe(12);
  const view = new RtpPacketView();
  expect(view.parse(out)).toBe(true);

  return view;
}

describe('RTP sender (RFC 3550 5.1)', () => {
  it('counts sequence number and timestamp on, over pauses and other clocks', () => {
    const sender = new RtpSender(8000, 7);
    const first = send(sender, 0);
    const second = send(sender, 20);
    expect(second.sequenceNumber).toBe((first.sequenceNumber + 1) & 0xffff);
    expect(second.timestamp).toBe((first.timestamp + 160) >>> 0);
    sender.skip(8000);
    const third = send(sender, 1040);
    expect(third.sequenceNumber).toBe((first.sequenceNumber + 2) & 0xffff);
    expect(third.timestamp).toBe((first.timestamp + 320 + 8000) >>> 0);
    expect(third.ssrc).toBe(7);
  });

  it('marks the first packet of a talkspurt only (RFC 3551 4.1)', () => {
    const sender = new RtpSender(8000);
    expect(
      [send(sender, 0), send(sender, 20), send(sender, 40)].map(({ marker }) => marker),
    ).toEqual([true, false, false]);
    sender.skip(160);
    expect(send(sender, 80).marker).toBe(true);
  });

  it('says in a sender report which timestamp belongs to now', () => {
    const sender = new RtpSender(8000, 7);
    expect(sender.senderInfo(0, 0)).toBeUndefined();
    const { timestamp } = send(sender, 1000);
    const info = sender.senderInfo(1010, 1500)!;
    expect(info).toEqual({
      ntpSeconds: 2_208_988_801,
      ntpFraction: 0x8000_0000,
      rtpTimestamp: (timestamp + 80) >>> 0,
      packetCount: 1,
      octetCount: 160,
    });
  });

  it('tells the round trip from the report about it: A - LSR - DLSR (6.4.1)', () => {
    const sender = new RtpSender(8000, 7);
    send(sender, 0);
    const wall = Date.UTC(2026, 0, 1);
    const { ntpSeconds, ntpFraction } = sender.senderInfo(0, wall)!;
    const block = {
      ssrc: 7,
      fractionLost: 0,
      packetsLost: 0,
      highestSequence: 0,
      jitter: 0,
      lastSenderReport: (((ntpSeconds & 0xffff) << 16) | (ntpFraction >>> 16)) >>> 0,
      delaySinceLastSenderReport: 65_536 / 2,
    };
    expect(sender.roundTrip(block, wall + 580)).toBeCloseTo(80, 0);
    expect(sender.roundTrip({ ...block, ssrc: 8 }, wall + 580)).toBeUndefined();
    expect(sender.roundTrip({ ...block, lastSenderReport: 0 }, wall + 580)).toBeUndefined();
    expect(sender.roundTrip(block, wall + 400)).toBeUndefined();
  });
});
