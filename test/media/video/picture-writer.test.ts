import { describe, expect, it } from '@jest/globals';
import { RtpPacketView, RtpSender } from '../../../media/rtp/index.ts';
import { ParameterSets } from '../../../media/video/h264.ts';
import { PictureWriter, type WriterFormat } from '../../../media/video/picture-writer.ts';
import { ReorderBuffer, type VideoPacket } from '../../../media/video/reorder-buffer.ts';
import { Retransmitter } from '../../../media/video/retransmitter.ts';
import { SentPackets } from '../../../media/video/sent-packets.ts';
import { TimestampLine } from '../../../media/video/timestamp-line.ts';
import { fragments, idr, PPS, slice, SPS, stapA } from './h264-packets.ts';

interface Written {
  sequence: number;
  timestamp: number;
  marker: boolean;
  payload: Uint8Array;
}

function writer(packetizationMode: 0 | 1 = 1, codec: WriterFormat['codec'] = 'H264') {
  const written: Written[] = [];
  const view = new RtpPacketView();
  const made = new PictureWriter(new RtpSender(90_000, 77), ({ data, length }) => {
    view.parse(data.slice(0, length));
    const { sequenceNumber: sequence, timestamp, marker } = view;
    written.push({ sequence, timestamp, marker, payload: view.payload() });
  });
  made.configure({ codec, payloadType: 97, packetizationMode });

  return { made, written };
}

const packet = (payload: Uint8Array, timestamp = 0, marker = true): VideoPacket => ({
  sequenceNumber: 0,
  timestamp,
  marker,
  payload,
});

const sets = (): ParameterSets => {
  const known = new ParameterSets();
  known.note(SPS, 1);
  known.note(PPS, 1);

  return known;
};

describe('one stream out of several sources', () => {
  it('sequence numbers run on, the time that passed is between the sources', () => {
    const { made, written } = writer();
    made.write(packet(slice(1), 0xffff_ff00), 0, sets(), 1000);
    made.write(packet(slice(1), 0x0000_0100), 0, sets(), 1005);
    made.restart();
    made.write(packet(slice(2), 12), 0, sets(), 1105);
    const [a, b, c] = written.map(({ sequence, timestamp }) => [sequence, timestamp]);
    expect(((b![0]! - a![0]!) & 0xffff) + ((c![0]! - b![0]!) & 0xffff)).toBe(2);
    expect((b![1]! - a![1]!) >>> 0).toBe(0x200);
    expect((c![1]! - b![1]!) >>> 0).toBe(100 * 90);
  });

  it('packets that were lost before leave their gap, padding alone leaves none', () => {
    const { made, written } = writer();
    made.write(packet(slice(1)), 0, sets(), 0);
    made.write(packet(new Uint8Array(0)), 0, sets(), 0);
    made.write(packet(slice(1)), 3, sets(), 0);
    expect((written[1]!.sequence - written[0]!.sequence) & 0xffff).toBe(4);
  });

  it('parameter sets go before each IDR picture that does not bring them', () => {
    const { made, written } = writer();
    const known = sets();
    made.write(packet(idr(1), 500, false), 0, known, 0);
    made.write(packet(Uint8Array.of(0x65, 0x40, 1), 500), 0, known, 0);
    expect(written.map(({ payload }) => payload[0]! & 31)).toEqual([7, 8, 5, 5]);
    expect(written.map(({ marker }) => marker)).toEqual([false, false, false, true]);
    known.note(stapA(SPS, PPS), 900);
    made.write(packet(idr(1), 900), 0, known, 0);
    expect(written).toHaveLength(5);
  });

  it('they go before the first one of a source too, whose own came before the switch', () => {
    const { made, written } = writer();
    const known = sets();
    known.note(SPS, 700);
    made.write(packet(idr(1), 700), 0, known, 0);
    expect(written.map(({ payload }) => payload[0]! & 31)).toEqual([7, 8, 5]);
    made.restart();
    made.write(packet(stapA(SPS, PPS, idr(1)), 800), 0, known, 0);
    expect(written).toHaveLength(4);
  });

  it('packetization-mode 0: the last unit of a picture has the marker', () => {
    const { made, written } = writer(0);
    const parts = fragments(idr(4, 1400), 500);
    parts.forEach((part, i) => {
      made.write(packet(part, 9, i === parts.length - 1), 0, sets(), 0);
    });
    expect(written.map(({ payload }) => [payload[0]! & 31, payload.length])).toEqual([
      [7, SPS.length],
      [8, PPS.length],
      [5, 1400],
    ]);
    expect(written.map(({ marker }) => marker)).toEqual([false, false, true]);
  });
});

