import { describe, expect, it } from '@jest/globals';
import { PcmFifo } from '../../../media/mixer/pcm-fifo.ts';

describe('PcmFifo', () => {
  it('gives back what was written, across its end', () => {
    const fifo = new PcmFifo(300);
    const out = new Int16Array(160);
    const seen: number[] = [];
    let next = 0;
    for (let round = 0; round < 50; round++) {
      while (fifo.length < 160) {
        fifo.write(
          Int16Array.from({ length: 120 }, () => next++ % 30_000),
          120,
        );
      }
      fifo.read(out);
      seen.push(...out);
    }

    expect(seen.every((value, i) => value === i % 30_000)).toBe(true);
  });

  it('fills what is missing with silence', () => {
    const fifo = new PcmFifo(320);
    fifo.write(new Int16Array(50).fill(7), 50);
    const out = new Int16Array(160).fill(9);

    expect(fifo.read(out)).toBe(50);
    expect([out[49], out[50], out[159]]).toEqual([7, 0, 0]);
  });

  it('counts silence, and writes it down when a sound follows', () => {
    const fifo = new PcmFifo(320);
    const out = new Int16Array(100).fill(9);
    fifo.write(new Int16Array(50).fill(7), 50);
    fifo.hush();
    fifo.writeSilence(30);
    expect([fifo.length, fifo.skip(60), fifo.length]).toEqual([80, 60, 20]);
    fifo.write(new Int16Array(10).fill(7), 10);

    expect(fifo.read(out)).toBe(30);
    expect([...out.subarray(18, 32)]).toEqual([0, 0, ...new Array<number>(10).fill(7), 0, 0]);
    fifo.writeSilence(400);
    expect([fifo.length, fifo.overflowed, fifo.read(out)]).toEqual([320, 80, 100]);
    expect(out.every((sample) => sample === 0)).toBe(true);
  });

  it('drops the oldest when it is full and counts that', () => {
    const fifo = new PcmFifo(100);
    fifo.write(new Int16Array(80).fill(1), 80);
    fifo.write(new Int16Array(60).fill(2), 60);
    const out = new Int16Array(100);
    fifo.read(out);

    expect(fifo.overflowed).toBe(40);
    expect([out[39], out[40]]).toEqual([1, 2]);
  });
});
