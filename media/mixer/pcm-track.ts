import { Resampler } from '../codec/index.ts';
import type { Sound } from '../media-api.ts';
import { FRAME_MS } from './mixer-clock.ts';

/** Sounds one after the other, in frames of 20 ms at any rate that is asked for. */
export class PcmTrack {
  readonly #sounds: readonly Sound[];
  readonly #loop: boolean;
  #index = 0;
  #position = 0;
  #resampler: Resampler | undefined;
  #resamplerKey = '';
  #frame = new Int16Array(0);

  constructor(sounds: readonly Sound[], loop = false) {
    this.#sounds = sounds.filter(({ samples }) => samples.length > 0);
    this.#loop = loop;
  }

  /** For another thread, where `PcmTrack.thaw` goes on with it. */
  freeze() {
    return {
      sounds: this.#sounds,
      loop: this.#loop,
      index: this.#index,
      position: this.#position,
      resamplerKey: this.#resamplerKey,
      frame: this.#frame.slice(),
    };
  }

  static thaw(state: ReturnType<PcmTrack['freeze']>): PcmTrack {
    const track = new PcmTrack(state.sounds, state.loop);
    track.#index = state.index;
    track.#position = state.position;
    track.#frame = state.frame;
    const [from, to] = state.resamplerKey.split('/').map(Number);
    // The resampler looks back less than a frame.
    if (from && to) track.#convert(from, to, new Int16Array((to * FRAME_MS) / 1000));

    return track;
  }

  get ended(): boolean {
    return this.#index >= this.#sounds.length;
  }

  /** What is heard now is to be heard by itself. */
  get alone(): boolean {
    return this.#sounds[this.#index]?.alone === true;
  }

  /** Fills `out` with the next 20 ms at `rate`; false when there is nothing any more. */
  read(out: Int16Array, rate: number): boolean {
    const sound = this.#sounds[this.#index];
    if (sound === undefined) return false;
    const length = (sound.rate * FRAME_MS) / 1000;
    if (this.#frame.length !== length) this.#frame = new Int16Array(length);
    const frame = this.#frame;
    const end = Math.min(length, sound.samples.length - this.#position);
    for (let i = 0; i < end; i++) frame[i] = sound.samples[this.#position + i]!;
    frame.fill(0, end);
    this.#position += length;
    if (this.#position >= sound.samples.length) this.#next();
    this.#convert(sound.rate, rate, out);

    return true;
  }

  #next(): void {
    this.#position = 0;
    this.#index++;
    if (this.#loop && this.ended) this.#index = 0;
  }

  #convert(from: number, to: number, out: Int16Array): void {
    if (from === to) {
      out.set(this.#frame);

      return;
    }
    const key = `${from}/${to}`;
    if (this.#resampler === undefined || this.#resamplerKey !== key) {
      this.#resampler = new Resampler(from, to);
      this.#resamplerKey = key;
    }
    this.#resampler.process(this.#frame, this.#frame.length, out);
  }
}
