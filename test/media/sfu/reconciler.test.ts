import { describe, expect, it } from '@jest/globals';
import { Reconciler } from '../../../media/sfu/reconciler.ts';

describe('the reconciler', () => {
  it('runs one step for a burst of calls before it starts', async () => {
    let steps = 0;
    const reconciler = new Reconciler(async () => {
      await Promise.resolve();
      steps++;
    });
    await Promise.all([reconciler.run(), reconciler.run(), reconciler.run()]);
    expect(steps).toBe(1);
  });

  it('looks again at a state that changed during a step, never two steps at once', async () => {
    let wanted = 1;
    let active = 0;
    const seen: number[] = [];
    const reconciler = new Reconciler(async () => {
      expect(++active).toBe(1);
      seen.push(wanted);
      await Promise.resolve();
      active--;
    });
    const first = reconciler.run();
    await Promise.resolve();
    wanted = 2;
    await Promise.all([first, reconciler.run()]);
    expect(seen).toEqual([1, 2]);
  });

  it('goes on after a step that failed, and tells only those who waited for it', async () => {
    let fail = true;
    const reconciler = new Reconciler(() =>
      fail ? Promise.reject(new Error('no')) : Promise.resolve(),
    );
    await expect(reconciler.run()).rejects.toThrow('no');
    fail = false;
    await expect(reconciler.run()).resolves.toBeUndefined();
  });
});
