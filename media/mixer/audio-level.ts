/**
 * How loud a frame is, and whether somebody speaks in it. Levels are dBov as RFC 6464 and RFC 6465
 * carry them: 0 is the loudest the format can hold, −127 digital silence.
 */

export const SILENCE_DBOV = -127;

/** Overload point of 16-bit samples. */
const OVERLOAD = 32_767;
/** Whatever is quieter than this is silence, however quiet the line is. */
const SPEECH_MIN_DBOV = -58;
/** Speech stands out of the line's own noise by at least this much. */
const SPEECH_ABOVE_FLOOR_DB = 9;
/** A steady sound louder than this is meant to be heard (a tone, music), not the line's noise. */
const FLOOR_MAX_DBOV = -55;
const FLOOR_MIN_DBOV = -80;
const FLOOR_RISE_DB_PER_SECOND = 6;
/** Bridges the gaps between words, so that their ends are not cut. */
const HANGOVER_MS = 300;
/** A click is shorter than this; it is heard but nobody is shown as speaking for it. */
const SPEAKING_AFTER_MS = 60;

/**
 * RFC 6465 Appendix A: the root mean square of the samples, "normalized to the overload point",
 * as 20 × log10.
 */
export function measureLevel(samples: Int16Array, length = samples.length): number {
  if (length === 0) return SILENCE_DBOV;
  let energy = 0;
  for (let i = 0; i < length; i++) {
    const sample = samples[i]!;
    energy += sample * sample;
  }

  return energyToLevel(energy, length);
}

/** Of the sum of the squares of so many samples. */
export function energyToLevel(energy: number, length: number): number {
  if (energy === 0 || length === 0) return SILENCE_DBOV;
  const level = 10 * Math.log10(energy / (length * OVERLOAD * OVERLOAD));

  return level > 0 ? 0 : Math.max(SILENCE_DBOV, level);
}

/** The field of RFC 6464: −dBov as seven bits. */
export function levelToWire(level: number): number {
  return Math.min(127, Math.max(0, Math.round(-level)));
}

export class SpeechDetector {
  #floor = FLOOR_MAX_DBOV;
  #quietMs = Number.POSITIVE_INFINITY;
  #activeMs = 0;
  #level = SILENCE_DBOV;

  /** Takes the level of the next `elapsedMs` of the input; answers `audible`. */
  update(level: number, elapsedMs: number): boolean {
    // Rises at once, falls over about 100 ms, so that the order of talkers does not flicker.
    this.#level = level > this.#level ? level : this.#level + (level - this.#level) * 0.2;
    this.#trackFloor(level, elapsedMs);
    if (this.standsOut(level)) {
      this.#quietMs = 0;
      this.#activeMs += elapsedMs;
    } else {
      this.#quietMs += elapsedMs;
      if (this.#quietMs >= HANGOVER_MS) this.#activeMs = 0;
    }

    return this.audible;
  }

  /** A sound of this level would be audible. */
  standsOut(level: number): boolean {
    return level >= Math.max(SPEECH_MIN_DBOV, this.#floor + SPEECH_ABOVE_FLOOR_DB);
  }

  /** Worth mixing: something stands out, or did a moment ago. */
  get audible(): boolean {
    return this.#quietMs < HANGOVER_MS;
  }

  /** Worth showing as the one who speaks. */
  get speaking(): boolean {
    return this.audible && this.#activeMs >= SPEAKING_AFTER_MS;
  }

  /** Smoothed, dBov. */
  get level(): number {
    return this.#level;
  }

  /** All of it, for another thread, where `thaw` goes on with it. */
  freeze() {
    return {
      floor: this.#floor,
      quietMs: this.#quietMs,
      activeMs: this.#activeMs,
      level: this.#level,
    };
  }

  thaw(state: ReturnType<SpeechDetector['freeze']>): void {
    ({
      floor: this.#floor,
      quietMs: this.#quietMs,
      activeMs: this.#activeMs,
      level: this.#level,
    } = state);
  }

  reset(): void {
    this.#quietMs = Number.POSITIVE_INFINITY;
    this.#activeMs = 0;
    this.#level = SILENCE_DBOV;
    this.#floor = FLOOR_MAX_DBOV;
  }

  #trackFloor(level: number, elapsedMs: number): void {
    if (level < this.#floor) {
      this.#floor = Math.max(FLOOR_MIN_DBOV, this.#floor + (level - this.#floor) * 0.3);

      return;
    }
    const rise = (FLOOR_RISE_DB_PER_SECOND * elapsedMs) / 1000;
    this.#floor = Math.min(level, FLOOR_MAX_DBOV, this.#floor + rise);
  }
}
