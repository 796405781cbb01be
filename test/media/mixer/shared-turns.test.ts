import { describe, expect, it } from '@jest/globals';
import { SharedTurns } from '../../../media/mixer/shared-turns.ts';
import { microtasks } from '../../support/microtasks.ts';

/** Work that notes when it begins, and ends when it is told to. */
class Work {
  readonly begun: string[] = [];
  readonly #ends = new Map<string, () => void>();

  of(name: string): () => Promise<string> {
    return async () => {
      this.begun.push(name);
      await new Promise<void>((resolve) => this.#ends.set(name, resolve));

      return name;
    };
  }

  async end(name: string): Promise<void> {
    this.#ends.get(name)!();
    await microtasks();
  }
}

describe('turns of a room', () => {
  it('begin at once, together', async () => {
    const turns = new SharedTurns();
    const work = new Work();
    const [a, b] = [turns.together(work.of('a')), turns.together(work.of('b'))];
    expect(work.begun).toEqual(['a', 'b']);
    await work.end('b');
    await work.end('a');

    expect(await Promise.all([a, b])).toEqual(['a', 'b']);
  });

  it('let one be alone when all before it are done, and those after it wait in their order', async () => {
    const turns = new SharedTurns();
    const work = new Work();
    void turns.together(work.of('a'));
    void turns.alone(work.of('move'));
    void turns.together(work.of('b'));
    void turns.together(work.of('c'));
    expect(work.begun).toEqual(['a']);
    await work.end('a');
    expect(work.begun).toEqual(['a', 'move']);
    await work.end('move');

    expect(work.begun).toEqual(['a', 'move', 'b', 'c']);
  });

  it('go on when one of them fails, which alone learns of it', async () => {
    const turns = new SharedTurns();
    const failing = turns.alone(() => Promise.reject(new Error('no')));
    const next = turns.together(() => Promise.resolve('next'));

    await expect(failing).rejects.toThrow('no');
    await expect(next).resolves.toBe('next');
  });
});
