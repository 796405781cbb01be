/**
 * Opus (RFC 6716) through libopus. It decodes and encodes at the mixer's own rate, so that no
 * resampler is needed, and mono: what a phone or a microphone sends in stereo is mixed down by it.
 */
import { MAX_PACKET_MS, type AudioDecoder, type AudioEncoder } from './codec.ts';
import {
  RESET_STATE,
  SET_BITRATE,
  SET_COMPLEXITY,
  SET_INBAND_FEC,
  SET_PACKET_LOSS_PERCENT,
  type OpusBackendName,
  type OpusLibrary,
  type RawOpusDecoder,
  type RawOpusEncoder,
} from './opus-library.ts';
import { loadNativeOpus } from './opus-native.ts';
import { loadWasmOpus } from './opus-wasm.ts';

export type { OpusBackendName } from './opus-library.ts';

const BITRATE = 32_000;
/** Half the CPU time of 9 and hardly told apart for speech. */
const COMPLEXITY = 5;
/** Milliseconds that one Opus packet can hold with a single frame (RFC 6716 2.1.4), longest first. */
const FRAME_MS = [60, 40, 20, 10];
/** Frames are multiples of 2.5 ms. */
const UNITS_PER_SECOND = 400;

const LOADERS: Record<OpusBackendName, () => OpusLibrary> = {
  libopus: loadNativeOpus,
  wasm: loadWasmOpus,
};
const libraries = new Map<OpusBackendName, OpusLibrary | undefined>();

/** Which library calls are served by; undefined: none could be loaded, Opus must not be offered. */
export function opusBackend(): OpusBackendName | undefined {
  return (load('libopus') ?? load('wasm'))?.name;
}

export function createOpusDecoder(sampleRate: number, backend?: OpusBackendName): AudioDecoder {
  return new OpusDecoder(library(backend).createDecoder(sampleRate), sampleRate);
}

/**
 * A `ptime` that Opus has no frame for, as 30 ms, becomes the next shorter one: `frameSamples` says
 * what it is.
 */
export function createOpusEncoder(
  sampleRate: number,
  ptime: number,
  backend?: OpusBackendName,
): AudioEncoder {
  const frameMs = FRAME_MS.find((ms) => ms <= ptime) ?? FRAME_MS.at(-1)!;

  return new OpusEncoder(library(backend).createEncoder(sampleRate), sampleRate, frameMs);
}

function library(backend: OpusBackendName | undefined): OpusLibrary {
  const name = backend ?? opusBackend();
  const loaded = name === undefined ? undefined : load(name);
  if (loaded === undefined) throw new Error(`Opus is not available (${backend ?? 'any'})`);

  return loaded;
}

function load(name: OpusBackendName): OpusLibrary | undefined {
  if (!libraries.has(name)) {
    let loaded: OpusLibrary | undefined;
    try {
      loaded = LOADERS[name]();
    } catch {
      // `opusBackend` tells which one is used instead.
    }
    libraries.set(name, loaded);
  }

  return libraries.get(name);
}

class OpusDecoder implements AudioDecoder {
  readonly sampleRate: number;
  readonly #raw: RawOpusDecoder;
  readonly #maxSamples: number;
  readonly #unit: number;

  constructor(raw: RawOpusDecoder, sampleRate: number) {
    this.#raw = raw;
    this.sampleRate = sampleRate;
    this.#maxSamples = (sampleRate * MAX_PACKET_MS) / 1000;
    this.#unit = sampleRate / UNITS_PER_SECOND;
  }

  decode(payload: Uint8Array, out: Int16Array): number {
    if (payload.length === 0) return 0;
    const room = Math.min(out.length, this.#maxSamples);

    return Math.max(0, this.#raw.decode(payload, out, room, false));
  }

  conceal(out: Int16Array, samples: number): number {
    return this.#fill(undefined, out, samples);
  }

  recover(next: Uint8Array, out: Int16Array, samples: number): number {
    return this.#fill(next.length > 0 ? next : undefined, out, samples);
  }

  reset(): void {
    this.#raw.control(RESET_STATE);
  }

  close(): void {
    this.#raw.close();
  }

  /** libopus fills in whole units only; the rest of an odd length is silence. */
  #fill(next: Uint8Array | undefined, out: Int16Array, samples: number): number {
    const length = Math.min(samples, out.length);
    const whole = Math.min(length - (length % this.#unit), this.#maxSamples);
    let written = 0;
    if (whole > 0) {
      written = Math.max(0, this.#raw.decode(next, out, whole, next !== undefined));
    }
    if (written < length) out.fill(0, written, length);

    return length;
  }
}

class OpusEncoder implements AudioEncoder {
  readonly sampleRate: number;
  readonly frameSamples: number;
  readonly #raw: RawOpusEncoder;

  constructor(raw: RawOpusEncoder, sampleRate: number, frameMs: number) {
    this.#raw = raw;
    this.sampleRate = sampleRate;
    this.frameSamples = (sampleRate * frameMs) / 1000;
    raw.control(SET_BITRATE, BITRATE);
    raw.control(SET_COMPLEXITY, COMPLEXITY);
  }

  encode(pcm: Int16Array, out: Uint8Array): number {
    return Math.max(0, this.#raw.encode(pcm, this.frameSamples, out));
  }

  expectLoss(percent: number): void {
    const bounded = Math.min(100, Math.max(0, Math.round(percent)));
    this.#raw.control(SET_INBAND_FEC, bounded > 0 ? 1 : 0);
    this.#raw.control(SET_PACKET_LOSS_PERCENT, bounded);
  }

  close(): void {
    this.#raw.close();
  }
}
