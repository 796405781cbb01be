import { describe, expect, it } from '@jest/globals';
import { StreamRewriter } from '../../../media/leg/stream-rewriter.ts';

interface Packet {
  ssrc: number;
  sequenceNumber: number;
  timestamp: number;
  marker: boolean;
}

function packet(ssrc: number, sequenceNumber: number, timestamp = sequenceNumber * 160): Packet {
  return {
    ssrc,
    sequenceNumber: sequenceNumber & 0xffff,
    timestamp: timestamp >>> 0,
    marker: false,
  };
}

/** Sequence number and timestamp out, or undefined when the packet was refused. */
function through(rewriter: StreamRewriter, input: Packet, now: number): number[] | undefined {
  return rewriter.rewrite(input, now) ? [rewriter.sequenceNumber, rewriter.timestamp] : undefined;
}

describe('StreamRewriter', () => {
  it('runs on over the wrap of the sequence number', () => {
    const rewriter = new StreamRewriter(8000, 100, 5000);
    const out = [65_534, 65_535, 65_536, 65_537].map((sequence, i) =>
      through(rewriter, packet(1, sequence), i * 20),
    );

    expect(out).toEqual([
      [100, 5000],
      [101, 5160],
      [102, 5320],
      [103, 5480],
    ]);
  });

  it('follows a change of SSRC with the next number and the time that passed', () => {
    const rewriter = new StreamRewriter(8000, 100, 5000);
    through(rewriter, packet(1, 10), 0);

    expect(through(rewriter, packet(2, 40_000, 77), 500)).toEqual([101, 9000]);
    expect(rewriter.marker).toBe(true);
    expect(through(rewriter, packet(2, 40_001, 237), 520)).toEqual([102, 9160]);
    expect(rewriter.marker).toBe(false);
  });

  it('keeps a loss of the source as a loss', () => {
    const rewriter = new StreamRewriter(8000, 100, 5000);
    through(rewriter, packet(1, 10), 0);

    expect(through(rewriter, packet(1, 13), 60)).toEqual([103, 5480]);
  });

  it('closes up over packets that are left out', () => {
    const rewriter = new StreamRewriter(8000, 100, 5000);
    through(rewriter, packet(1, 10), 0);
    for (const sequence of [11, 12, 13]) rewriter.leaveOut(packet(1, sequence, 10 * 160));

    expect(through(rewriter, packet(1, 14), 80)).toEqual([101, 5640]);
  });

  it('places a late packet where it belongs, also around one that was left out', () => {
    const rewriter = new StreamRewriter(8000, 100, 5000);
    through(rewriter, packet(1, 10), 0);
    rewriter.leaveOut(packet(1, 12));
    expect(through(rewriter, packet(1, 13), 60)).toEqual([102, 5480]);

    expect(through(rewriter, packet(1, 11), 61)).toEqual([101, 5160]);
  });

  it('refuses what is older than the source', () => {
    const rewriter = new StreamRewriter(8000, 100, 5000);
    through(rewriter, packet(1, 10), 0);

    expect(through(rewriter, packet(1, 9), 5)).toBeUndefined();
  });

  it('makes no gap over a pause that it was told of', () => {
    const rewriter = new StreamRewriter(8000, 100, 5000);
    through(rewriter, packet(1, 10), 0);
    rewriter.restart();

    expect(through(rewriter, packet(1, 510), 10_000)).toEqual([101, 85_000]);
  });

  it('takes a jump of the timestamp for a new beginning', () => {
    const rewriter = new StreamRewriter(8000, 100, 5000);
    through(rewriter, packet(1, 10), 0);

    expect(through(rewriter, packet(1, 11, 900_000_000), 20)).toEqual([101, 5160]);
  });
});
