/**
 * Time as a dependency: whoever needs it takes a Clock, so that tests turn the hands themselves and
 * never sleep.
 */

/** A handle of a pending timer; `cancel` after it fired does nothing. */
export interface TimerHandle {
  cancel(): void;
}

export interface Clock {
  /** Milliseconds of a monotonic clock; only differences mean something. */
  now(): number;
  /** Milliseconds since the epoch, for what people and other systems read. */
  wallTime(): number;
  /** Calls `callback` once after `delayMs`. */
  setTimer(delayMs: number, callback: () => void): TimerHandle;
}

/**
 * From the beginning of this thread's `performance.now()` to that of the process' own clock: what one thread
 * noted means the same in another, wherever the clock on the wall was set meanwhile.
 */
const THREAD_BEGAN = Number(process.hrtime.bigint()) / 1e6 - performance.now();

export class SystemClock implements Clock {
  now(): number {
    return THREAD_BEGAN + performance.now();
  }

  wallTime(): number {
    return Date.now();
  }

  setTimer(delayMs: number, callback: () => void): TimerHandle {
    return new SystemTimer(setTimeout(callback, delayMs));
  }
}

/** There are tens of thousands of them at a time: a class costs less than an object with a closure. */
class SystemTimer implements TimerHandle {
  readonly #timeout: NodeJS.Timeout;

  constructor(timeout: NodeJS.Timeout) {
    this.#timeout = timeout;
  }

  cancel(): void {
    clearTimeout(this.#timeout);
  }
}
