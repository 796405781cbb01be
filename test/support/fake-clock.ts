import type { Clock, TimerHandle } from '../../base/index.ts';

interface PendingTimer {
  dueAt: number;
  order: number;
  callback: () => void;
}

/** A clock that stands still until a test advances it; timers fire in due order, on the way. */
export class FakeClock implements Clock {
  #now = 0;
  #order = 0;
  readonly #epoch: number;
  readonly #pending = new Set<PendingTimer>();

  constructor(epoch = Date.UTC(2026, 0, 1)) {
    this.#epoch = epoch;
  }

  now(): number {
    return this.#now;
  }

  wallTime(): number {
    return this.#epoch + this.#now;
  }

  setTimer(delayMs: number, callback: () => void): TimerHandle {
    const timer = { dueAt: this.#now + Math.max(0, delayMs), order: this.#order++, callback };
    this.#pending.add(timer);

    return {
      cancel: () => {
        this.#pending.delete(timer);
      },
    };
  }

  /** How many timers are pending: a closed owner must leave none. */
  get pendingTimers(): number {
    return this.#pending.size;
  }

  /** Moves time forward and fires what falls due, also timers started meanwhile. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#pending.delete(next);
      this.#now = next.dueAt;
      next.callback();
    }
    this.#now = end;
  }

  /** As `advance`, with pending promise callbacks run after each timer. */
  async advanceAsync(ms: number): Promise<void> {
    const end = this.#now + ms;
    await flushMicrotasks();
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#pending.delete(next);
      this.#now = next.dueAt;
      next.callback();
      await flushMicrotasks();
    }
    this.#now = end;
    await flushMicrotasks();
  }

  #next(end: number): PendingTimer | undefined {
    let best: PendingTimer | undefined;
    for (const timer of this.#pending) {
      if (timer.dueAt > end) continue;
      if (
        best === undefined ||
        timer.dueAt < best.dueAt ||
        (timer.dueAt === best.dueAt && timer.order < best.order)
      ) {
        best = timer;
      }
    }

    return best;
  }
}

async function flushMicrotasks(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}
