/** Makes the codec of a name, at the mixer's sample rate. */
import type { AudioCodec } from '../codecs.ts';
import type { AudioDecoder, AudioEncoder } from './codec.ts';
import { G711Decoder, G711Encoder } from './g711.ts';
import { createOpusDecoder, createOpusEncoder } from './opus.ts';
import { ResamplingDecoder, ResamplingEncoder } from './resampling-codec.ts';
import { isResamplerRate } from './resampler.ts';

export function createDecoder(codec: AudioCodec, sampleRate: number): AudioDecoder {
  switch (codec.name) {
    case 'opus':
      return createOpusDecoder(sampleRate);
    case 'PCMU':
    case 'PCMA':
      return atRate(sampleRate, codec.sampleRate, new G711Decoder(codec.name), ResamplingDecoder);
    case 'telephone-event':
      throw new TypeError('telephone-event is not audio');
  }
}

/** `ptime`: milliseconds in each packet. */
export function createEncoder(codec: AudioCodec, sampleRate: number, ptime: number): AudioEncoder {
  switch (codec.name) {
    case 'opus':
      return createOpusEncoder(sampleRate, ptime);
    case 'PCMU':
    case 'PCMA':
      return atRate(
        sampleRate,
        codec.sampleRate,
        new G711Encoder(codec.name, ptime),
        ResamplingEncoder,
      );
    case 'telephone-event':
      throw new TypeError('telephone-event is not audio');
  }
}

function atRate<T>(
  wanted: number,
  native: number,
  codec: T,
  Resampling: new (codec: T, sampleRate: number) => T,
): T {
  if (wanted === native) return codec;
  if (!isResamplerRate(wanted)) throw new TypeError(`no codec at ${wanted} Hz`);

  return new Resampling(codec, wanted);
}
