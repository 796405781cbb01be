import { describe, expect, it } from '@jest/globals';
import { TimerSet } from '../../base/index.ts';
import { FakeClock } from '../support/fake-clock.ts';

describe('TimerSet', () => {
  function withTimers(): { clock: FakeClock; timers: TimerSet<'a' | 'b'>; fired: string[] } {
    const clock = new FakeClock();
    const fired: string[] = [];

    return { clock, timers: new TimerSet(clock), fired };
  }

  it('fires each timer once, by its name', () => {
    const { clock, timers, fired } = withTimers();
    timers.start('a', 10, () => fired.push('a'));
    timers.start('b', 20, () => fired.push('b'));
    expect(timers.dump()).toEqual({ a: 10, b: 20 });
    clock.advance(10);
    expect(timers.isRunning('a')).toBe(false);
    expect(timers.dump()).toEqual({ b: 10 });
    clock.advance(100);
    expect(fired).toEqual(['a', 'b']);
  });

  it('starting a name again restarts it, and a timer may start itself', () => {
    const { clock, timers, fired } = withTimers();
    timers.start('a', 10, () => fired.push('first'));
    timers.start('a', 30, () => {
      fired.push('second');
      timers.start('a', 5, () => fired.push('third'));
    });
    clock.advance(30);
    expect(fired).toEqual(['second']);
    clock.advance(5);
    expect(fired).toEqual(['second', 'third']);
  });

  it('stops one, all, and starts none once closed', () => {
    const { clock, timers, fired } = withTimers();
    timers.start('a', 10, () => fired.push('a'));
    timers.start('b', 10, () => fired.push('b'));
    timers.stop('a');
    expect(timers.dump()).toEqual({ b: 10 });
    timers.stopAll();
    timers.start('a', 10, () => fired.push('again'));
    clock.advance(10);
    expect(fired).toEqual(['again']);
    timers.start('a', 10, () => fired.push('a'));
    timers.close();
    timers.start('b', 10, () => fired.push('b'));
    clock.advance(100);
    expect(fired).toEqual(['again']);
    expect(clock.pendingTimers).toBe(0);
  });
});
