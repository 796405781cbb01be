import { describe, expect, it } from '@jest/globals';
import { AttemptLimiter, NonceBook } from '../../../../signaling/sip/auth/index.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

describe('7616-5.5-a nonces', () => {
  it('are ours and fresh, then stale; anything else is foreign', () => {
    const clock = new FakeClock();
    const book = new NonceBook({ clock, lifetimeMs: 1000 });
    const nonce = book.issue();
    expect(book.judge(nonce)).toBe('fresh');
    clock.advance(1001);
    expect(book.judge(nonce)).toBe('stale');
    for (const other of ['', 'x', `${nonce}A`, new NonceBook({ clock }).issue(), '='.repeat(38)]) {
      expect(book.judge(other)).toBe('foreign');
    }
  });

  it('take each count once, out of order within a window', () => {
    const book = new NonceBook({ clock: new FakeClock() });
    const nonce = book.issue();
    expect(book.use(nonce, 3)).toBe(true);
    expect(book.use(nonce, 1)).toBe(true);
    expect(book.use(nonce, 1)).toBe(false);
    expect(book.use(nonce, 3)).toBe(false);
    expect(book.use(nonce, 0)).toBe(false);
    expect(book.use(nonce, 200)).toBe(true);
    expect(book.use(nonce, 100)).toBe(false);
    expect(book.use(nonce, 199)).toBe(true);
    expect(book.use(nonce, 200)).toBe(false);
    expect(book.use(nonce, 2 ** 32)).toBe(false);
  });

  it('without a count are good once', () => {
    const book = new NonceBook({ clock: new FakeClock() });
    const nonce = book.issue();
    expect(book.use(nonce, undefined)).toBe(true);
    expect(book.use(nonce, undefined)).toBe(false);
    expect(book.use(nonce, 5)).toBe(false);
  });

  it('are forgotten in bounded memory, and then are stale rather than good again', () => {
    const clock = new FakeClock();
    const book = new NonceBook({ clock, maxUsed: 2 });
    const nonces = [1, 2, 3].map(() => {
      clock.advance(1);

      return book.issue();
    });
    for (const nonce of nonces) expect(book.use(nonce, 1)).toBe(true);
    expect(book.remembered).toBe(2);
    expect(nonces.map((nonce) => book.judge(nonce))).toEqual(['stale', 'fresh', 'fresh']);
  });
});

describe('3261-22.2-a attempts', () => {
  const limits = { perPair: 2, perSource: 4, perAccount: 6, windowMs: 1000 };

  it('of one source for one account, then for all accounts, end; and begin again later', () => {
    const clock = new FakeClock();
    const limiter = new AttemptLimiter(clock, limits);
    limiter.failed('10.0.0.1', 'bob');
    expect(limiter.mayTry('10.0.0.1', 'bob')).toBe(true);
    limiter.failed('10.0.0.1', 'bob');
    expect(limiter.mayTry('10.0.0.1', 'bob')).toBe(false);
    expect(limiter.mayTry('10.0.0.1', 'carol')).toBe(true);
    limiter.failed('10.0.0.1', 'carol');
    limiter.failed('10.0.0.1', 'dave');
    expect(limiter.mayTry('10.0.0.1', 'erin')).toBe(false);
    expect(limiter.mayTry('10.0.0.2', 'erin')).toBe(true);
    clock.advance(1000);
    expect(limiter.mayTry('10.0.0.1', 'bob')).toBe(true);
  });

  it('from everywhere for one account end, but not for who was right before', () => {
    const limiter = new AttemptLimiter(new FakeClock(), limits);
    limiter.succeeded('10.0.0.9', 'bob');
    for (let i = 0; i < 6; i++) limiter.failed(`10.0.0.${i}`, 'bob');
    expect(limiter.mayTry('10.0.1.1', 'bob')).toBe(false);
    expect(limiter.mayTry('10.0.0.9', 'bob')).toBe(true);
    limiter.distrust('bob');
    expect(limiter.mayTry('10.0.0.9', 'bob')).toBe(false);
  });
});
