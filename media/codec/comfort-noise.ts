/**
 * Noise as the sender describes it (RFC 3389): "the noise level in -dBov", then the reflection
 * coefficients of its spectrum.
 */

/** Coefficients beyond these are not used: a receiver may take a lower order (RFC 3389 3.2). */
const MAX_ORDER = 10;
const OVERLOAD = 32_767;
/** Root mean square of numbers spread evenly between −1 and 1. */
const UNIFORM_RMS = 1 / Math.sqrt(3);

export class ComfortNoise {
  #reflection = new Float64Array(MAX_ORDER);
  #state = new Float64Array(MAX_ORDER + 1);
  #order = 0;
  #gain = 0;
  #seed = 1;

  /** All of it, for another thread, where `thaw` goes on with it. */
  freeze() {
    return {
      reflection: this.#reflection,
      state: this.#state,
      order: this.#order,
      gain: this.#gain,
      seed: this.#seed,
    };
  }

  thaw(state: ReturnType<ComfortNoise['freeze']>): void {
    ({
      reflection: this.#reflection,
      state: this.#state,
      order: this.#order,
      gain: this.#gain,
      seed: this.#seed,
    } = state);
  }

  /** A packet came; an empty one says silence. */
  describe(payload: Uint8Array): void {
    const level = payload.length === 0 ? 127 : payload[0]! & 0x7f;
    this.#order = Math.min(MAX_ORDER, Math.max(0, payload.length - 1));
    let gain = level === 127 ? 0 : OVERLOAD * 10 ** (-level / 20);
    for (let i = 0; i < this.#order; i++) {
      // "k_i = 258 × (N_i − 127) / 32768"; at ±1 the filter would ring for ever.
      const k = Math.max(-0.99, Math.min(0.99, (258 * (payload[i + 1]! - 127)) / 32_768));
      this.#reflection[i] = k;
      gain *= Math.sqrt(1 - k * k);
    }
    this.#gain = gain / UNIFORM_RMS;
  }

  fill(out: Int16Array, samples: number): number {
    const length = Math.min(samples, out.length);
    const order = this.#order;
    const state = this.#state;
    for (let n = 0; n < length; n++) {
      this.#seed = (this.#seed * 16_807) % 2_147_483_647;
      let forward = this.#gain * (this.#seed / 1_073_741_823.5 - 1);
      for (let i = order - 1; i >= 0; i--) {
        const k = this.#reflection[i]!;
        forward -= k * state[i]!;
        state[i + 1] = state[i]! + k * forward;
      }
      state[0] = forward;
      out[n] = Math.max(-32_768, Math.min(32_767, Math.round(forward)));
    }

    return length;
  }
}
