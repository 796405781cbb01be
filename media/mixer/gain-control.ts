/**
 * Brings a voice that is too soft or too loud near the level of the others, slowly enough that nobody
 * hears it move. It listens to speech alone, so that a pause does not raise the room's noise.
 */

/** Level of speech that telephones are made for (ITU-T P.56, G.100.1), dBov. */
const NOMINAL_DBOV = -26;
/** A voice this near to it is left as it is. */
const TOLERANCE_DB = 4;
const MAX_GAIN_DB = 12;
/** A voice is made softer quicker than louder: what is too loud hurts. */
const RISE_DB_PER_FRAME = 0.06;
const FALL_DB_PER_FRAME = 0.24;
/** Share of a frame in the mean of the voice: about a second of speech. */
const SHARE = 0.02;
/** Frames of speech before the mean says anything. */
const SETTLE_FRAMES = 25;
const OVERLOAD = 32_767;

export class GainControl {
  #power = 0;
  #heard = 0;
  #gainDb = 0;
  #factor = 1;

  get gainDb(): number {
    return this.#gainDb;
  }

  /** Changes 20 ms in place; `level` is theirs in dBov, `speaking`: there is speech in them. */
  process(frame: Int16Array, level: number, speaking: boolean): void {
    if (speaking) this.#listen(level);
    let factor = 10 ** (this.#gainDb / 20);
    if (factor === 1 && this.#factor === 1) return;
    const most = Math.max(factor, this.#factor);
    if (most > 1) {
      const peak = peakOf(frame);
      // Never beyond 16 bits; a slope to a lower factor would come too late.
      if (peak * most > OVERLOAD) {
        factor = Math.min(factor, OVERLOAD / peak);
        this.#factor = Math.min(this.#factor, factor);
      }
    }
    const step = (factor - this.#factor) / frame.length;
    let gain = this.#factor;
    for (let i = 0; i < frame.length; i++) {
      gain += step;
      frame[i] = frame[i]! * gain;
    }
    this.#factor = factor;
  }

  /** All of it, for another thread, where `thaw` goes on with it. */
  freeze() {
    return { power: this.#power, heard: this.#heard, gainDb: this.#gainDb, factor: this.#factor };
  }

  thaw(state: ReturnType<GainControl['freeze']>): void {
    ({
      power: this.#power,
      heard: this.#heard,
      gainDb: this.#gainDb,
      factor: this.#factor,
    } = state);
  }

  /** Another voice. */
  reset(): void {
    this.#power = 0;
    this.#heard = 0;
    this.#gainDb = 0;
    this.#factor = 1;
  }

  #listen(level: number): void {
    const share = Math.max(SHARE, 1 / ++this.#heard);
    this.#power += share * (10 ** (level / 10) - this.#power);
    if (this.#heard < SETTLE_FRAMES) return;
    const missing = NOMINAL_DBOV - 10 * Math.log10(this.#power);
    const wanted = Math.sign(missing) * Math.max(0, Math.abs(missing) - TOLERANCE_DB);
    const bounded = Math.min(MAX_GAIN_DB, Math.max(-MAX_GAIN_DB, wanted));
    const step = bounded - this.#gainDb;
    this.#gainDb += Math.min(RISE_DB_PER_FRAME, Math.max(-FALL_DB_PER_FRAME, step));
  }
}

function peakOf(frame: Int16Array): number {
  let peak = 0;
  for (let i = 0; i < frame.length; i++) {
    const value = frame[i]!;
    const size = value < 0 ? -value : value;
    if (size > peak) peak = size;
  }

  return peak;
}
