import type { Clock, TimerHandle } from './clock.ts';

/**
 * The named timers of one owner. Starting a name again restarts it; `close()` stops all of them and
 * makes later starts a no-op, so nothing fires after its owner is gone.
 */
export class TimerSet<Name extends string = string> {
  readonly #clock: Clock;
  readonly #pending = new Map<Name, { handle: TimerHandle; dueAt: number }>();
  #closed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  start(name: Name, delayMs: number, callback: () => void): void {
    if (this.#closed) return;
    this.stop(name);
    const handle = this.#clock.setTimer(delayMs, () => {
      this.#pending.delete(name);
      callback();
    });
    this.#pending.set(name, { handle, dueAt: this.#clock.now() + delayMs });
  }

  stop(name: Name): void {
    this.#pending.get(name)?.handle.cancel();
    this.#pending.delete(name);
  }

  isRunning(name: Name): boolean {
    return this.#pending.has(name);
  }

  stopAll(): void {
    for (const { handle } of this.#pending.values()) handle.cancel();
    this.#pending.clear();
  }

  close(): void {
    this.#closed = true;
    this.stopAll();
  }

  /** What is pending, with the milliseconds left: for diagnostics. */
  dump(): Record<string, number> {
    const now = this.#clock.now();

    return Object.fromEntries(
      [...this.#pending].map(([name, { dueAt }]) => [name, Math.max(0, dueAt - now)]),
    );
  }
}
