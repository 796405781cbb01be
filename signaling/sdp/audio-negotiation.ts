/**
 * What both sides can do with one audio stream (RFC 3264 6.1, 7): codec, payload numbers, addresses
 * and direction. Pure; `offer-answer.ts` puts the outcome into descriptions.
 */
import { isIP } from 'node:net';
import {
  COMFORT_NOISE,
  findAudioCodec,
  findStaticAudioCodec,
  findTelephoneEvent,
  TELEPHONE_EVENT,
  type AudioCodec,
} from '../../media/codecs.ts';
import type { SrtpKeys } from '../../media/srtp/suites.ts';
import { readCryptoLines, type CryptoLine } from './crypto-attribute.ts';
import {
  effectiveConnection,
  effectiveDirection,
  type SdpConnection,
  type SdpDirection,
  type SdpMedia,
  type SdpSession,
} from './sdp-model.ts';

/**
 * What a call does about SRTP with keys in SDP. `off`: nothing; `accept`: takes what is offered;
 * `offer`: also offers it, without insisting (RFC 8643); `required`: nothing else; `impossible`: nothing
 * else, and keys may not be taken either, so that the call cannot be.
 */
export type SrtpMode = 'off' | 'accept' | 'offer' | 'required' | 'impossible';

/** What this server can do in a call; a call may be given less than the whole table. */
export interface AudioCapabilities {
  /** In the order in which our own offers list them. */
  readonly codecs: readonly AudioCodec[];
  readonly telephoneEvent: boolean;
  readonly rtcpMux: boolean;
  /** Address families that media can be sent with. */
  readonly families: readonly (4 | 6)[];
  /** Packet times that we send, in milliseconds; the first is the default. */
  readonly packetTimes: readonly number[];
  readonly srtp: SrtpMode;
}

export interface NegotiatedTelephoneEvent {
  readonly sendPayloadType: number;
  readonly receivePayloadType: number;
  readonly clockRate: number;
}

/** The outcome for the call's audio: everything that a media leg must know of the far end. */
export interface NegotiatedAudio {
  readonly codec: AudioCodec;
  readonly sendPayloadType: number;
  /** What the far end may send us, telephone-event included. */
  readonly receivePayloadTypes: ReadonlyMap<number, AudioCodec>;
  readonly telephoneEvent?: NegotiatedTelephoneEvent;
  /** The far end's `a=fmtp` of the codec, as written. */
  readonly remoteFormatParameters?: string;
  /** An address literal; a host name only when the far end wrote one into `c=`. */
  readonly remoteAddress: string;
  readonly remoteRtpPort: number;
  readonly remoteRtcpAddress: string;
  readonly remoteRtcpPort: number;
  readonly rtcpMux: boolean;
  /** It reads the VoIP metrics of RTCP XR (RFC 3611 5.1). */
  readonly voipMetrics?: true;
  /** Packet time that we send with. */
  readonly ptime: number;
  readonly maxptime?: number;
  /** Ours: `recvonly` means that we must not send. */
  readonly localDirection: SdpDirection;
  /** The far end does not listen to us: sendonly, inactive or an address of zeros. */
  readonly onHold: boolean;
  /** Its packets are encrypted with these. */
  readonly srtp?: SrtpKeys;
}

/** One payload number of a stream's format list, explained. */
export interface AudioFormat {
  readonly payloadType: number;
  readonly codec: AudioCodec;
  readonly parameters?: string;
}

/** Why a stream cannot be used, as a warn-code of RFC 3261 20.43. */
export type Unusable = 'media-type' | 'protocol' | 'network' | 'format' | 'refused';

const PROTOCOLS: ReadonlySet<string> = new Set(['RTP/AVP', 'RTP/AVPF']);
const SECURE_PROTOCOLS: ReadonlySet<string> = new Set(['RTP/SAVP', 'RTP/SAVPF']);

/** Is this a stream that a phone leg can carry, whatever its codecs? */
export function findObstacle(
  session: SdpSession,
  media: SdpMedia,
  capabilities: Pick<AudioCapabilities, 'srtp' | 'families'>,
  type: 'audio' | 'video' = 'audio',
): Unusable | undefined {
  if (media.type !== type) return 'media-type';
  if (media.port === 0) return 'refused';
  if (!isSecurable(media, capabilities)) return 'protocol';
  const connection = effectiveConnection(session, media);
  if (connection === undefined || !isReachable(connection, capabilities)) return 'network';

  return undefined;
}

