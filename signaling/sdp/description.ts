/** Our own descriptions: the audio stream, written in one way, and the version rules of `o=`. */
import { isIP } from 'node:net';
import type { SrtpKey, SrtpKeys } from '../../media/srtp/suites.ts';
import { findTelephoneEvent, type AudioCodec } from '../../media/codecs.ts';
import type { AudioCapabilities, NegotiatedAudio } from './audio-negotiation.ts';
import { cryptoAttribute, offeredLines } from './crypto-attribute.ts';
import type {
  FormatParameters,
  RtpMap,
  SdpAttribute,
  SdpDirection,
  SdpMedia,
  SdpSession,
} from './sdp-model.ts';
import { writeSdp } from './sdp-session.ts';
import type { LocalVideos } from './video-description.ts';

/** Where our end of the stream is, and what it wants. */
export interface LocalMedia {
  /** The address literal that the far end sends to. */
  readonly address: string;
  readonly rtpPort: number;
  readonly direction?: SdpDirection;
  /** Our last description in this dialog: its `o=` and its m-lines bind the next one. */
  readonly previous?: SdpSession | undefined;
  /** The `o=` session id of a first description. */
  readonly sessionId: string;
  /** The keys that are in use: they go on while the far end's does (RFC 4568 7.1.4). */
  readonly srtp?: SrtpKeys | undefined;
  /** Where its pictures would go; without a place for them video is refused, and not offered. */
  readonly videos?: LocalVideos | undefined;
}

interface StreamParts {
  readonly protocol: string;
  readonly formats: readonly (readonly [payloadType: number, codec: AudioCodec])[];
  readonly ptime: number;
  readonly rtcpMux: boolean;
  readonly direction: SdpDirection;
  readonly crypto: readonly SdpAttribute[];
}

/** Numbers of the answer are those of the offer (RFC 3264 6.1). */
export function answerMedia(
  offered: SdpMedia,
  audio: NegotiatedAudio,
  local: LocalMedia,
  crypto: { readonly tag: string; readonly key: SrtpKey } | undefined,
): SdpMedia {
  return streamMedia(local, {
    protocol: offered.protocol,
    formats: [...audio.receivePayloadTypes],
    ptime: audio.ptime,
    rtcpMux: audio.rtcpMux,
    direction: audio.localDirection,
    crypto: crypto === undefined ? [] : [cryptoAttribute(crypto)],
  });
}

export function offerMedia(capabilities: AudioCapabilities, local: LocalMedia): SdpMedia {
  const clockRates = new Set(capabilities.codecs.map((codec) => codec.clockRate));
  const events = capabilities.telephoneEvent
    ? [...clockRates].flatMap((clockRate) => findTelephoneEvent(clockRate) ?? [])
    : [];

  const { srtp } = capabilities;
  const isOffered = srtp === 'offer' || srtp === 'required' || local.srtp !== undefined;
  const inUse = local.previous?.media.find(({ type, port }) => type === 'audio' && port !== 0);
  const isSecure = srtp === 'required' || (local.srtp && inUse?.protocol.includes('SAVP'));

  return streamMedia(local, {
    protocol: isSecure ? 'RTP/SAVP' : 'RTP/AVP',
    crypto: isOffered && srtp !== 'off' ? offeredLines(local.srtp?.send) : [],
    formats: assignNumbers([...capabilities.codecs, ...events], local.previous),
    ptime: capabilities.packetTimes[0]!,
    rtcpMux: capabilities.rtcpMux,
    direction: local.direction ?? 'sendrecv',
  });
}

/**
 * "the mapping from a particular dynamic payload type number to a particular codec within that media
 * stream MUST NOT change for the duration of a session" (RFC 3264 8.3.2): a codec keeps the number it
 * had, and takes none that another had.
 */
function assignNumbers(
  codecs: readonly AudioCodec[],
  previous: SdpSession | undefined,
): StreamParts['formats'] {
  const maps = previous?.media.flatMap(({ rtpMaps }) => rtpMaps) ?? [];
  const taken = new Map(maps.map((map) => [map.payloadType, map]));
  const isSame = (map: RtpMap, codec: AudioCodec): boolean =>
    map.encodingName === codec.name && map.clockRate === codec.clockRate;

  return codecs.map((codec) => {
    const kept = maps.find((map) => isSame(map, codec));
    let payloadType = kept?.payloadType ?? codec.payloadType;
    for (let next = 96; kept === undefined && taken.has(payloadType) && next < 128; next++) {
      payloadType = next;
    }
    const { name: encodingName, clockRate, channels } = codec;
    taken.set(payloadType, { payloadType, encodingName, clockRate, channels });

    return [payloadType, codec] as const;
  });
}

function streamMedia(local: LocalMedia, parts: StreamParts): SdpMedia {
  const rtpMaps: RtpMap[] = [];
  const formatParameters: FormatParameters[] = [];
  for (const [payloadType, { name, clockRate, channels, fmtp }] of parts.formats) {
    rtpMaps.push({ payloadType, encodingName: name, clockRate, channels });
    if (fmtp !== undefined) formatParameters.push({ payloadType, parameters: fmtp });
  }

  return {
    type: 'audio',
    port: local.rtpPort,
    protocol: parts.protocol,
    formats: rtpMaps.map((map) => String(map.payloadType)),
    bandwidths: [],
    rtpMaps,
    formatParameters,
    direction: parts.direction,
    rtcpMux: parts.rtcpMux,
    ptime: parts.ptime,
    attributes: parts.crypto,
  };
}

/** "the port number … is set to zero … at least one [format] MUST be present" (RFC 3264 6). */
export function refuseMedia(offered: SdpMedia): SdpMedia {
  return {
    type: offered.type,
    port: 0,
    protocol: offered.protocol,
    formats: offered.formats.length > 0 ? offered.formats.slice(0, 1) : ['0'],
    bandwidths: [],
    rtpMaps: [],
    formatParameters: [],
    rtcpMux: false,
    attributes: [],
  };
}

export function describe(
  { address, previous, sessionId }: LocalMedia,
  media: readonly SdpMedia[],
  timing: SdpSession['timing'],
): SdpSession {
  const family = isIP(address) === 6 ? 6 : 4;
  const session: SdpSession = {
    origin: previous?.origin ?? { username: '-', sessionId, version: '1', family, address },
    // "If a session has no meaningful name, then "s= " or "s=-" … is RECOMMENDED" (RFC 8866 5.3).
    name: '-',
    connection: { family, address },
    bandwidths: [],
    timing,
    attributes: [],
    media,
  };

  return versioned(previous, session);
}

/**
 * "the version in the origin field MUST increment by one from the previous SDP … If the version …
 * does not increment, the SDP MUST be identical" (RFC 3264 8).
 */
export function versioned(previous: SdpSession | undefined, session: SdpSession): SdpSession {
  if (previous === undefined || writeSdp(previous) === writeSdp(session)) return session;
  const version = String(BigInt(previous.origin.version) + 1n);

  return { ...session, origin: { ...previous.origin, version } };
}
