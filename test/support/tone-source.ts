/** A sine of any frequency in frames that join without a click; `level` is dBFS of its peak. */
export class ToneSource {
  readonly #step: number;
  readonly #amplitude: number;
  #phase = 0;

  constructor(frequency: number, sampleRate: number, level = -12) {
    this.#step = (2 * Math.PI * frequency) / sampleRate;
    this.#amplitude = 32_767 * 10 ** (level / 20);
  }

  next(length: number): Int16Array {
    const frame = new Int16Array(length);
    for (let i = 0; i < length; i++) {
      frame[i] = Math.round(this.#amplitude * Math.sin(this.#phase));
      this.#phase = (this.#phase + this.#step) % (2 * Math.PI);
    }

    return frame;
  }
}

/** Concatenates frames into one signal. */
export function joinFrames(frames: readonly Int16Array[]): Int16Array {
  const total = frames.reduce((sum, frame) => sum + frame.length, 0);
  const signal = new Int16Array(total);
  let offset = 0;
  for (const frame of frames) {
    signal.set(frame, offset);
    offset += frame.length;
  }

  return signal;
}
