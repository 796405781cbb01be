import { describe, expect, it } from '@jest/globals';
import { silentLogger } from '../../../base/index.ts';
import type { RoomNumber } from '../../../base/index.ts';
import type { RoomSettings } from '../../../server/index.ts';
import { DegradingStore } from '../../../server/store/index.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { MemoryStore } from '../room-harness.ts';

const one = { number: '1' as RoomNumber, name: 'One', createdAt: 1 };
const two = { number: '2' as RoomNumber, name: 'Two', createdAt: 2 };

class FlakyStore extends MemoryStore {
  mode: 'up' | 'down' | 'silent' = 'up';

  override list(): ReturnType<MemoryStore['list']> {
    return this.#do(() => super.list());
  }

  override find(...args: Parameters<MemoryStore['find']>): ReturnType<MemoryStore['find']> {
    return this.#do(() => super.find(...args));
  }

  override save(...args: Parameters<MemoryStore['save']>): Promise<void> {
    return this.#do(() => super.save(...args));
  }

  override remove(...args: Parameters<MemoryStore['remove']>): Promise<void> {
    return this.#do(() => super.remove(...args));
  }

  #do<T>(work: () => Promise<T>): Promise<T> {
    if (this.mode === 'down') return Promise.reject(new Error('down'));

    return this.mode === 'silent' ? new Promise(() => undefined) : work();
  }
}

function setUp(): {
  inner: FlakyStore;
  clock: FakeClock;
  store: DegradingStore<RoomNumber, RoomSettings>;
  count: () => number;
} {
  const inner = new FlakyStore();
  const clock = new FakeClock();
  let degraded = 0;
  const onDegraded = (): void => {
    degraded++;
  };
  const logger = silentLogger;
  const store = new DegradingStore({
    inner,
    keyOf: ({ number }: RoomSettings) => number,
    clock,
    logger,
    timeoutMs: 500,
    onDegraded,
  });

  return { inner, clock, store, count: () => degraded };
}

describe('DegradingStore', () => {
  it('writes through and counts nothing while the store answers', async () => {
    const { inner, store, clock, count } = setUp();
    await store.save(one);

    expect(inner.rooms.get(one.number)).toEqual(one);
    expect([store.unwritten, count(), clock.pendingTimers]).toEqual([0, 0, 0]);
  });

  it('waits no longer than its limit for an answer that does not come', async () => {
    const { inner, store, clock, count } = setUp();
    inner.rooms.set(one.number, one);
    await store.list();
    inner.mode = 'silent';
    const finding = store.find(one.number);
    await clock.advanceAsync(500);

    expect(await finding).toEqual(one);
    expect(count()).toBe(1);
  });

  it('remembers what it could not write, also what was removed, and writes it later', async () => {
    const { inner, store } = setUp();
    await store.save(one);
    inner.mode = 'down';
    await store.save(two);
    await store.remove(one.number);
    expect(await store.find(two.number)).toEqual(two);
    expect(await store.find(one.number)).toBeUndefined();
    expect(await store.list()).toEqual([two]);
    inner.mode = 'up';
    await store.flush();

    expect([...inner.rooms.values()]).toEqual([two]);
    expect(store.unwritten).toBe(0);
  });
});
