import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { FrameAssembler, type VideoFrame } from '../../../media/grid/frame-assembler.ts';
import { PacketOrder, type VideoPacket } from '../../../media/grid/packet-order.ts';
import { MAX_PAYLOAD, nalUnits, packetize } from '../../../media/grid/packetizer.ts';

function packet(sequenceNumber: number, changes: Partial<VideoPacket> = {}): VideoPacket {
  return {
    sequenceNumber: sequenceNumber & 0xffff,
    timestamp: 0,
    marker: true,
    payload: Uint8Array.of(0x65, 1),
    ...changes,
  };
}

function ordered(): { order: PacketOrder; out: string[] } {
  const out: string[] = [];
  const order = new PacketOrder(({ sequenceNumber }, gap) => {
    out.push(`${gap ? '!' : ''}${sequenceNumber}`);
  });

  return { order, out };
}

describe('packets in order', () => {
  it('a packet that comes late stands where it belongs, over the wrap too', () => {
    const { order, out } = ordered();
    for (const sequence of [65_534, 65_536, 65_537, 65_535, 65_538])
      order.push(packet(sequence), 0);
    expect(out).toEqual(['65534', '65535', '0', '1', '2']);
  });

  it('one that is given twice, or after it was given up, is left out', () => {
    const { order, out } = ordered();
    order.push(packet(1), 0);
    order.push(packet(1), 0);
    order.push(packet(3), 0);
    order.expire(200);
    order.push(packet(2), 200);
    expect(out).toEqual(['1', '!3']);
  });

  it('what is missing is waited for, but not for long', () => {
    const { order, out } = ordered();
    order.push(packet(1), 0);
    order.push(packet(3), 10);
    order.expire(100);
    expect(out).toEqual(['1']);
    order.expire(140);
    expect(out).toEqual(['1', '!3']);
  });

  it('a sender that begins anew is followed at once', () => {
    const { order, out } = ordered();
    order.push(packet(1), 0);
    order.push(packet(20_000), 0);
    order.push(packet(20_001), 0);
    expect(out).toEqual(['1', '!20000', '20001']);
  });

  it('never holds more than a bounded number', () => {
    const { order, out } = ordered();
    order.push(packet(1), 0);
    for (let sequence = 3; sequence < 1000; sequence++) order.push(packet(sequence), 0);
    expect(out.length).toBeGreaterThan(800);
  });
});

describe('frames of H.264 (RFC 6184)', () => {
  const read = (): { assembler: FrameAssembler; frames: VideoFrame[] } => {
    const frames: VideoFrame[] = [];

    return { assembler: new FrameAssembler('H264', (frame) => frames.push(frame)), frames };
  };
  const idr = Uint8Array.of(0x65, 1, 2, 3);
  const delta = Uint8Array.of(0x41, 4, 5, 6);

  it('nothing before a key frame', () => {
    const { assembler, frames } = read();
    assembler.push(packet(1, { payload: delta, timestamp: 1 }), false);
    expect(frames).toHaveLength(0);
    expect(assembler.needsKey).toBe(true);
    assembler.push(packet(2, { payload: idr, timestamp: 2 }), false);
    assembler.push(packet(3, { payload: delta, timestamp: 3 }), false);
    expect(frames.map(({ key }) => key)).toEqual([true, false]);
  });

  it('after a loss nothing up to the next key frame, and not the frame that may lack its beginning', () => {
    const { assembler, frames } = read();
    assembler.push(packet(1, { payload: idr, timestamp: 1 }), false);
    assembler.push(packet(3, { payload: idr, timestamp: 2 }), true);
    assembler.push(packet(4, { payload: delta, timestamp: 3 }), false);
    expect(frames).toHaveLength(1);
    assembler.push(packet(5, { payload: idr, timestamp: 4 }), false);
    expect(frames).toHaveLength(2);
  });

  it('units of a STAP-A and of FU-A are put together', () => {
    const { assembler, frames } = read();
    const stap = Uint8Array.of(24, 0, 2, 0x67, 9, 0, 2, 0x68, 8);
    const first = Uint8Array.of(0x7c, 0x85, 1, 2);
    const last = Uint8Array.of(0x7c, 0x45, 3);
    assembler.push(packet(1, { payload: stap, marker: false }), false);
    assembler.push(packet(2, { payload: first, marker: false }), false);
    assembler.push(packet(3, { payload: last }), false);
    expect(nalUnits(frames[0]!.data).map((unit) => [...unit])).toEqual([
      [0x67, 9],
      [0x68, 8],
      [0x65, 1, 2, 3],
    ]);
    expect(frames[0]!.key).toBe(true);
  });

  it('a frame whose marker got lost ends with the next timestamp', () => {
    const { assembler, frames } = read();
    assembler.push(packet(1, { payload: idr, timestamp: 1, marker: false }), false);
    assembler.push(packet(2, { payload: delta, timestamp: 2 }), false);
    expect(frames).toHaveLength(2);
  });

  it('nothing that peers may send throws, and no frame grows without an end', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), fc.boolean(), (payloads, vp8) => {
        const assembler = new FrameAssembler(vp8 ? 'VP8' : 'H264', () => undefined);
        payloads.forEach((payload, index) => {
          assembler.push(packet(index, { payload, timestamp: index % 3 }), index % 5 === 4);
        });
      }),
    );
    const { assembler, frames } = read();
    const payload = new Uint8Array(1400).fill(0x65);
    for (let index = 0; index < 2000; index++) {
      assembler.push(packet(index, { payload, marker: index === 1999 }), false);
    }
    expect(frames).toHaveLength(0);
  });
});

describe('packets of frames', () => {
  const octets = fc.uint8Array({ minLength: 2, maxLength: 6000 });

  it('VP8: what was cut comes together again, in packets that fit (RFC 7741)', () => {
    fc.assert(
      fc.property(octets, fc.nat(0x7fff), (data, pictureId) => {
        data[0] = data[0]! & 0xfe;
        const payloads = packetize('VP8', data, pictureId);
        const frames: VideoFrame[] = [];
        const assembler = new FrameAssembler('VP8', (frame) => frames.push(frame));
        payloads.forEach((payload, index) => {
          expect(payload.length).toBeLessThanOrEqual(MAX_PAYLOAD);
          const marker = index === payloads.length - 1;
          assembler.push(packet(index, { payload, marker }), false);
        });
        expect(frames).toEqual([{ data: Buffer.from(data), key: true }]);
      }),
    );
  });

  it('H.264: a unit that fits is a packet, a larger one is fragmented, SEI is left out', () => {
    const unit = (type: number, length: number): Buffer =>
      Buffer.concat([Uint8Array.of(0, 0, 0, 1, type), Buffer.alloc(length - 1, 7)]);
    const frame = Buffer.concat([unit(0x67, 20), unit(6, 100), unit(0x65, 1180), unit(0x65, 3000)]);
    const payloads = packetize('H264', frame, 0);
    expect(payloads.map((payload) => payload[0]! & 0x1f)).toEqual([7, 5, 28, 28, 28]);
    const frames: VideoFrame[] = [];
    const assembler = new FrameAssembler('H264', (whole) => frames.push(whole));
    payloads.forEach((payload, index) => {
      expect(payload.length).toBeLessThanOrEqual(MAX_PAYLOAD);
      assembler.push(packet(index, { payload, marker: index === payloads.length - 1 }), false);
    });
    expect(nalUnits(frames[0]!.data).map(({ length }) => length)).toEqual([20, 1180, 3000]);
  });
});
