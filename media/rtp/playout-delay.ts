/** How long packets should wait in a jitter buffer, and whether they wait longer than that. */
import { timestampDifference } from './rtp-sequence.ts';

/** Milliseconds: more between two packets is a pause of the sender, no news of the network. */
const MAX_STEP = 600;
/** Milliseconds over which delay is found to be too long. */
const TRIM_WINDOW = 2000;
/** How many mean deviations the margin covers: three hold all but a few in a thousand packets. */
const JITTER_FACTOR = 3;

export class PlayoutDelay {
  readonly #clockRate: number;
  readonly #minMs: number;
  readonly #maxMs: number;
  #jitterMs = 0;
  #lastArrival = 0;
  #lastTimestamp = 0;
  #windowStart = 0;
  #windowMin = Infinity;

  constructor(clockRate: number, minMs: number, maxMs: number) {
    this.#clockRate = clockRate;
    this.#minMs = minMs;
    this.#maxMs = maxMs;
  }

  /** Milliseconds that a packet should wait. */
  get targetMs(): number {
    return Math.min(this.#maxMs, Math.max(this.#minMs, JITTER_FACTOR * this.#jitterMs));
  }

  /** Of another stream: its first packet is compared with nothing. */
  restart(timestamp: number, now: number): void {
    this.#lastTimestamp = timestamp;
    this.#lastArrival = now;
  }

  /** A packet came (RFC 3550 A.8). */
  arrived(timestamp: number, now: number): void {
    const sentMs = (timestampDifference(timestamp, this.#lastTimestamp) * 1000) / this.#clockRate;
    if (Math.abs(sentMs) <= MAX_STEP) {
      this.#jitterMs += (Math.abs(now - this.#lastArrival - sentMs) - this.#jitterMs) / 16;
    }
    this.restart(timestamp, now);
  }

  beginWindow(now: number): void {
    this.#windowStart = now;
    this.#windowMin = Infinity;
  }

  /**
   * A packet is played that `waited` so many milliseconds. True at the end of a window in which
   * even the hastiest packet waited a frame longer than it should.
   */
  isTooLong(waited: number, frameMs: number, now: number): boolean {
    this.#windowMin = Math.min(this.#windowMin, waited);
    if (now - this.#windowStart < TRIM_WINDOW) return false;
    const spare = this.#windowMin - this.targetMs;
    this.beginWindow(now);

    return spare > frameMs;
  }
}
