import { Limiter } from './limiter.ts';

/**
 * The arithmetic of one room's mix: every talker is added once to one 32-bit sum; "everyone" is that
 * sum, limited once; a talker's own mix is the sum minus its own frame, limited by its own limiter.
 */
export class AudioMixer {
  readonly frameSize: number;
  readonly #sum: Int32Array;
  readonly #scratch: Int32Array;
  #everyone: Int16Array;
  #previous: Int16Array;
  readonly #limiter: Limiter;
  readonly #before: Limiter;
  #sources = 0;

  constructor(frameSize: number) {
    this.frameSize = frameSize;
    this.#sum = new Int32Array(frameSize);
    this.#scratch = new Int32Array(frameSize);
    this.#everyone = new Int16Array(frameSize);
    this.#previous = new Int16Array(frameSize);
    this.#limiter = new Limiter(frameSize);
    this.#before = new Limiter(frameSize);
  }

  /** Frames added since `begin`. */
  get sources(): number {
    return this.#sources;
  }

  /** Everyone's mix before the last one: silence is zeros. */
  get previous(): Int16Array {
    return this.#previous;
  }

  /** How everyone's limiter was before the last frame: where a mix of one's own goes on from. */
  get limiterBefore(): Limiter {
    return this.#before;
  }

  /** What it knows of the frames so far, for another thread. */
  freeze() {
    return { everyone: this.#everyone.slice(), limiter: this.#limiter.freeze() };
  }

  thaw(state: ReturnType<AudioMixer['freeze']>): void {
    this.#everyone.set(state.everyone);
    this.#limiter.thaw(state.limiter);
  }

  /** The mix of the last frame. */
  get last(): Int16Array {
    return this.#everyone;
  }

  begin(): void {
    if (this.#sources > 0) this.#sum.fill(0);
    this.#sources = 0;
  }

  add(frame: Int16Array): void {
    const sum = this.#sum;
    if (frame.length !== sum.length)
      throw new TypeError(`${frame.length} samples, not ${sum.length}`);
    for (let i = 0; i < sum.length; i++) sum[i]! += frame[i]!;
    this.#sources++;
  }

  /** Valid until the next but one `finish`; undefined: silence. */
  finish(): Int16Array | undefined {
    const frame = this.#previous;
    this.#previous = this.#everyone;
    this.#everyone = frame;
    this.#before.copyFrom(this.#limiter);
    if (this.#sources === 0 && this.#limiter.empty) {
      frame.fill(0);
      this.#limiter.reset();

      return undefined;
    }
    this.#limiter.process(this.#sum, frame);

    return frame;
  }

  /** The whole sum through another limiter: for one who was in the mix a moment ago. */
  all(limiter: Limiter, out: Int16Array): void {
    limiter.process(this.#sum, out);
  }

  /** The mix for the one who sent `own`, which was added before. */
  without(own: Int16Array, limiter: Limiter, out: Int16Array): void {
    const sum = this.#sum;
    const scratch = this.#scratch;
    for (let i = 0; i < sum.length; i++) scratch[i] = sum[i]! - own[i]!;
    limiter.process(scratch, out);
  }
}

/** Fades a frame in place in straight lines over its first or last `length` samples. */
export function fadeIn(frame: Int16Array, length: number): void {
  const count = Math.min(length, frame.length);
  for (let i = 0; i < count; i++) frame[i] = (frame[i]! * i) / count;
}

export function fadeOut(frame: Int16Array, length: number): void {
  const count = Math.min(length, frame.length);
  for (let i = 0; i < count; i++) frame[i] = (frame[i]! * (count - 1 - i)) / count;
  frame.fill(0, count);
}
