import { TimerSet, type Clock } from '../../base/index.ts';

/** Milliseconds: a key frame costs ten times what another picture does. */
const MIN_INTERVAL = 500;

/** Requests for key frames, so many as they come: one at a time goes on, the last one never gets lost. */
export class KeyFrameLimiter {
  readonly #clock: Clock;
  readonly #timers: TimerSet<'ask'>;
  readonly #ask: () => void;
  #lastAt = -Infinity;
  #requested = 0;
  #asked = 0;

  constructor(clock: Clock, ask: () => void) {
    this.#clock = clock;
    this.#timers = new TimerSet(clock);
    this.#ask = ask;
  }

  /** How often it was wanted. */
  get requested(): number {
    return this.#requested;
  }

  /** How often it was asked for. */
  get asked(): number {
    return this.#asked;
  }

  request(): void {
    this.#requested++;
    if (this.#timers.isRunning('ask')) return;
    const wait = this.#lastAt + MIN_INTERVAL - this.#clock.now();
    if (wait <= 0) this.#go();
    else {
      this.#timers.start('ask', wait, () => {
        this.#go();
      });
    }
  }

  close(): void {
    this.#timers.close();
  }

  #go(): void {
    this.#lastAt = this.#clock.now();
    this.#asked++;
    this.#ask();
  }
}
