/** Pictures a second that are left out before something is done about it. */
const TOO_MANY = 2;
/** Milliseconds that each step is given to show its effect. */
const SETTLE = 5000;
/** Milliseconds without a picture left out before a step is taken back; doubled when that was too early. */
const FIRST_PATIENCE = 60_000;
const MAX_PATIENCE = 600_000;
const MOST = 2;

/**
 * How much a grid must save: decoding its members' streams costs the same however few pictures are made,
 * so that one that is over its budget takes smaller streams before it leaves out many pictures.
 */
export class Thrift {
  #level = 0;
  #changedAt: number;
  #badAt: number;
  #patience = FIRST_PATIENCE;
  /** The last change went down. */
  #tookBack = false;
  #dropped = 0;
  #at: number;

  constructor(now: number) {
    this.#at = now;
    this.#changedAt = now;
    this.#badAt = now;
  }

  /** 0: nothing. */
  get level(): number {
    return this.#level;
  }

  /** `dropped`: pictures left out since the start. True when the level changed. */
  report(dropped: number, now: number): boolean {
    const seconds = (now - this.#at) / 1000;
    if (seconds <= 0) return false;
    const isBad = (dropped - this.#dropped) / seconds >= TOO_MANY;
    this.#dropped = dropped;
    this.#at = now;
    if (isBad) this.#badAt = now;
    if (now - this.#changedAt < SETTLE) return false;
    if (isBad && this.#level < MOST) return this.#more(now);
    if (this.#level > 0 && now - this.#badAt >= this.#patience) return this.#change(-1, now);

    return false;
  }

  #more(now: number): boolean {
    const wasTooEarly = this.#tookBack && now - this.#changedAt < this.#patience;
    if (wasTooEarly) this.#patience = Math.min(MAX_PATIENCE, 2 * this.#patience);

    return this.#change(1, now);
  }

  #change(by: number, now: number): boolean {
    this.#tookBack = by < 0;
    this.#level += by;
    this.#changedAt = now;
    this.#badAt = now;

    return true;
  }
}