/** SAVP needs a key that we can use, AVP may have one (RFC 8643), and one of the two is needed at times. */
function isSecurable(media: SdpMedia, capabilities: Pick<AudioCapabilities, 'srtp'>): boolean {
  const line = usableCrypto(media, capabilities);
  if (SECURE_PROTOCOLS.has(media.protocol)) return line !== undefined;
  if (!PROTOCOLS.has(media.protocol)) return false;
  const mustEncrypt = capabilities.srtp === 'required' || capabilities.srtp === 'impossible';

  return line !== undefined || !mustEncrypt;
}

/** "the most preferred … that the answerer supports" (RFC 4568 5.1.2): the first. */
export function usableCrypto(
  media: SdpMedia,
  { srtp }: Pick<AudioCapabilities, 'srtp'>,
): CryptoLine | undefined {
  if (srtp === 'off' || srtp === 'impossible') return undefined;

  return readCryptoLines(media)?.[0];
}

/** The supported formats of a stream, in the order of preference of whoever wrote it. */
export function listAudioFormats(media: SdpMedia, capabilities: AudioCapabilities): AudioFormat[] {
  return media.formats.flatMap((format) => {
    const payloadType = toPayloadType(format);
    if (payloadType === undefined) return [];
    const codec = findCodec(media, payloadType);
    if (codec === undefined || !capabilities.codecs.includes(codec)) return [];
    const parameters = findParameters(media, payloadType);

    return [{ payloadType, codec, ...(parameters !== undefined && { parameters }) }];
  });
}

/**
 * The number under which a stream carries key presses for a codec. RFC 4733 2.1 wants the clock of
 * the audio beside it; peers that list 8000 Hz alone beside opus are still understood.
 */
export function listTelephoneEvent(media: SdpMedia, codec: AudioCodec): AudioFormat | undefined {
  const listed = listTelephoneEvents(media);
  const ofClock = (clockRate: number): AudioFormat | undefined =>
    listed.find((event) => event.codec.clockRate === clockRate);

  return ofClock(codec.clockRate) ?? ofClock(8000);
}

/** All of them: one for each clock of the audio beside it. */
export function listTelephoneEvents({ rtpMaps, formats }: SdpMedia): AudioFormat[] {
  return rtpMaps.flatMap(({ encodingName, clockRate, payloadType }) => {
    const isListed = formats.includes(String(payloadType));
    const isEvent = isListed && encodingName.toLowerCase() === TELEPHONE_EVENT;
    const codec = isEvent ? findTelephoneEvent(clockRate) : undefined;

    return codec === undefined ? [] : [{ payloadType, codec }];
  });
}

/** Whether a stream carries comfort noise beside a codec: of the same clock, which is that of payload 13. */
export function listComfortNoise(media: SdpMedia, codec: AudioCodec): AudioFormat[] {
  const { payloadType, clockRate } = COMFORT_NOISE;
  const map = media.rtpMaps.find((candidate) => candidate.payloadType === payloadType);
  const isNoise = map === undefined || map.encodingName.toUpperCase() === COMFORT_NOISE.name;
  const listed = isNoise && media.formats.includes(String(payloadType));

  return listed && codec.clockRate === clockRate ? [{ payloadType, codec: COMFORT_NOISE }] : [];
}

/** Where the far end wants its media. */
export function remoteTransport(
  session: SdpSession,
  media: SdpMedia,
  capabilities: AudioCapabilities,
): Pick<
  NegotiatedAudio,
  | 'remoteAddress'
  | 'remoteRtpPort'
  | 'remoteRtcpAddress'
  | 'remoteRtcpPort'
  | 'rtcpMux'
  | 'voipMetrics'
