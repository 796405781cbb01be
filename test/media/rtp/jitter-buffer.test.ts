/** Size: one buffer; its two ways of being played are used by all rules alike. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { JitterBuffer, type JitterBufferOptions } from '../../../media/rtp/index.ts';
import { rtpPacket } from './packets.ts';

const FRAME = 20;

/** Packets by number: the payload's first two octets name them, so that order can be told. */
function packet(number: number, ssrc = 1, units = 160) {
  return rtpPacket({
    sequenceNumber: number & 0xffff,
    timestamp: (number * units) >>> 0,
    ssrc,
    payload: Uint8Array.of((number >> 8) & 0xff, number & 0xff),
  });
}

interface Arrival {
  at: number;
  number: number;
}

/** Ticks every 20 ms from 5 ms on; answers what each tick got: a number, `-` missing, ` ` empty. */
function play(
  arrivals: Arrival[],
  ticks: number,
  options: Partial<JitterBufferOptions> = {},
): { heard: (number | '-' | ' ')[]; buffer: JitterBuffer } {
  const buffer = new JitterBuffer({ clockRate: 8000, ...options });
  const pending = arrivals.toSorted((a, b) => a.at - b.at);
  const heard: (number | '-' | ' ')[] = [];
  for (let tick = 0; tick < ticks; tick++) {
    const now = 5 + tick * FRAME;
    while (pending.length > 0 && pending[0]!.at <= now) {
      const { at, number } = pending.shift()!;
      buffer.push(packet(number), at);
    }
    const frame = buffer.pull(now);
    if (frame === 'missing') heard.push('-');
    else if (frame === 'empty') heard.push(' ');
    else heard.push((frame.payload[0]! << 8) | frame.payload[1]!);
  }

  return { heard, buffer };
}

interface Stretched {
  buffer: JitterBuffer;
  /** Milliseconds that each packet played had waited. */
  worstWait: number[];
  /** Losses at which the packet behind was there. */
  copies: number;
}

/** As a mixer plays: 20 ms at each tick out of what is left, stretched by 5 ms when it is asked to. */
function playStretching(
  arrivals: Arrival[],
  ticks: number,
  options: Partial<JitterBufferOptions> = {},
): Stretched {
  const buffer = new JitterBuffer({ clockRate: 8000, ...options });
  const pending = arrivals.toSorted((a, b) => a.at - b.at);
  const arrivedAt = new Map(arrivals.map(({ at, number }) => [number & 0xffff, at]));
  const result: Stretched = { buffer, worstWait: [], copies: 0 };
  let rest = 0;
  let next = 0;
  for (let tick = 0; tick < ticks; tick++) {
    const now = 5 + tick * FRAME;
    for (; next < pending.length && pending[next]!.at <= now; next++) {
      buffer.push(packet(pending[next]!.number), pending[next]!.at);
    }
    while (rest < FRAME) {
      const stretch = buffer.stretch(now);
      const frame = buffer.pull(now, rest);
      if (frame === 'empty') break;
      rest += FRAME;
      if (frame === 'missing') {
        if (buffer.peek() !== undefined) result.copies++;
        continue;
      }
      result.worstWait.push(now - arrivedAt.get(frame.sequenceNumber)!);
      if (stretch === 0) continue;
      const ms = Math.max(-5, Math.min(5, stretch));
      rest += ms;
      buffer.stretched(ms, now);
    }
    rest = Math.max(0, rest - FRAME);
  }

  return result;
}

function stream(from: number, to: number, delay: (number: number) => number = () => 0): Arrival[] {
  const arrivals: Arrival[] = [];
  for (let number = from; number < to; number++) {
    arrivals.push({ at: (number - from) * FRAME + delay(number), number });
  }

  return arrivals;
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_unused, index) => from + index);
}

describe('jitter buffer on a clean path', () => {
  it('plays every packet in order after one frame at most', () => {
    const { heard, buffer } = play(stream(0, 100), 101);
    expect(heard).toEqual([' ', ...range(0, 100)]);
    expect(buffer.counters).toMatchObject({ played: 100, missing: 0, late: 0, dropped: 0 });
    expect(buffer.targetDelayMs).toBe(10);
  });

  it('crosses the wrap of the sequence number', () => {
    const { heard } = play(stream(65_500, 65_600), 101);
    expect(heard.slice(1)).toEqual(range(65_500, 65_600).map((number) => number & 0xffff));
  });
});

