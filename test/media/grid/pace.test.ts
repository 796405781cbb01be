import { describe, expect, it } from '@jest/globals';
import { CpuBudget } from '../../../media/grid/cpu-budget.ts';
import { KeyFramePace } from '../../../media/grid/key-frame-pace.ts';

/** Pictures of `cost` seconds each, asked for 25 times a second for `seconds`. */
function pictures(share: number, cost: number, seconds: number): number {
  const budget = new CpuBudget(share, 0, 0);
  let used = 0;
  let made = 0;
  for (let now = 40; now <= seconds * 1000; now += 40) {
    if (!budget.allows(used, now)) continue;
    used += cost;
    made++;
  }

  return made;
}

describe('the CPU budget', () => {
  it('lets everything through that costs less than its share', () => {
    expect(pictures(0.5, 0.015, 10)).toBe(250);
  });

  it('keeps to its share when everything costs more, by doing it less often', () => {
    const made = pictures(0.5, 0.1, 20);
    expect(made * 0.1).toBeGreaterThan(20 * 0.5 * 0.95);
    expect(made * 0.1).toBeLessThan(20 * 0.5 + 0.4);
  });

  it('a stall of a minute does not stop the picture for a minute', () => {
    const budget = new CpuBudget(0.5, 0, 0);
    expect(budget.allows(60, 1000)).toBe(false);
    expect(budget.allows(60, 3100)).toBe(true);
  });
});

describe('the pace of key frames', () => {
  it('none that nobody asked for; many at once are one', () => {
    const pace = new KeyFramePace(1000);
    expect(pace.take(0)).toBe(false);
    pace.ask();
    pace.ask();
    expect(pace.take(0)).toBe(true);
    expect(pace.take(40)).toBe(false);
  });

  it('who asks too early gets the next', () => {
    const pace = new KeyFramePace(1000);
    pace.ask();
    pace.take(0);
    pace.ask();
    expect(pace.take(500)).toBe(false);
    expect(pace.take(1000)).toBe(true);
  });
});
