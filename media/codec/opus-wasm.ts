/**
 * libopus compiled to WebAssembly (package `opus-encdec`), for machines without the shared library;
 * about a third slower. Its own JavaScript is asynchronous to load and made for browsers, so the
 * module is instantiated here with the few functions that it imports.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import {
  APPLICATION_VOIP,
  BAD_ARGUMENT,
  type OpusLibrary,
  type RawOpusDecoder,
  type RawOpusEncoder,
} from './opus-library.ts';

/** Octets of the largest payload or packet that crosses. */
const MAX_PACKET = 1500;
/** 120 ms at 48 kHz. */
const MAX_SAMPLES = 5760;
const PAGE = 65_536;
const FULL_SCALE = 32_768;

interface Memory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

/** What is used of WebAssembly: TypeScript has its types in the library of browsers alone. */
interface WebAssemblyApi {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
}

const webAssembly = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly;

interface Exports {
  memory: Memory;
  __wasm_call_ctors: () => void;
  malloc: (octets: number) => number;
  free: (pointer: number) => void;
  opus_decoder_create: (rate: number, channels: number, error: number) => number;
  opus_decode_float: (
    decoder: number,
    data: number,
    length: number,
    pcm: number,
    samples: number,
    fec: number,
  ) => number;
  opus_decoder_ctl: (decoder: number, request: number, args: number) => number;
  opus_decoder_destroy: (decoder: number) => void;
  opus_encoder_create: (rate: number, channels: number, app: number, error: number) => number;
  opus_encode_float: (
    encoder: number,
    pcm: number,
    samples: number,
    data: number,
    max: number,
  ) => number;
  opus_encoder_ctl: (encoder: number, request: number, args: number) => number;
  opus_encoder_destroy: (encoder: number) => void;
}

/** Throws when the package is not there. */
export function loadWasmOpus(): OpusLibrary {
  const decoder = instantiate('libopus-decoder.wasm.wasm');
  const encoder = instantiate('libopus-encoder.wasm.wasm');

  return {
    name: 'wasm',
    createDecoder: (sampleRate) => new WasmDecoder(decoder, sampleRate),
    createEncoder: (sampleRate) => new WasmEncoder(encoder, sampleRate),
  };
}

/** An instance with the buffers that every call goes through: calls never overlap. */
interface Instance {
  exports: Exports;
  packet: number;
  pcm: number;
  args: number;
}

function instantiate(file: string): Instance {
  const path = createRequire(import.meta.url).resolve(`opus-encdec/dist/${file}`);
  const module = new webAssembly.Module(readFileSync(path));
  const unused = (): number => 0;
  const instance = new webAssembly.Instance(module, {
    env: {
      emscripten_resize_heap: (wanted: number) => {
        const { memory } = exports;
        memory.grow(Math.max(0, Math.ceil((wanted - memory.buffer.byteLength) / PAGE)));

        return 1;
      },
      emscripten_memcpy_big: (target: number, source: number, count: number) => {
        new Uint8Array(exports.memory.buffer).copyWithin(target, source, source + count);

        return target;
      },
      abort: () => {
        throw new Error('libopus aborted');
      },
      setTempRet0: unused,
    },
    wasi_snapshot_preview1: { fd_close: unused, fd_write: unused, fd_seek: unused },
  });
  const exports = instance.exports as Exports;
  exports.__wasm_call_ctors();

  return {
    exports,
    packet: exports.malloc(MAX_PACKET),
    pcm: exports.malloc(4 * MAX_SAMPLES),
    args: exports.malloc(8),
  };
}

/** The variadic value of a control lies in memory. */
function storeArgument(instance: Instance, value: number): number {
  new Int32Array(instance.exports.memory.buffer)[instance.args >> 2] = value;

  return instance.args;
}

class WasmDecoder implements RawOpusDecoder {
  readonly #instance: Instance;
  /** 0 once closed. */
  #handle: number;

  constructor(instance: Instance, sampleRate: number) {
    this.#instance = instance;
    this.#handle = instance.exports.opus_decoder_create(sampleRate, 1, instance.args);
    if (this.#handle === 0) throw new Error('opus_decoder_create failed');
  }

  decode(
    payload: Uint8Array | undefined,
    out: Int16Array,
    maxSamples: number,
    fec: boolean,
  ): number {
    const { exports, packet, pcm } = this.#instance;
    const length = payload?.length ?? 0;
    const room = Math.min(maxSamples, MAX_SAMPLES);
    if (this.#handle === 0 || length > MAX_PACKET || room > out.length || room <= 0) {
      return BAD_ARGUMENT;
    }
    if (payload !== undefined) new Uint8Array(exports.memory.buffer, packet, length).set(payload);
    const samples = exports.opus_decode_float(
      this.#handle,
      payload === undefined ? 0 : packet,
      length,
      pcm,
      room,
      fec ? 1 : 0,
    );
    if (samples <= 0) return samples;
    const decoded = new Float32Array(exports.memory.buffer, pcm, samples);
    for (let i = 0; i < samples; i++) {
      const value = Math.round(decoded[i]! * FULL_SCALE);
      out[i] = value > 32_767 ? 32_767 : value < -32_768 ? -32_768 : value;
    }

    return samples;
  }

  control(request: number, value = 0): void {
    if (this.#handle === 0) return;
    const args = storeArgument(this.#instance, value);
    this.#instance.exports.opus_decoder_ctl(this.#handle, request, args);
  }

  close(): void {
    if (this.#handle !== 0) this.#instance.exports.opus_decoder_destroy(this.#handle);
    this.#handle = 0;
  }
}

class WasmEncoder implements RawOpusEncoder {
  readonly #instance: Instance;
  #handle: number;

  constructor(instance: Instance, sampleRate: number) {
    this.#instance = instance;
    const { exports, args } = instance;
    this.#handle = exports.opus_encoder_create(sampleRate, 1, APPLICATION_VOIP, args);
    if (this.#handle === 0) throw new Error('opus_encoder_create failed');
  }

  encode(pcm: Int16Array, samples: number, out: Uint8Array): number {
    const { exports, packet, pcm: input } = this.#instance;
    if (this.#handle === 0 || samples > pcm.length || samples > MAX_SAMPLES) return BAD_ARGUMENT;
    const frame = new Float32Array(exports.memory.buffer, input, samples);
    for (let i = 0; i < samples; i++) frame[i] = pcm[i]! / FULL_SCALE;
    const max = Math.min(out.length, MAX_PACKET);
    const octets = exports.opus_encode_float(this.#handle, input, samples, packet, max);
    if (octets > 0) out.set(new Uint8Array(exports.memory.buffer, packet, octets));

    return octets;
  }

  /** This build does not tell how large a state is. */
  copyState(_from: RawOpusEncoder): boolean {
    return false;
  }

  control(request: number, value = 0): void {
    if (this.#handle === 0) return;
    const args = storeArgument(this.#instance, value);
    this.#instance.exports.opus_encoder_ctl(this.#handle, request, args);
  }

  close(): void {
    if (this.#handle !== 0) this.#instance.exports.opus_encoder_destroy(this.#handle);
    this.#handle = 0;
  }
}
