/**
 * What a room's router speaks. Audio is the one codec table, so that a phone's stream is forwarded
 * to browsers as it comes; video is what every browser can send or receive in hardware or software.
 */
import type { types as mediasoup } from 'mediasoup';
import { AUDIO_CODECS, type AudioCodec } from '../codecs.ts';
import { isKeyLabel, keyLabels } from './key-codecs.ts';

/** RFC 6464: the sender's own measure of how loud each packet is. */
export const AUDIO_LEVEL_URI = 'urn:ietf:params:rtp-hdrext:ssrc-audio-level';

/**
 * Under the numbers that Chromium offers: whoever calls with its own offer then gets its own numbers, as
 * everything that leaves a router has the router's.
 */
const VIDEO_CODECS: readonly mediasoup.RouterRtpCodecCapability[] = [
  { kind: 'video', mimeType: 'video/VP8', clockRate: 90_000, preferredPayloadType: 96 },
  {
    kind: 'video',
    mimeType: 'video/VP9',
    clockRate: 90_000,
    preferredPayloadType: 98,
    parameters: { 'profile-id': 0 },
  },
  {
    kind: 'video',
    mimeType: 'video/H264',
    clockRate: 90_000,
    preferredPayloadType: 108,
    parameters: {
      'packetization-mode': 1,
      'profile-level-id': '42e01f',
      'level-asymmetry-allowed': 1,
    },
  },
];

export function routerCodecs(): mediasoup.RouterRtpCodecCapability[] {
  const audio = AUDIO_CODECS.map((codec): mediasoup.RouterRtpCodecCapability => ({
    kind: 'audio',
    mimeType: mimeType(codec),
    clockRate: codec.clockRate,
    channels: codec.channels,
    preferredPayloadType: codec.payloadType,
  }));

  return [...audio, ...keyLabels(), ...VIDEO_CODECS];
}

export function mimeType(codec: AudioCodec): string {
  return `audio/${codec.name}`;
}

/** The codec of a stream as a router describes it; names compare case-insensitively (RFC 4855 3). */
export function audioCodecOf(parameters: mediasoup.RtpCodecParameters): AudioCodec | undefined {
  const wanted = parameters.mimeType.toLowerCase();

  return AUDIO_CODECS.find((codec) => mimeType(codec).toLowerCase() === wanted);
}

/** The header extension id that the router gives to the audio level in everything it sends. */
export function audioLevelId(capabilities: mediasoup.RtpCapabilities): number {
  const extension = capabilities.headerExtensions?.find(
    ({ kind, uri }) => kind === 'audio' && uri === AUDIO_LEVEL_URI,
  );
  if (extension === undefined) throw new TypeError('the router knows no audio level extension');

  return extension.preferredId;
}

/**
 * What the mixer can take from the router: audio alone, with the level in each packet and without
 * feedback, as it neither asks for retransmissions nor estimates bandwidth on the loopback.
 */
export function mixerCapabilities(router: mediasoup.RtpCapabilities): mediasoup.RtpCapabilities {
  return {
    codecs: (router.codecs ?? [])
      .filter((codec) => codec.kind === 'audio' && !isKeyLabel(codec))
      .map((codec) => ({ ...codec, rtcpFeedback: [] })),
    headerExtensions: (router.headerExtensions ?? []).filter(
      ({ kind, uri }) => kind === 'audio' && uri === AUDIO_LEVEL_URI,
    ),
  };
}
