import { describe, expect, it } from '@jest/globals';
import { IdleCollector } from '../../server/idle-collector.ts';
import { FakeClock } from '../support/fake-clock.ts';

const MB = 1024 * 1024;

describe('IdleCollector', () => {
  it('collects what has grown, and only while nobody would notice', () => {
    const clock = new FakeClock();
    let heap = 50 * MB;
    let isIdle = false;
    let collected = 0;
    const collector = new IdleCollector({
      clock,
      isIdle: () => isIdle,
      heapUsed: () => heap,
      collect: () => {
        collected += 1;
        heap = 52 * MB;
      },
    });
    heap = 57 * MB;
    isIdle = true;
    clock.advance(60_000);
    expect(collected).toBe(0);
    heap = 200 * MB;
    isIdle = false;
    clock.advance(60_000);
    expect(collected).toBe(0);
    isIdle = true;
    clock.advance(60_000);
    expect(collected).toBe(1);
    collector.close();
    expect(clock.pendingTimers).toBe(0);
  });
});
