import { describe, expect, it } from '@jest/globals';
import { RateLimiter } from '../../../base/index.ts';
import { KeyedRateLimiter, addressKey } from '../../../signaling/websocket/rate-limiter.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const LIMIT = { perSecond: 2, burst: 3 };

describe('RateLimiter', () => {
  it('allows a burst and then the rate', () => {
    const clock = new FakeClock();
    const limiter = new RateLimiter(LIMIT, clock);

    expect([1, 2, 3, 4].map(() => limiter.take())).toEqual([true, true, true, false]);
    clock.advance(500);
    expect([1, 2].map(() => limiter.take())).toEqual([true, false]);
  });

  it('does not save up more than a burst', () => {
    const clock = new FakeClock();
    const limiter = new RateLimiter(LIMIT, clock);
    clock.advance(60_000);

    expect([1, 2, 3, 4].map(() => limiter.take())).toEqual([true, true, true, false]);
  });
});

describe('KeyedRateLimiter', () => {
  it('counts each key by itself', () => {
    const limiter = new KeyedRateLimiter({ perSecond: 1, burst: 1 }, new FakeClock());

    expect([limiter.take('a'), limiter.take('a'), limiter.take('b')]).toEqual([true, false, true]);
  });

  it('keeps a bounded number of keys: strangers then share one bucket', () => {
    const clock = new FakeClock();
    const limiter = new KeyedRateLimiter({ perSecond: 1, burst: 1 }, clock, 2);

    expect(['a', 'b', 'c', 'd'].map((key) => limiter.take(key))).toEqual([true, true, true, false]);
    clock.advance(1000);
    expect(limiter.take('d')).toBe(true);
    expect(limiter.take('d')).toBe(false);
  });
});

describe('addressKey', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:aaaa:bbbb:cccc:dddd', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
  ])('of %s is %s', (address, key) => {
    expect(addressKey(address)).toBe(key);
  });
});
