/**
 * How long packets should wait in a jitter buffer, and what to do when they wait longer or shorter
 * than that: the audio is stretched by a few milliseconds at a time, so that neither a clock that
 * drifts nor a network that changes is ever heard.
 */
import { timestampDifference } from './rtp-sequence.ts';

/** Milliseconds: more between two packets is a pause of the sender, no news of the network. */
const MAX_STEP = 600;
/** Milliseconds over which the delay is judged. */
const WINDOW = 2000;
/** Milliseconds from one stretch to the next. */
const STRETCH_PAUSE = 60;
/** Milliseconds: less is not worth a stretch. */
const MIN_STRETCH = 2.5;
/** Milliseconds of audio that the consumer takes at a time; what a packet waits changes by as much. */
const TICK = 20;
/** Milliseconds that the consumer always has left and that are worth taking away. */
const MIN_REST = 6;
/** Milliseconds that even the slowest packet should have to spare. */
const LOW_WATER = 3;
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
  #leastWait = Infinity;
  #leastRest = Infinity;
  #lateInWindow = 0;
  /** Milliseconds to add, below zero to take away. */
  #owed = 0;
  #stretchedAt = -Infinity;
  /** Milliseconds that packets should wait beyond what the network asks for. */
  extraMs = 0;

  constructor(clockRate: number, minMs: number, maxMs: number) {
    this.#clockRate = clockRate;
    this.#minMs = minMs;
    this.#maxMs = maxMs;
  }

  /** Milliseconds that a packet should wait. */
  get targetMs(): number {
    const wanted = Math.max(this.#minMs, JITTER_FACTOR * this.#jitterMs) + this.extraMs;

    return Math.min(this.#maxMs, wanted);
  }

  /** All of it, for another thread, where `thaw` goes on with it. */
  freeze() {
    return {
      jitterMs: this.#jitterMs,
      lastArrival: this.#lastArrival,
      lastTimestamp: this.#lastTimestamp,
      windowStart: this.#windowStart,
      leastWait: this.#leastWait,
      leastRest: this.#leastRest,
      lateInWindow: this.#lateInWindow,
      owed: this.#owed,
      stretchedAt: this.#stretchedAt,
      extraMs: this.extraMs,
    };
  }

  thaw(state: ReturnType<PlayoutDelay['freeze']>): void {
    ({
      jitterMs: this.#jitterMs,
      lastArrival: this.#lastArrival,
      lastTimestamp: this.#lastTimestamp,
      windowStart: this.#windowStart,
      leastWait: this.#leastWait,
      leastRest: this.#leastRest,
      lateInWindow: this.#lateInWindow,
      owed: this.#owed,
      stretchedAt: this.#stretchedAt,
      extraMs: this.extraMs,
    } = state);
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

  /** A packet came after its time had been concealed. */
  late(): void {
    this.#lateInWindow++;
  }

  beginWindow(now: number): void {
    this.#windowStart = now;
    this.#leastWait = Infinity;
    this.#leastRest = Infinity;
    this.#lateInWindow = 0;
  }

  /**
   * A packet is played that waited for `waited` milliseconds while the consumer had `rest` ms of
   * audio left of those before it.
   */
  played(waited: number, rest: number, now: number): void {
    this.#leastWait = Math.min(this.#leastWait, waited);
    this.#leastRest = Math.min(this.#leastRest, rest);
    if (now - this.#windowStart < WINDOW) return;
    this.#owed = this.#judge();
    this.beginWindow(now);
  }

  /**
   * Milliseconds by which the next packet played should become longer; below zero it should become
   * shorter, and by no more than that, or the next one would be wanted a tick earlier.
   */
  stretch(now: number): number {
    const due = Math.abs(this.#owed) >= MIN_STRETCH && now - this.#stretchedAt >= STRETCH_PAUSE;

    return due ? this.#owed : 0;
  }

  /** It was done: `ms` longer, or shorter when below zero. */
  stretched(ms: number, now: number): void {
    const left = this.#owed - ms;
    this.#owed = Math.sign(left) === Math.sign(this.#owed) ? left : 0;
    this.#stretchedAt = now;
    // What was seen before is no longer true.
    this.beginWindow(now);
  }

  #judge(): number {
    const wait = this.#leastWait - this.extraMs;
    // A packet is taken a tick later only when the consumer has a whole tick left.
    const tooFew = wait < LOW_WATER || this.#lateInWindow > 1;
    if (tooFew) return this.#leastWait > this.#maxMs ? 0 : TICK - this.#leastRest + MIN_STRETCH;
    // What the consumer always has left is of no use: no packet is taken later for it.
    if (this.#leastRest >= MIN_REST) return -this.#leastRest;
    const spare = wait - this.#minMs - this.#jitterMs / 2;

    return spare > TICK ? -TICK * Math.floor(spare / TICK) : 0;
  }
}
