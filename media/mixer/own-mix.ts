import { Resampler } from '../codec/index.ts';
import type { AudioMixer } from './audio-mixer.ts';
import type { LegPlayback } from './leg-playback.ts';
import { Limiter } from './limiter.ts';
import { MixEncoder } from './mix-encoder.ts';

/**
 * What one who talks is sent: everybody but itself, through an encoder of its own. It runs only while
 * the voice is in the mix; the packets fall on the same ticks as those of the quiet listeners, so
 * that changing between the two costs no packet.
 */
export class OwnMix {
  readonly encoder: MixEncoder;
  readonly #mixer: AudioMixer;
  readonly #limiter = new Limiter();
  readonly #mix: Int16Array;
  readonly #resampler: Resampler | undefined;
  readonly #narrow: Int16Array;
  #active = false;

  constructor(mixer: AudioMixer, mixRate: number, shared: MixEncoder) {
    const { codec, ptime, formatParameters } = shared;
    this.encoder = new MixEncoder(codec, mixRate, ptime, formatParameters);
    this.#mixer = mixer;
    this.#mix = new Int16Array(mixer.frameSize);
    const rate = this.encoder.sampleRate;
    this.#resampler = rate === mixRate ? undefined : new Resampler(mixRate, rate);
    this.#narrow = new Int16Array(rate / 50);
  }

  get active(): boolean {
    return this.#active;
  }

  /** Before the shared encoder takes this frame; its half-filled packet is taken over. */
  start(shared: MixEncoder): void {
    if (this.#active) return;
    this.#active = true;
    this.#limiter.reset();
    this.#resampler?.reset();
    this.encoder.alignWith(shared);
  }

  /** `own`: its frame in this mix, undefined: it is not in it; `playback`: what it alone hears. */
  push(own: Int16Array | undefined, playback: LegPlayback): void {
    this.encoder.push(playback.process(this.#others(own), this.encoder.sampleRate));
  }

  /** At the encoder's rate; undefined: silence. */
  #others(own: Int16Array | undefined): Int16Array | undefined {
    const others = this.#mixer.sources - (own === undefined ? 0 : 1);
    if (others === 0) return undefined;
    if (own === undefined) this.#mixer.all(this.#limiter, this.#mix);
    else this.#mixer.without(own, this.#limiter, this.#mix);
    if (this.#resampler === undefined) return this.#mix;
    this.#resampler.process(this.#mix, this.#mix.length, this.#narrow);

    return this.#narrow;
  }

  /** The voice has left the mix and its last packet is complete. */
  stop(): void {
    this.#active = false;
  }

  close(): void {
    this.encoder.close();
  }
}
