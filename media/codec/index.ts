export { MAX_ENCODED_OCTETS, MAX_PACKET_MS } from './codec.ts';
export { createDecoder, createEncoder, encodingKey } from './create-codec.ts';
export type { AudioDecoder, AudioEncoder } from './codec.ts';
export { G722Decoder } from './g722.ts';
export { Resampler, isResamplerRate } from './resampler.ts';
export { configureOpus, opusBackend } from './opus.ts';
export type { OpusBackendName, OpusSettings } from './opus.ts';
export { readOpusParameters } from './opus-parameters.ts';
export type { OpusParameters } from './opus-parameters.ts';
