import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { TimerSet, type Clock, type Closeable } from '../base/index.ts';

const CHECK_MS = 4_000;
/** Garbage below this is left to V8. */
const MIN_GROWTH_BYTES = 8 * 1024 * 1024;

export interface IdleCollectorOptions {
  readonly clock: Clock;
  /** Nobody would notice a pause now. */
  readonly isIdle: () => boolean;
  readonly heapUsed?: () => number;
  readonly collect?: () => void;
}

/**
 * Gives memory back after a storm. What SIP transactions keep for their 32 s is small and goes with
 * them, but by then it is in V8's old space, which is collected when it has grown by much and never
 * because nothing happens. Measured with 7,068 hostile calls in 75 s and no collection forced: 62 MB of
 * heap used before and 58 MB in use after, yet the process stays 60 to 140 MB larger than it was.
 */
export class IdleCollector implements Closeable {
  readonly #options: IdleCollectorOptions;
  readonly #timers: TimerSet<'check'>;
  readonly #heapUsed: () => number;
  readonly #collect: () => void;
  #afterLast: number;

  constructor(options: IdleCollectorOptions) {
    this.#options = options;
    this.#timers = new TimerSet(options.clock);
    this.#heapUsed = options.heapUsed ?? (() => process.memoryUsage().heapUsed);
    this.#collect = options.collect ?? fullCollection();
    this.#afterLast = this.#heapUsed();
    this.#schedule();
  }

  close(): void {
    this.#timers.close();
  }

  #schedule(): void {
    this.#timers.start('check', CHECK_MS, () => {
      const isWorthIt = this.#heapUsed() - this.#afterLast > MIN_GROWTH_BYTES;
      if (isWorthIt && this.#options.isIdle()) {
        this.#collect();
        this.#afterLast = this.#heapUsed();
      }
      this.#schedule();
    });
  }
}

function fullCollection(): () => void {
  setFlagsFromString('--expose-gc');

  return runInNewContext('gc') as () => void;
}
