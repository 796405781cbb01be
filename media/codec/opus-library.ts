/**
 * libopus as its two bindings offer it: the system's shared library, and a build for WebAssembly.
 * Results below zero are libopus' error codes.
 */
export interface OpusLibrary {
  readonly name: OpusBackendName;
  createDecoder(sampleRate: number): RawOpusDecoder;
  createEncoder(sampleRate: number): RawOpusEncoder;
}

export type OpusBackendName = 'libopus' | 'wasm';

export interface RawOpusDecoder {
  /**
   * Samples written, `maxSamples` at most and never more than `out` holds. No payload: conceal
   * exactly `maxSamples`. `fec`: the frame before `payload`, exactly `maxSamples` long.
   */
  decode(
    payload: Uint8Array | undefined,
    out: Int16Array,
    maxSamples: number,
    fec: boolean,
  ): number;
  control(request: number, value?: number): void;
  /** Its octets, for one of the same rate in another thread; no method: this binding cannot. */
  freeze?(): Uint8Array | undefined;
  thaw?(state: Uint8Array): void;
  close(): void;
}

export interface RawOpusEncoder {
  /** Octets written. */
  encode(pcm: Int16Array, samples: number, out: Uint8Array): number;
  /** False when it cannot; both are of the same rate. */
  copyState(from: RawOpusEncoder): boolean;
  control(request: number, value?: number): void;
  /** As a decoder's. */
  freeze?(): Uint8Array | undefined;
  thaw?(state: Uint8Array): void;
  close(): void;
}

/** `OPUS_APPLICATION_VOIP` of opus_defines.h. */
export const APPLICATION_VOIP = 2048;
/** Requests of opus_defines.h. */
export const SET_BITRATE = 4002;
export const SET_MAX_BANDWIDTH = 4004;
export const SET_VBR = 4006;
export const SET_COMPLEXITY = 4010;
export const SET_INBAND_FEC = 4012;
export const SET_PACKET_LOSS_PERCENT = 4014;
export const SET_DTX = 4016;
export const SET_VBR_CONSTRAINT = 4020;
export const SET_SIGNAL = 4024;
export const RESET_STATE = 4028;

/** `OPUS_AUTO` and `OPUS_SIGNAL_MUSIC`. */
export const SIGNAL_AUTO = -1000;
export const SIGNAL_MUSIC = 3002;

/** `OPUS_BANDWIDTH_…` by the lowest sample rate that holds it all. */
export const BANDWIDTHS: readonly (readonly [sampleRate: number, bandwidth: number])[] = [
  [8000, 1101],
  [12_000, 1102],
  [16_000, 1103],
  [24_000, 1104],
  [48_000, 1105],
];

/** `OPUS_BAD_ARG`. */
export const BAD_ARGUMENT = -1;
