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
