import { Resampler } from '../codec/index.ts';
import type { AudioMixer } from './audio-mixer.ts';
import type { LegPlayback } from './leg-playback.ts';
import { Limiter } from './limiter.ts';
import { MixEncoder } from './mix-encoder.ts';

/**
 * Frames of the shared mix that an encoder with memory still gets before its listener goes over to the
 * shared one: by then the two have come to the same state but for their rounding.
 */
const SETTLE_FRAMES = 5;

/**
 * What one who talks is sent: everybody but itself, through an encoder of its own. It runs only while
 * the voice is in the mix, and a moment longer. Nothing is heard of either change: it begins in the state
 * that the shared mix is in, it ends when it has become the shared mix again, and its packets fall on the
 * same ticks as those of the quiet listeners.
 */
export class OwnMix {
  readonly encoder: MixEncoder;
  readonly #mixer: AudioMixer;
  readonly #limiter: Limiter;
  readonly #mix: Int16Array;
  readonly #resampler: Resampler | undefined;
  readonly #narrow: Int16Array;
  #active = false;
  /** Frames since it is no longer needed. */
  #settling = 0;

  constructor(mixer: AudioMixer, mixRate: number, shared: MixEncoder) {
    const { codec, ptime, formatParameters } = shared;
    this.encoder = new MixEncoder(codec, mixRate, ptime, formatParameters);
    this.#mixer = mixer;
    this.#limiter = new Limiter(mixer.frameSize);
    this.#mix = new Int16Array(mixer.frameSize);
    const rate = this.encoder.sampleRate;
    this.#resampler = rate === mixRate ? undefined : new Resampler(mixRate, rate);
    this.#narrow = new Int16Array(rate / 50);
  }

  get active(): boolean {
    return this.#active;
  }

  /** The listener may go over to the shared mix with the next packet. */
  get settled(): boolean {
    const frames = hasMemory(this.encoder) ? SETTLE_FRAMES : 1;

    return this.#settling >= frames && this.encoder.pendingSamples === 0;
  }

  /** Before the shared encoder takes this frame; its half-filled packet is taken over. */
  start(shared: MixEncoder): void {
    if (this.#active) return;
    this.#active = true;
    this.#settling = 0;
    this.#follow();
    this.encoder.alignWith(shared);
  }

  /** `own`: its frame in this mix, undefined: it is not in it; `playback`: what it alone hears. */
  push(own: Int16Array | undefined, playback: LegPlayback): void {
    if (this.#settling > 0) {
      this.#settling = 0;
      this.#follow();
    }
    this.encoder.push(playback.process(this.#others(own), this.encoder.sampleRate));
  }

  /** The voice has left the mix; `everyone` at the encoder's rate. */
  settle(everyone: Int16Array | undefined): void {
    if (this.#settling++ > 0) {
      this.encoder.push(everyone);

      return;
    }
    const mine = this.#others(undefined);
    if (mine === undefined || everyone === undefined) this.encoder.push(mine ?? everyone);
    else this.encoder.push(crossFade(mine, everyone));
  }

  stop(): void {
    this.#active = false;
  }

  /** For another thread; undefined while it does not run: it begins as a new one does. */
  freeze() {
    if (!this.#active) return undefined;

    return {
      encoder: this.encoder.freeze(),
      limiter: this.#limiter.freeze(),
      mix: this.#mix.slice(),
      settling: this.#settling,
    };
  }

  thaw(state: NonNullable<ReturnType<OwnMix['freeze']>>): void {
    this.#active = true;
    this.#settling = state.settling;
    this.encoder.thaw(state.encoder);
    this.#limiter.thaw(state.limiter);
    // The resampler looks back less than a frame.
    this.#mix.set(state.mix);
    this.#resampler?.process(this.#mix, this.#mix.length, this.#narrow);
  }

  close(): void {
    this.encoder.close();
  }

  /** Takes over what the shared mix has of the past. */
  #follow(): void {
    this.#limiter.copyFrom(this.#mixer.limiterBefore);
    if (this.#resampler === undefined) return;
    this.#resampler.reset();
    const { previous } = this.#mixer;
    this.#resampler.process(previous, previous.length, this.#narrow);
  }

  /** At the encoder's rate; undefined: silence. */
  #others(own: Int16Array | undefined): Int16Array | undefined {
    const others = this.#mixer.sources - (own === undefined ? 0 : 1);
    if (others === 0 && this.#limiter.empty) return undefined;
    if (own === undefined) this.#mixer.all(this.#limiter, this.#mix);
    else this.#mixer.without(own, this.#limiter, this.#mix);
    if (this.#resampler === undefined) return this.#mix;
    this.#resampler.process(this.#mix, this.#mix.length, this.#narrow);

    return this.#narrow;
  }
}

/** G.711 alone makes each packet of its samples and nothing else. */
function hasMemory({ codec }: MixEncoder): boolean {
  return codec.name !== 'PCMU' && codec.name !== 'PCMA';
}

/** From the one to the other in a straight line, in place. */
function crossFade(from: Int16Array, to: Int16Array): Int16Array {
  const { length } = from;
  for (let i = 0; i < length; i++) from[i] = (from[i]! * (length - i) + to[i]! * i) / length;

  return from;
}