> {
  const { address } = effectiveConnection(session, media)!;
  const rtcpMux = media.rtcpMux && capabilities.rtcpMux;

  return {
    remoteAddress: address,
    remoteRtpPort: media.port,
    remoteRtcpAddress: media.rtcp?.connection?.address ?? address,
    remoteRtcpPort: rtcpMux ? media.port : (media.rtcp?.port ?? nextPort(media.port)),
    rtcpMux,
    ...(wantsVoipMetrics(media) && { voipMetrics: true }),
  };
}

function wantsVoipMetrics(media: SdpMedia): boolean {
  return media.attributes.some(
    ({ name, value }) => name === 'rtcp-xr' && value?.split(' ').includes('voip-metrics') === true,
  );
}

/**
 * The packet time that we send with: the far end's wish or the next shorter that the codec has, and
 * never above its maximum, which no wish overrides (RFC 8866 6.4).
 */
export function packetTimes(
  media: SdpMedia,
  codec: AudioCodec,
  capabilities: AudioCapabilities,
): Pick<NegotiatedAudio, 'ptime' | 'maxptime'> {
  const { maxptime } = media;
  const times = capabilities.packetTimes.filter((time) => codec.packetTimes.includes(time));
  const bound = Math.min(media.ptime ?? times[0]!, maxptime ?? Infinity);
  const possible = times.filter((time) => time <= bound);
  const ptime = possible.length > 0 ? Math.max(...possible) : Math.min(...times);

  return { ptime, ...(maxptime !== undefined && { maxptime }) };
}

/**
 * The far end's direction, with the old form of hold put into words: "c=0.0.0.0 … neither RTP nor
 * RTCP should be sent to the peer" (RFC 3264 8.4), so it may send but does not receive.
 */
export function remoteDirection(session: SdpSession, media: SdpMedia): SdpDirection {
  const direction = effectiveDirection(session, media);
  const connection = effectiveConnection(session, media);
  if (connection === undefined || !isUnspecified(connection.address)) return direction;

  return withoutReceiving(direction);
}

export function isHold(remote: SdpDirection): boolean {
  return remote === 'sendonly' || remote === 'inactive';
}

/** Our direction: what the far end leaves possible, and of that what we want (RFC 3264 6.1). */
export function localDirection(remote: SdpDirection, wanted: SdpDirection): SdpDirection {
  const send = receives(remote) && sends(wanted);
  const receive = sends(remote) && receives(wanted);
  if (send && receive) return 'sendrecv';
  if (send) return 'sendonly';

  return receive ? 'recvonly' : 'inactive';
}

function sends(direction: SdpDirection): boolean {
  return direction === 'sendrecv' || direction === 'sendonly';
}

function receives(direction: SdpDirection): boolean {
  return direction === 'sendrecv' || direction === 'recvonly';
}

function withoutReceiving(direction: SdpDirection): SdpDirection {
  return sends(direction) ? 'sendonly' : 'inactive';
}

function findCodec(media: SdpMedia, payloadType: number): AudioCodec | undefined {
  const map = media.rtpMaps.find((candidate) => candidate.payloadType === payloadType);
  if (map === undefined) return findStaticAudioCodec(payloadType);

  return findAudioCodec(map.encodingName, map.clockRate, map.channels);
}

function findParameters(media: SdpMedia, payloadType: number): string | undefined {
  return media.formatParameters.find((candidate) => candidate.payloadType === payloadType)
    ?.parameters;
}

function toPayloadType(format: string): number | undefined {
  const payloadType = /^\d{1,3}$/.test(format) ? Number(format) : NaN;

  return payloadType <= 127 ? payloadType : undefined;
}

/** A phone leg talks to one peer; a multicast or broadcast address would make us flood a network. */
function isReachable(
  { family, address }: SdpConnection,
  { families }: Pick<AudioCapabilities, 'families'>,
): boolean {
  const literal = isIP(address);
  if (literal === 0) return /^[A-Za-z0-9]([A-Za-z0-9.-]{0,253})$/.test(address);
  if (literal !== family || !families.includes(family)) return false;
  if (literal === 4) return Number(address.split('.')[0]) < 224;

  return !/^ff/i.test(address);
}

function isUnspecified(address: string): boolean {
  return address === '0.0.0.0' || (isIP(address) === 6 && /^[0:]+$/.test(address));
}

function nextPort(port: number): number {
  return port === 65_535 ? port : port + 1;
}
