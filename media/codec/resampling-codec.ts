/** G.711 and G.722 at the mix rate: the codec's own rate and a resampler. */
import { MAX_PACKET_MS, type AudioDecoder, type AudioEncoder } from './codec.ts';
import { Resampler } from './resampler.ts';

export class ResamplingDecoder implements AudioDecoder {
  readonly sampleRate: number;
  readonly #decoder: AudioDecoder;
  readonly #resampler: Resampler;
  readonly #native: Int16Array;

  constructor(decoder: AudioDecoder, sampleRate: number) {
    this.sampleRate = sampleRate;
    this.#decoder = decoder;
    this.#resampler = new Resampler(decoder.sampleRate, sampleRate);
    this.#native = new Int16Array((decoder.sampleRate * MAX_PACKET_MS) / 1000);
  }

  decode(payload: Uint8Array, out: Int16Array): number {
    return this.#resample(this.#decoder.decode(payload, this.#native), out);
  }

  conceal(out: Int16Array, samples: number): number {
    return this.#resample(this.#decoder.conceal(this.#native, this.#toNative(samples)), out);
  }

  recover(next: Uint8Array, out: Int16Array, samples: number): number {
    return this.#resample(this.#decoder.recover(next, this.#native, this.#toNative(samples)), out);
  }

  reset(): void {
    this.#decoder.reset();
    this.#resampler.reset();
  }

  close(): void {
    this.#decoder.close();
  }

  #toNative(samples: number): number {
    const native = Math.round((samples * this.#decoder.sampleRate) / this.sampleRate);

    return Math.min(native, this.#native.length);
  }

  #resample(samples: number, out: Int16Array): number {
    return this.#resampler.process(this.#native, samples, out);
  }
}

export class ResamplingEncoder implements AudioEncoder {
  readonly sampleRate: number;
  readonly frameSamples: number;
  readonly #encoder: AudioEncoder;
  readonly #resampler: Resampler;
  readonly #native: Int16Array;

  constructor(encoder: AudioEncoder, sampleRate: number) {
    this.sampleRate = sampleRate;
    this.frameSamples = Math.round((encoder.frameSamples * sampleRate) / encoder.sampleRate);
    this.#encoder = encoder;
    this.#resampler = new Resampler(sampleRate, encoder.sampleRate);
    this.#native = new Int16Array(encoder.frameSamples);
  }

  encode(pcm: Int16Array, out: Uint8Array): number {
    const samples = this.#resampler.process(pcm, this.frameSamples, this.#native);

    return samples === this.#native.length ? this.#encoder.encode(this.#native, out) : 0;
  }

  expectLoss(percent: number): void {
    this.#encoder.expectLoss(percent);
  }

  copyState(from: AudioEncoder): boolean {
    if (!(from instanceof ResamplingEncoder) || from.sampleRate !== this.sampleRate) return false;
    if (!this.#encoder.copyState(from.#encoder)) return false;
    this.#resampler.copyState(from.#resampler);

    return true;
  }

  close(): void {
    this.#encoder.close();
  }
}
