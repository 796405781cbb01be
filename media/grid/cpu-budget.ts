/** Seconds of work that may be done at once after a quiet time. */
const BURST = 0.2;
/** Debt beyond this is forgotten, so that one long stall does not stop the picture for minutes. */
const MAX_DEBT = 1;

/**
 * How much of a core may be used: whoever asks before each piece of work, and says what was used in
 * all, keeps to `share` in the long run and does less often what costs more.
 */
export class CpuBudget {
  readonly #share: number;
  #balance = BURST;
  #at: number;
  #used: number;

  /** `share` of one core; `used` seconds of CPU up to now, `now` in milliseconds. */
  constructor(share: number, used: number, now: number) {
    this.#share = share;
    this.#used = used;
    this.#at = now;
  }

  /** Whether there is something left, when `used` seconds were used until `now`. */
  allows(used: number, now: number): boolean {
    const earned = ((now - this.#at) / 1000) * this.#share;
    const balance = this.#balance + earned - (used - this.#used);
    this.#balance = Math.max(-MAX_DEBT, Math.min(BURST, balance));
    this.#at = now;
    this.#used = used;

    return this.#balance > 0;
  }
}
