/** Makes the codec of a name, at the mixer's sample rate. */
import type { AudioCodec } from '../codecs.ts';
import type { AudioDecoder, AudioEncoder } from './codec.ts';
import { G711Decoder, G711Encoder } from './g711.ts';
import { G722Decoder, G722Encoder } from './g722.ts';
import { createOpusDecoder, createOpusEncoder } from './opus.ts';
import { opusParametersKey, readOpusParameters } from './opus-parameters.ts';
import { ResamplingDecoder, ResamplingEncoder } from './resampling-codec.ts';
import { isResamplerRate } from './resampler.ts';

export function createDecoder(codec: AudioCodec, sampleRate: number): AudioDecoder {
  switch (codec.name) {
    case 'opus':
      return createOpusDecoder(sampleRate);
    case 'G722':
      return atRate(sampleRate, codec.sampleRate, new G722Decoder(), ResamplingDecoder);
    case 'PCMU':
    case 'PCMA':
      return atRate(sampleRate, codec.sampleRate, new G711Decoder(codec.name), ResamplingDecoder);
    case 'CN':
    case 'telephone-event':
      throw new TypeError(`${codec.name} is no codec`);
  }
}

/** `ptime`: milliseconds in each packet; `formatParameters`: what the far end wrote into `a=fmtp`. */
export function createEncoder(
  codec: AudioCodec,
  sampleRate: number,
  ptime: number,
  formatParameters?: string,
): AudioEncoder {
  switch (codec.name) {
    case 'opus':
      return createOpusEncoder(sampleRate, ptime, undefined, formatParameters);
    case 'G722':
      return atRate(sampleRate, codec.sampleRate, new G722Encoder(ptime), ResamplingEncoder);
    case 'PCMU':
    case 'PCMA':
      return atRate(
        sampleRate,
        codec.sampleRate,
        new G711Encoder(codec.name, ptime),
        ResamplingEncoder,
      );
    case 'CN':
    case 'telephone-event':
      throw new TypeError(`${codec.name} is no codec`);
  }
}

/** Equal for all listeners whom one encoder serves. */
export function encodingKey(codec: AudioCodec, ptime: number, formatParameters?: string): string {
  const key = `${codec.name}/${ptime}`;
  if (codec.name !== 'opus') return key;

  return `${key}/${opusParametersKey(readOpusParameters(formatParameters))}`;
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
