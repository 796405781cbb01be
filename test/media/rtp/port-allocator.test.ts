import { describe, expect, it } from '@jest/globals';
import { PortAllocator, type PortPair } from '../../../media/rtp/index.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const bind = async (pair: PortPair) => Promise.resolve(pair);

describe('port pairs (RFC 3550 11)', () => {
  it('are even and the next odd, inside the range', async () => {
    const ports = new PortAllocator({ min: 20_001, max: 20_006, clock: new FakeClock() });
    expect(await ports.allocate(bind)).toEqual({ rtp: 20_002, rtcp: 20_003 });
    expect(await ports.allocate(bind)).toEqual({ rtp: 20_004, rtcp: 20_005 });
    expect(await ports.allocate(bind)).toBeUndefined();
    expect(ports.inUse).toBe(2);
    expect(ports.refused).toBe(1);
  });

  it('rest after their release', async () => {
    const clock = new FakeClock();
    const ports = new PortAllocator({ min: 20_000, max: 20_001, clock, quarantineMs: 5000 });
    const pair = (await ports.allocate(bind))!;
    ports.release(pair);
    ports.release(pair);
    expect(ports.inUse).toBe(0);
    clock.advance(4999);
    expect(await ports.allocate(bind)).toBeUndefined();
    clock.advance(1);
    expect(await ports.allocate(bind)).toEqual(pair);
    expect(await ports.allocate(bind)).toBeUndefined();
  });

  it('are passed over when they cannot be bound', async () => {
    const ports = new PortAllocator({ min: 20_000, max: 20_005, clock: new FakeClock() });
    const tried: number[] = [];
    const got = await ports.allocate(async (pair) => {
      tried.push(pair.rtp);
      if (pair.rtp < 20_004) throw new Error('EADDRINUSE');

      return Promise.resolve(pair);
    });
    expect(tried).toEqual([20_000, 20_002, 20_004]);
    expect(got).toEqual({ rtp: 20_004, rtcp: 20_005 });
    expect(ports.inUse).toBe(1);
  });

  it('are never the same for two at once', async () => {
    const ports = new PortAllocator({ min: 20_000, max: 20_019, clock: new FakeClock() });
    const pairs = await Promise.all(Array.from({ length: 12 }, async () => ports.allocate(bind)));
    const numbers = pairs.filter((pair) => pair !== undefined).map(({ rtp }) => rtp);
    expect(new Set(numbers).size).toBe(10);
    expect(numbers).toHaveLength(10);
  });

  it('never touch the ports that are reserved', async () => {
    const ports = new PortAllocator({
      min: 20_000,
      max: 20_011,
      reserved: { min: 20_003, max: 20_006 },
      clock: new FakeClock(),
    });
    const pairs = await Promise.all(Array.from({ length: 6 }, async () => ports.allocate(bind)));

    expect(pairs.map((pair) => pair?.rtp)).toEqual([
      20_000,
      20_008,
      20_010,
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('must exist', () => {
    expect(() => new PortAllocator({ min: 5, max: 6, clock: new FakeClock() })).toThrow(TypeError);
  });
});
