import { describe, expect, it } from '@jest/globals';
import { RtpReceiver } from '../../../media/rtp/index.ts';
import {
  SequenceTracker,
  sequenceDifference,
  timestampDifference,
} from '../../../media/rtp/rtp-sequence.ts';
import { rtpPacket } from './packets.ts';

const TYPES = new Map([
  [0, { clockRate: 8000 }],
  [111, { clockRate: 48_000 }],
]);

function receive(
  receiver: RtpReceiver,
  sequence: number,
  now: number,
  ssrc = 1,
  timestamp = sequence * 160,
) {
  return receiver.receive(
    rtpPacket({ sequenceNumber: sequence & 0xffff, timestamp: timestamp >>> 0, ssrc }),
    now,
  );
}

describe('numbers that wrap (RFC 1982)', () => {
  it('differ by the shorter way round', () => {
    expect(sequenceDifference(2, 0xffff)).toBe(3);
    expect(sequenceDifference(0xffff, 2)).toBe(-3);
    expect(timestampDifference(5, 0xfffffffb)).toBe(10);
    expect(timestampDifference(0xfffffffb, 5)).toBe(-10);
  });
});

describe('sequence numbers of a source (RFC 3550 A.1, A.3)', () => {
  it('count cycles', () => {
    const tracker = new SequenceTracker(0xfffe);
    for (const sequence of [0xffff, 0, 1]) expect(tracker.update(sequence)).toBe('in-order');
    expect(tracker.extendedHighest).toBe(0x10001);
    expect(tracker.expected).toBe(4);
    expect(tracker.received).toBe(4);
  });

  it('jump by MAX_DROPOUT only after two sequential packets', () => {
    const tracker = new SequenceTracker(1);
    expect(tracker.update(20_000)).toBe('implausible');
    expect(tracker.update(30_000)).toBe('implausible');
    expect(tracker.update(30_001)).toBe('restarted');
  });

  it('may be late by MAX_MISORDER', () => {
    const tracker = new SequenceTracker(500);
    expect(tracker.update(450)).toBe('misordered');
    expect(tracker.update(501)).toBe('in-order');
  });
});

describe('RTP receiver', () => {
  it('believes the first source at once, another after two sequential packets', () => {
    const receiver = new RtpReceiver(TYPES);
    expect(receive(receiver, 1, 0)).toBe('new-source');
    expect(receive(receiver, 2, 20)).toBe('accepted');
    expect(receive(receiver, 700, 40, 2)).toBe('probation');
    expect(receive(receiver, 3, 40)).toBe('accepted');
    expect(receive(receiver, 701, 60, 2)).toBe('probation');
    expect(receive(receiver, 702, 80, 2)).toBe('new-source');
    expect(receiver.ssrc).toBe(2);
    expect(receiver.packetsReceived).toBe(4);
    expect(receiver.packetsLost).toBe(0);
  });

  it('never takes over sources that send one packet each', () => {
    const receiver = new RtpReceiver(TYPES);
    receive(receiver, 1, 0);
    for (let ssrc = 100; ssrc < 200; ssrc++)
      expect(receive(receiver, ssrc, 0, ssrc)).toBe('probation');
    expect(receiver.ssrc).toBe(1);
  });

  it('drops payload types that were not negotiated', () => {
    const receiver = new RtpReceiver(TYPES);
    expect(receiver.receive(rtpPacket({ payloadType: 96 }), 0)).toBe('unknown-payload');
    expect(receiver.reportBlock(0)).toBeUndefined();
  });

  it('reports loss as a fraction of the interval and in total (A.3)', () => {
    const receiver = new RtpReceiver(TYPES);
    for (const sequence of [1, 2, 3, 4, 6, 7, 9, 10]) receive(receiver, sequence, sequence * 20);
    expect(receiver.reportBlock(200)).toMatchObject({
      ssrc: 1,
      packetsLost: 2,
      fractionLost: 51,
      highestSequence: 10,
    });
    for (const sequence of [11, 12]) receive(receiver, sequence, sequence * 20);
    expect(receiver.reportBlock(300)).toMatchObject({ packetsLost: 2, fractionLost: 0 });
  });

  it('reports a negative loss when duplicates came', () => {
    const receiver = new RtpReceiver(TYPES);
    for (const sequence of [1, 2, 2, 2]) receive(receiver, sequence, 0);
    expect(receiver.reportBlock(0)!.packetsLost).toBe(-2);
    expect(receiver.packetsLost).toBe(0);
  });

  it('keeps the losses of a source that restarted', () => {
    const receiver = new RtpReceiver(TYPES);
    for (const sequence of [1, 2, 4]) receive(receiver, sequence, 0);
    expect(receive(receiver, 40_000, 0)).toBe('implausible');
    expect(receive(receiver, 40_001, 0)).toBe('new-source');
    expect(receiver.packetsLost).toBe(1);
    expect(receiver.packetsReceived).toBe(4);
  });

  it('measures jitter as A.8 does', () => {
    const receiver = new RtpReceiver(TYPES);
    let expected = 0;
    let now = 0;
    receive(receiver, 0, now);
    for (let i = 1; i <= 200; i++) {
      const took = i % 2 === 0 ? 10 : 30;
      now += took;
      receive(receiver, i, now);
      expected += (Math.abs(took - 20) * 8 - expected) / 16;
    }
    expect(receiver.jitterMs).toBeCloseTo(expected / 8, 6);
    expect(receiver.jitterMs).toBeCloseTo(10, 1);
    expect(receiver.reportBlock(now)!.jitter).toBe(Math.floor(expected));
  });

  it('leaves pressed keys and pauses out of the jitter', () => {
    const receiver = new RtpReceiver(TYPES);
    for (let i = 0; i < 10; i++) receive(receiver, i, i * 20, 1, 1600);
    receive(receiver, 10, 10_000, 1, 80_000);
    receive(receiver, 11, 20_000, 1, 80_160 + 160 * 100_000);
    expect(receiver.jitterMs).toBe(0);
  });

  it('answers LSR and DLSR of the last sender report of the current source', () => {
    const receiver = new RtpReceiver(TYPES);
    receive(receiver, 1, 0);
    receiver.senderReport(99, 1, 2, 0);
    expect(receiver.reportBlock(0)).toMatchObject({
      lastSenderReport: 0,
      delaySinceLastSenderReport: 0,
    });
    receiver.senderReport(1, 0xb705_2005 >>> 0, 0x4000_0000, 1000);
    expect(receiver.reportBlock(1500)).toMatchObject({
      lastSenderReport: 0x2005_4000,
      delaySinceLastSenderReport: 32_768,
    });
  });
});