describe('the timestamps', () => {
  it('take a clock that jumps for a new beginning', () => {
    const line = new TimestampLine(100);
    expect(line.map(5_000_000, 7000)).toBe(100);
    expect(line.map(5_003_000, 7033)).toBe(3100);
    expect(line.map(900_000_000, 7066)).toBe(3100 + 33 * 90);
    expect(line.map(900_003_000, 7100)).toBe(3100 + 33 * 90 + 3000);
  });

  it('count from the first packet, not from when the machine started', () => {
    const line = new TimestampLine(100);
    expect(line.map(1, 50_000)).toBe(100);
    line.restart();
    expect(line.map(2, 50_100)).toBe(100 + 100 * 90);
  });
});

describe('a source in order', () => {
  function buffer() {
    const got: string[] = [];
    const reorder = new ReorderBuffer(({ sequenceNumber }, lost) => {
      got.push(lost > 0 ? `-${lost} ${sequenceNumber}` : String(sequenceNumber));
    });
    const push = (sequence: number, now = 0): void => {
      reorder.push({ ...packet(slice(1)), sequenceNumber: sequence & 0xffff }, now);
    };

    return { got, push };
  }

  it('waits for what is repaired, over the wrap', () => {
    const { got, push } = buffer();
    for (const sequence of [65_534, 0, 1, 65_535, 2, 65_535]) push(sequence);
    expect(got).toEqual(['65534', '65535', '0', '1', '2']);
  });

  it('gives up after a while, and says how much is missing', () => {
    const { got, push } = buffer();
    push(10, 0);
    push(13, 10);
    push(14, 100);
    expect(got).toEqual(['10']);
    push(15, 300);
    expect(got).toEqual(['10', '-2 13', '14', '15']);
    push(11, 310);
    expect(got).toHaveLength(4);
  });

  it('holds a bounded number', () => {
    const { got, push } = buffer();
    push(0);
    for (let sequence = 2; sequence < 300; sequence++) push(sequence);
    expect(got.length).toBe(299);
  });

  it('begins anew with a source that begins anew', () => {
    const { got, push } = buffer();
    push(10);
    push(12);
    push(30_000);
    push(30_001);
    expect(got).toEqual(['10', '30000', '30001']);
  });
});

describe('packets that a phone asks for again (RFC 4585 6.2.1)', () => {
  const bytes = (sequence: number): Uint8Array => {
    const data = new Uint8Array(14).fill(sequence);
    data.set([0x80, 0x80 | 97, sequence >> 8, sequence, 1, 2, 3, 4, 0, 0, 0, 77]);

    return data;
  };

  it('are there for a while, and sent so often at most', () => {
    const sent = new SentPackets();
    sent.put(5, bytes(5), 14, 0);
    expect(sent.take(5, 5)).toBeUndefined();
    const copies = [50, 55, 100, 150, 200, 250, 300].map((now) => sent.take(5, now) !== undefined);
    expect(copies).toEqual([true, false, true, true, true, true, false]);
    expect(sent.take(6, 50)).toBeUndefined();
    sent.put(5 + 512, bytes(5), 14, 400);
    expect(sent.take(5, 500)).toBeUndefined();
  });

  it('go in a stream of their own with the number that they had (RFC 4588 4)', () => {
    const out: Uint8Array[] = [];
    const resender = new Retransmitter((data, length) => out.push(data.slice(0, length)));
    resender.keep({ data: bytes(600), length: 14, sequence: 600 }, 0);
    resender.resend([600, 601], 100);
    expect(out[0]).toEqual(bytes(600));
    resender.configure(98);
    resender.resend([600], 200);
    const view = new RtpPacketView();
    expect(view.parse(out[1]!)).toBe(true);
    expect(view).toMatchObject({
      payloadType: 98,
      marker: true,
      timestamp: 0x01020304,
      ssrc: resender.ssrc,
    });
    expect([...view.payload()]).toEqual([600 >> 8, 600 & 255, ...bytes(600).subarray(12)]);
    expect(resender.count).toBe(2);
  });

  it('who asks for everything again and again gets a bounded number a second', () => {
    const resender = new Retransmitter(() => undefined);
    const all = Array.from({ length: 500 }, (_, i) => i);
    for (const sequence of all) resender.keep({ data: bytes(sequence), length: 14, sequence }, 0);
    for (let now = 100; now < 1000; now += 100) resender.resend(all, now);
    expect(resender.count).toBe(200);
    resender.resend(all, 1200);
    expect(resender.count).toBe(400);
  });
});
