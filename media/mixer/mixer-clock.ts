import type { Clock } from '../../base/index.ts';

/** Milliseconds of audio that one tick of every mixer makes. */
export const FRAME_MS = 20;
/** More than this is not caught up: listeners' buffers would only have to throw it away. */
const MAX_CATCH_UP = 5;

/**
 * How many frames are owed at this moment, counted from one start so that timers that fire early or
 * late do not add up.
 */
export class MixerClock {
  readonly #clock: Clock;
  #startedAt: number;
  #done = 0;
  #late = 0;
  #skipped = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#startedAt = clock.now();
  }

  /** When the frame that `owed` counted last was due. */
  get due(): number {
    return this.#startedAt + this.#done * FRAME_MS;
  }

  /** Frames mixed a frame time or more after they were due, or not at all. */
  get lateFrames(): number {
    return this.#late;
  }

  /** Frames that the last `owed` gave up on; the media clock runs on over them. */
  get skipped(): number {
    return this.#skipped;
  }

  /** Frames to be mixed now, at most MAX_CATCH_UP; they count as done. */
  owed(): number {
    const due = Math.floor((this.#clock.now() - this.#startedAt) / FRAME_MS);
    const owed = Math.max(0, due - this.#done);
    this.#done += owed;
    if (owed > 1) this.#late += owed - 1;
    this.#skipped = Math.max(0, owed - MAX_CATCH_UP);

    return owed - this.#skipped;
  }

  /** When those frames were due, the earliest first, that are done and were due at `from` or later. */
  doneSince(from: number): number[] {
    // A little before it, as sums of fractions are not exact.
    const first = Math.max(1, Math.ceil((from - this.#startedAt - 1) / FRAME_MS));
    const count = Math.min(MAX_CATCH_UP, Math.max(0, this.#done - first + 1));

    return Array.from({ length: count }, (_unused, i) => this.due - (count - 1 - i) * FRAME_MS);
  }

  /** Milliseconds until the next frame is due. */
  untilNext(): number {
    const due = this.#startedAt + (this.#done + 1) * FRAME_MS;

    return Math.max(0, due - this.#clock.now());
  }

  /** Counts on from `at`, when a frame is due that was done; now by default. */
  restart(at = this.#clock.now()): void {
    this.#startedAt = at;
    this.#done = 0;
    this.#skipped = 0;
  }
}
