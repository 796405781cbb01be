/** The system's libopus, called in process. It checks no lengths, so this does. */
import { createRequire } from 'node:module';
import type * as koffiModule from 'koffi';
import {
  APPLICATION_VOIP,
  BAD_ARGUMENT,
  type OpusLibrary,
  type RawOpusDecoder,
  type RawOpusEncoder,
} from './opus-library.ts';

const LIBRARY = 'libopus.so.0';

type Koffi = typeof koffiModule;
type Handle = object | null;
interface Functions {
  decoderCreate: (rate: number, channels: number, error: Int32Array) => Handle;
  decode: (
    decoder: Handle,
    data: Uint8Array | null,
    length: number,
    pcm: Int16Array,
    samples: number,
    fec: number,
  ) => number;
  decoderControl: (decoder: Handle, request: number, ...args: unknown[]) => number;
  decoderDestroy: (decoder: Handle) => void;
  encoderCreate: (rate: number, channels: number, application: number, error: Int32Array) => Handle;
  encode: (
    encoder: Handle,
    pcm: Int16Array,
    samples: number,
    data: Uint8Array,
    max: number,
  ) => number;
  encoderControl: (encoder: Handle, request: number, ...args: unknown[]) => number;
  encoderDestroy: (encoder: Handle) => void;
  encoderSize: (channels: number) => number;
  decoderSize: (channels: number) => number;
  copyMemory: (to: Handle | Uint8Array, from: Handle | Uint8Array, octets: number) => Handle;
}

/** Throws when the library, or koffi's binary for this platform, is not there. */
export function loadNativeOpus(): OpusLibrary {
  // Loaded when first wanted, so that a platform without it still has the other binding.
  const koffi = createRequire(import.meta.url)('koffi') as Koffi;
  const functions = bind(koffi);

  return {
    name: 'libopus',
    createDecoder: (sampleRate) => new NativeDecoder(functions, sampleRate),
    createEncoder: (sampleRate) => new NativeEncoder(functions, sampleRate),
  };
}

function bind(koffi: Koffi): Functions {
  const library = koffi.load(LIBRARY);

  return {
    decoderCreate: library.func(
      'void *opus_decoder_create(int32_t rate, int channels, int *error)',
    ) as Functions['decoderCreate'],
    decode: library.func(
      'int opus_decode(void *st, const uint8_t *data, int32_t len, int16_t *pcm, int samples, int fec)',
    ) as Functions['decode'],
    decoderControl: library.func(
      'int opus_decoder_ctl(void *st, int request, ...)',
    ) as Functions['decoderControl'],
    decoderDestroy: library.func(
      'void opus_decoder_destroy(void *st)',
    ) as Functions['decoderDestroy'],
    encoderCreate: library.func(
      'void *opus_encoder_create(int32_t rate, int channels, int application, int *error)',
    ) as Functions['encoderCreate'],
    encode: library.func(
      'int opus_encode(void *st, const int16_t *pcm, int samples, uint8_t *data, int32_t max)',
    ) as Functions['encode'],
    encoderControl: library.func(
      'int opus_encoder_ctl(void *st, int request, ...)',
    ) as Functions['encoderControl'],
    encoderDestroy: library.func(
      'void opus_encoder_destroy(void *st)',
    ) as Functions['encoderDestroy'],
    encoderSize: library.func(
      'int opus_encoder_get_size(int channels)',
    ) as Functions['encoderSize'],
    decoderSize: library.func(
      'int opus_decoder_get_size(int channels)',
    ) as Functions['decoderSize'],
    // Of the C library, which libopus brings along.
    copyMemory: library.func(
      'void *memcpy(void *to, void *from, size_t octets)',
    ) as Functions['copyMemory'],
  };
}

class NativeDecoder implements RawOpusDecoder {
  readonly #functions: Functions;
  /** Null once closed: libopus would touch freed memory. */
  #handle: Handle;

  constructor(functions: Functions, sampleRate: number) {
    this.#functions = functions;
    const error = new Int32Array(1);
    this.#handle = functions.decoderCreate(sampleRate, 1, error);
    if (this.#handle === null || error[0] !== 0)
      throw new Error(`opus_decoder_create: ${error[0]}`);
  }

  decode(
    payload: Uint8Array | undefined,
    out: Int16Array,
    maxSamples: number,
    fec: boolean,
  ): number {
    if (this.#handle === null || maxSamples > out.length || maxSamples <= 0) return BAD_ARGUMENT;
    const length = payload?.length ?? 0;

    return this.#functions.decode(
      this.#handle,
      payload ?? null,
      length,
      out,
      maxSamples,
      fec ? 1 : 0,
    );
  }

  control(request: number, value?: number): void {
    if (this.#handle === null) return;
    const args = value === undefined ? [] : ['int', value];
    this.#functions.decoderControl(this.#handle, request, ...args);
  }

  /** "only a shallow copy is enough": what it points to are tables of the library, which threads share. */
  freeze(): Uint8Array | undefined {
    if (this.#handle === null) return undefined;
    const state = new Uint8Array(this.#functions.decoderSize(1));
    this.#functions.copyMemory(state, this.#handle, state.length);

    return state;
  }

  thaw(state: Uint8Array): void {
    if (this.#handle === null || state.length !== this.#functions.decoderSize(1)) return;
    this.#functions.copyMemory(this.#handle, state, state.length);
  }

  close(): void {
    if (this.#handle !== null) this.#functions.decoderDestroy(this.#handle);
    this.#handle = null;
  }
}

class NativeEncoder implements RawOpusEncoder {
  readonly #functions: Functions;
  readonly #sampleRate: number;
  #handle: Handle;

  constructor(functions: Functions, sampleRate: number) {
    this.#functions = functions;
    this.#sampleRate = sampleRate;
    const error = new Int32Array(1);
    this.#handle = functions.encoderCreate(sampleRate, 1, APPLICATION_VOIP, error);
    if (this.#handle === null || error[0] !== 0)
      throw new Error(`opus_encoder_create: ${error[0]}`);
  }

  encode(pcm: Int16Array, samples: number, out: Uint8Array): number {
    if (this.#handle === null || samples > pcm.length || out.length === 0) return BAD_ARGUMENT;

    return this.#functions.encode(this.#handle, pcm, samples, out, out.length);
  }

  /** "only a shallow copy is enough to copy it (e.g. memcpy())", says opus.h of a state. */
  copyState(from: RawOpusEncoder): boolean {
    if (!(from instanceof NativeEncoder) || from.#handle === null) return false;
    if (this.#handle === null || from.#sampleRate !== this.#sampleRate) return false;
    this.#functions.copyMemory(this.#handle, from.#handle, this.#functions.encoderSize(1));

    return true;
  }

  control(request: number, value?: number): void {
    if (this.#handle === null) return;
    const args = value === undefined ? [] : ['int', value];
    this.#functions.encoderControl(this.#handle, request, ...args);
  }

  freeze(): Uint8Array | undefined {
    if (this.#handle === null) return undefined;
    const state = new Uint8Array(this.#functions.encoderSize(1));
    this.#functions.copyMemory(state, this.#handle, state.length);

    return state;
  }

  thaw(state: Uint8Array): void {
    if (this.#handle === null || state.length !== this.#functions.encoderSize(1)) return;
    this.#functions.copyMemory(this.#handle, state, state.length);
  }

  close(): void {
    if (this.#handle !== null) this.#functions.encoderDestroy(this.#handle);
    this.#handle = null;
  }
}