describe('jitter buffer and the network', () => {
  it('reorders', () => {
    const arrivals = stream(0, 20, (number) => (number === 10 ? 22 : 0));
    const { heard, buffer } = play(arrivals, 23);
    expect(heard.filter((item) => typeof item === 'number')).toEqual(range(0, 20));
    expect(buffer.counters.late).toBe(0);
  });

  it('plays duplicates once', () => {
    const { heard, buffer } = play([...stream(0, 20), ...stream(0, 20)], 21);
    expect(heard.slice(1)).toEqual(range(0, 20));
    expect(buffer.counters.duplicates + buffer.counters.late).toBe(20);
  });

  it('conceals a lost packet in its place and keeps the time', () => {
    const { heard, buffer } = play(
      stream(0, 20).filter(({ number }) => number !== 7),
      21,
    );
    expect(heard).toEqual([' ', ...range(0, 7), '-', ...range(8, 20)]);
    expect(buffer.counters.missing).toBe(1);
  });

  it('conceals three lost packets in a row in their place', () => {
    const lost = new Set([7, 8, 9]);
    const { heard } = play(
      stream(0, 20).filter(({ number }) => !lost.has(number)),
      21,
    );
    expect(heard).toEqual([' ', ...range(0, 7), '-', '-', '-', ...range(10, 20)]);
  });

  it('gives the packet behind a loss to forward error correction', () => {
    const buffer = new JitterBuffer({ clockRate: 8000 });
    for (const number of [1, 2, 4]) buffer.push(packet(number), 0);
    buffer.pull(20);
    buffer.pull(40);
    expect(buffer.pull(60)).toBe('missing');
    expect([...buffer.peek()!]).toEqual([0, 4]);
    expect(buffer.pull(80)).toMatchObject({ sequenceNumber: 4 });
    expect(buffer.peek()).toBeUndefined();
  });

  it('waits for what is late, plays it and stays behind by that much', () => {
    const { heard, buffer } = play(
      stream(0, 30, (number) => (number >= 10 ? 45 : 0)),
      33,
    );
    expect(heard.filter((item) => typeof item === 'number')).toEqual(range(0, 30));
    expect(heard.filter((item) => item === '-')).toHaveLength(2);
    expect(buffer.counters.late).toBe(0);
  });

  it('raises its target with the jitter and is bounded', () => {
    let seed = 1;
    const random = () => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
    const { heard, buffer } = play(
      stream(0, 1000, () => random() * 60),
      1010,
    );
    expect(buffer.targetDelayMs).toBeGreaterThan(25);
    expect(buffer.targetDelayMs).toBeLessThanOrEqual(200);
    const played = heard.filter((item) => typeof item === 'number');
    expect(played.length).toBeGreaterThan(980);
    expect(played).toEqual(played.toSorted((a, b) => Number(a) - Number(b)));
    expect(heard.slice(500).filter((item) => item === '-').length).toBeLessThan(10);
  });

  it('gives the delay back when the path is calm again, without leaving a packet out', () => {
    const { buffer, worstWait } = playStretching(
      stream(0, 1500, (number) => (number >= 100 && number < 110 ? 200 - (number - 100) * 20 : 0)),
      1500,
    );
    expect(buffer.counters.shortened).toBeGreaterThan(0);
    expect(buffer.counters.dropped).toBe(0);
    expect(worstWait.slice(-100).every((wait) => wait <= 35)).toBe(true);
  });

  it('throws the old part of a burst away', () => {
    const buffer = new JitterBuffer({ clockRate: 8000, maxDelayMs: 100 });
    for (let number = 0; number < 50; number++) buffer.push(packet(number), 1000);
    expect(buffer.depthMs).toBeLessThanOrEqual(140);
    const frame = buffer.pull(1020);
    expect(frame).toMatchObject({ skipped: true, sequenceNumber: 43 });
  });

  it('stops concealing after 100 ms and starts again with the next talkspurt', () => {
    const again = stream(10, 20).map(({ at, number }) => ({ at: at + 2000, number }));
    const { heard } = play([...stream(0, 10), ...again], 120);
    expect(heard.filter((item) => item === '-')).toHaveLength(5);
    expect(heard.filter((item) => typeof item === 'number')).toEqual(range(0, 20));
  });

  it.each([200, -200])('follows a clock that is %i ppm fast, for 10 minutes', (ppm) => {
    const arrivals = stream(0, 30_000).map(({ at, number }) => ({
      at: at * (1 - ppm / 1e6),
      number,
    }));
    const { buffer, worstWait } = playStretching(arrivals, 29_990);
    expect(buffer.counters).toMatchObject({ missing: 0, late: 0, dropped: 0 });
    expect(Math.max(...worstWait)).toBeLessThanOrEqual(35);
    const { lengthened, shortened } = buffer.counters;
    // 120 ms in 5 ms steps, and what it takes to go from one tick to the next.
    expect(ppm > 0 ? shortened : lengthened).toBeGreaterThan(15);
    expect(lengthened + shortened).toBeLessThan(60);
  });

  it('waits a frame longer for the copy in the next packet, while packets get lost', () => {
    const lossy = (redundant: boolean): number => {
      const { copies } = playStretching(
        stream(0, 1500, () => 10).filter(({ number }) => number % 12 !== 5),
        1490,
        { redundant },
      );

      return copies;
    };
    expect(lossy(false)).toBe(0);
    expect(lossy(true)).toBeGreaterThan(80);
  });

  it('waits longer when packets come after their time', () => {
    // Every tenth is overtaken by the next.
    const overtaken = stream(0, 1000, (number) => (number % 10 === 5 ? 34 : 0));
    const { buffer } = playStretching(overtaken, 990);
    const { late } = buffer.counters;
    expect(late).toBeLessThan(20);
    expect(buffer.counters.lengthened).toBeGreaterThan(0);
  });

  it('does not take an announced pause for a loss', () => {
    const buffer = new JitterBuffer({ clockRate: 8000 });
    buffer.push(packet(1), 0);
    buffer.pull(20);
    buffer.pause();
    expect(buffer.pull(40)).toBe('empty');
    expect(buffer.counters.missing).toBe(0);
  });
});

