import { randomInt } from 'node:crypto';
import { timestampDifference } from '../rtp/index.ts';

/** "The RTP timestamp … clock rate MUST be 90 kHz" (RFC 6184 5.1, RFC 7741 4.1). */
export const VIDEO_CLOCK = 90_000;
const PER_MS = VIDEO_CLOCK / 1000;
/** Between the last picture of a source and the first one of the next: that of 60 pictures a second. */
const LEAST_STEP = 1500;
/** Seconds; a source whose clock jumps further has begun anew. */
const MAX_JUMP = 5;

/** One continuous run of timestamps over all sources that a phone is shown. */
export class TimestampLine {
  #last: number;
  #lastAt = 0;
  #sourceLast = 0;
  #offset = 0;
  #started = false;
  #anchored = false;

  constructor(first: number = randomInt(0x1_0000_0000)) {
    this.#last = first >>> 0;
  }

  /** Another source follows. */
  restart(): void {
    this.#anchored = false;
  }

  map(timestamp: number, now: number): number {
    const jump = Math.abs(timestampDifference(timestamp, this.#sourceLast));
    if (!this.#anchored || jump > MAX_JUMP * VIDEO_CLOCK) {
      const passed = Math.max(LEAST_STEP, Math.round((now - this.#lastAt) * PER_MS));
      const next = this.#started ? this.#last + passed : this.#last;
      this.#offset = (next - timestamp) >>> 0;
      this.#anchored = true;
      if (!this.#started) this.#lastAt = now;
      this.#started = true;
    }
    const mapped = (timestamp + this.#offset) >>> 0;
    if (mapped !== this.#last) this.#lastAt = now;
    this.#last = mapped;
    this.#sourceLast = timestamp;

    return mapped;
  }
}
