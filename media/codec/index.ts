export { MAX_ENCODED_OCTETS, MAX_PACKET_MS } from './codec.ts';
export { createDecoder, createEncoder } from './create-codec.ts';
export type { AudioDecoder, AudioEncoder } from './codec.ts';
export { Resampler, isResamplerRate } from './resampler.ts';
export { opusBackend } from './opus.ts';
export type { OpusBackendName } from './opus.ts';
