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
    let most = 0;
    const seen: number[] = [];
    let open = (): void => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    const reconciler = new Reconciler(async () => {
      most = Math.max(most, ++active);
      seen.push(wanted);
      await gate;
      active--;
    });
    const first = reconciler.run();
    await Promise.resolve();
    wanted = 2;
    const second = reconciler.run();
    await Promise.resolve();
    expect(seen).toEqual([1]);
    open();
    await Promise.all([first, second]);
    expect(most).toBe(1);
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