describe('jitter buffer and the stream', () => {
  it('starts anew with another SSRC', () => {
    const buffer = new JitterBuffer({ clockRate: 8000 });
    buffer.push(packet(1), 0);
    buffer.push(packet(9000, 2), 20);
    expect(buffer.pull(40)).toMatchObject({ sequenceNumber: 9000 });
    expect(buffer.counters.resets).toBe(1);
  });

  it('starts anew when the sequence number jumps', () => {
    const buffer = new JitterBuffer({ clockRate: 8000 });
    buffer.push(packet(1), 0);
    buffer.push(packet(5000), 20);
    expect(buffer.pull(40)).toMatchObject({ sequenceNumber: 5000 });
  });

  it('goes on behind a gap longer than it can hold', () => {
    const buffer = new JitterBuffer({ clockRate: 8000 });
    buffer.push(packet(1), 0);
    expect(buffer.pull(20)).toMatchObject({ sequenceNumber: 1 });
    buffer.push(packet(301), 6000);
    expect(buffer.pull(6005)).toBe('empty');
    expect(buffer.pull(6025)).toMatchObject({ sequenceNumber: 301, skipped: true });
  });

  it('learns how long packets are, 10 to 60 ms', () => {
    for (const ms of [10, 20, 30, 60]) {
      const buffer = new JitterBuffer({ clockRate: 48_000 });
      for (const number of [1, 2, 3]) buffer.push(packet(number, 1, ms * 48), 0);
      expect(buffer.frameDuration).toBe(ms * 48);
      expect(buffer.depthMs).toBe(3 * ms);
    }
  });

  it('does not conceal the time that a pressed key took out of the audio', () => {
    const buffer = new JitterBuffer({ clockRate: 8000 });
    buffer.push(packet(1), 0);
    buffer.pull(20);
    const after = rtpPacket({ sequenceNumber: 9, timestamp: 160 + 160 * 50, ssrc: 1 });
    buffer.push(after, 30);
    expect(buffer.pull(40)).toMatchObject({ sequenceNumber: 9, skipped: true });
  });

  it('survives any order of any packets', () => {
    const step = fc.record({
      number: fc.oneof(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: 0xffff })),
      jump: fc.integer({ min: -100_000, max: 100_000 }),
      ssrc: fc.constantFrom(1, 1, 1, 1, 2),
      wait: fc.integer({ min: 0, max: 60 }),
      pulls: fc.integer({ min: 0, max: 3 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const buffer = new JitterBuffer({ clockRate: 8000 });
        let now = 0;
        for (const { number, jump, ssrc, wait, pulls } of steps) {
          now += wait;
          const timestamp = (number * 160 + (jump % 7 === 0 ? jump : 0)) >>> 0;
          buffer.push(rtpPacket({ sequenceNumber: number, timestamp, ssrc }), now);
          for (let i = 0; i < pulls; i++) buffer.pull(now);
          expect(buffer.depthMs).toBeLessThan(64 * 121);
        }
        // It always runs dry in the end.
        for (let i = 0; i < 300; i++) buffer.pull((now += 20));
        expect(buffer.pull(now)).toBe('empty');
        expect(buffer.depthMs).toBe(0);
      }),
      { numRuns: 300 },
    );
  });
});
