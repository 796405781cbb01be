/**
 * What both sides can do with one stream of video that is plain RTP: codec, payload numbers, repair,
 * bandwidth. Pure; `video-description.ts` puts the outcome into descriptions.
 */
import type { SrtpKeys } from '../../media/srtp/suites.ts';
import {
  findObstacle,
  isHold,
  localDirection,
  remoteDirection,
  remoteTransport,
  type AudioCapabilities,
  type NegotiatedAudio,
} from './audio-negotiation.ts';
import { acceptH264, answerH264, readH264, type H264Format, type NegotiatedH264 } from './h264.ts';
import { findAttribute, type SdpDirection, type SdpMedia, type SdpSession } from './sdp-model.ts';

export type VideoCodecName = 'VP8' | 'H264';

/** `a=content` (RFC 4796 5): who speaks, or what is shown. */
export type VideoContent = 'main' | 'slides';

/** A codec as this server can carry it. */
export type VideoFormat =
  | { readonly name: 'VP8'; readonly payloadType: number }
  | { readonly name: 'H264'; readonly payloadType: number; readonly h264: H264Format };

export interface VideoCapabilities {
  /** The best first: our offers list them so, and of an offer that has several the first is taken. */
  readonly formats: readonly VideoFormat[];
  /** Lost packets are sent again on a stream of their own (RFC 4588). */
  readonly rtx: boolean;
  /** Bits a second that we take of one stream. */
  readonly maxBitrate: number;
}

/** Which feedback (RFC 4585, RFC 5104) both understand. */
export interface VideoFeedback {
  readonly nack: boolean;
  readonly pli: boolean;
  readonly fir: boolean;
  readonly tmmbr: boolean;
}

/** The outcome for one stream of video: everything that a media leg must know of the far end. */
export interface NegotiatedVideo extends Pick<
  NegotiatedAudio,
  | 'remoteAddress'
  | 'remoteRtpPort'
  | 'remoteRtcpAddress'
  | 'remoteRtcpPort'
  | 'rtcpMux'
  | 'localDirection'
  | 'onHold'
  | 'sendPayloadType'
> {
  readonly content: VideoContent;
  readonly codec: VideoCodecName;
  readonly receivePayloadType: number;
  /** Of H.264. */
  readonly h264?: NegotiatedH264;
  readonly rtx?: { readonly sendPayloadType: number; readonly receivePayloadType: number };
  readonly feedback: VideoFeedback;
  /** Bits a second that the far end takes, where it says so. */
  readonly maxSendBitrate?: number;
  readonly srtp?: SrtpKeys;
}

/** A payload number of an m-line, explained. */
interface OfferedFormat {
  readonly payloadType: number;
  readonly name: VideoCodecName;
  /** Of H.264: what the m-line says, and what becomes of it. */
  readonly h264?: { readonly theirs: H264Format; readonly agreed: NegotiatedH264 };
}

export const FEEDBACK_TYPES: readonly (readonly [keyof VideoFeedback, string])[] = [
  ['nack', 'nack'],
  ['pli', 'nack pli'],
  ['fir', 'ccm fir'],
  ['tmmbr', 'ccm tmmbr'],
];

export const VIDEO_CLOCK_RATE = 90_000;
/** A peer that allows less than this is told of no picture, but of a mistake. */
const LEAST_BITRATE = 32_000;
/** What the audio beside it takes of a limit for the whole session. */
const AUDIO_BITRATE = 64_000;

export function contentOf(media: SdpMedia): VideoContent {
  const values = findAttribute(media, 'content')?.value?.split(',') ?? [];

  return values.some((value) => value.trim() === 'slides') ? 'slides' : 'main';
}

/** Is this a stream of video that could be carried? Also of one at port 0, which may come back. */
export function servesVideo(
  session: SdpSession,
  media: SdpMedia,
  video: VideoCapabilities,
  capabilities: AudioCapabilities,
): boolean {
  if (media.type !== 'video' || chooseFormat(media, video) === undefined) return false;

  // Of a stream that is off neither address nor key is to be expected.
  return media.port === 0 || findObstacle(session, media, capabilities, 'video') === undefined;
}

/** What is taken of an m-line of theirs; its numbers are for both directions (RFC 3264 6.1). */
export function negotiateVideo(
  session: SdpSession,
  media: SdpMedia,
  video: VideoCapabilities,
  capabilities: AudioCapabilities,
  wanted: SdpDirection,
): NegotiatedVideo | undefined {
  const format = chooseFormat(media, video);
  if (format === undefined) return undefined;
  const { payloadType, name, h264 } = format;
  const feedback = readFeedback(media, payloadType);
  const repair = video.rtx && feedback.nack ? findRtx(media, payloadType) : undefined;
  const remote = remoteDirection(session, media);
  const maxSendBitrate = readBitrate(session, media);

  return {
    content: contentOf(media),
    codec: name,
    sendPayloadType: payloadType,
    receivePayloadType: payloadType,
    ...(h264 !== undefined && { h264: h264.agreed }),
    ...(repair !== undefined && {
      rtx: { sendPayloadType: repair, receivePayloadType: repair },
    }),
    feedback,
    ...(maxSendBitrate !== undefined && { maxSendBitrate }),
    ...transportOf(session, media, capabilities),
    localDirection: localDirection(remote, wanted),
    onHold: isHold(remote),
  };
}

/** What an answer made of an m-line of ours; undefined when none of our formats is in it. */
export function matchVideoAnswer(
  offered: SdpMedia,
  answer: SdpSession,
  answered: SdpMedia,
  capabilities: AudioCapabilities,
): NegotiatedVideo | undefined {
  const ours = listFormats(offered);
  for (const theirs of listFormats(answered)) {
    const match = ours.flatMap((format) => {
      const agreed = agree(format, theirs);

      return agreed === undefined ? [] : [{ format, ...agreed }];
    })[0];
    if (match === undefined) continue;
    const { payloadType } = match.format;
    const receiveRtx = findRtx(offered, payloadType);
    const sendRtx = findRtx(answered, theirs.payloadType);
    const feedback = readFeedback(answered, theirs.payloadType);
    const remote = remoteDirection(answer, answered);
    const maxSendBitrate = readBitrate(answer, answered);

    return {
      content: contentOf(offered),
      codec: match.format.name,
      sendPayloadType: theirs.payloadType,
      receivePayloadType: payloadType,
      ...(match.h264 !== undefined && { h264: match.h264 }),
      ...(feedback.nack &&
        sendRtx !== undefined &&
        receiveRtx !== undefined && {
          rtx: { sendPayloadType: sendRtx, receivePayloadType: receiveRtx },
        }),
      feedback,
      ...(maxSendBitrate !== undefined && { maxSendBitrate }),
      ...transportOf(answer, answered, capabilities),
      localDirection: localDirection(remote, offered.direction ?? 'sendrecv'),
      onHold: isHold(remote),
    };
  }

  return undefined;
}

function agree(ours: OfferedFormat, theirs: OfferedFormat): { h264?: NegotiatedH264 } | undefined {
  if (ours.name !== theirs.name) return undefined;
  if (ours.h264 === undefined || theirs.h264 === undefined) return {};
  const h264 = acceptH264(ours.h264.theirs, theirs.h264.theirs);

  return h264 && { h264 };
}

/** Our best of what they list; of several that are alike the one that they like best. */
function chooseFormat(media: SdpMedia, { formats }: VideoCapabilities): OfferedFormat | undefined {
  const listed = listFormats(media);
  for (const ours of formats) {
    const found = listed.find(
      (format) =>
        format.name === ours.name &&
        (ours.name !== 'H264' ||
          ours.h264.packetizationMode === format.h264?.theirs.packetizationMode),
    );
    if (found !== undefined) return found;
  }

  return undefined;
}

/** The formats of an m-line that anybody here could use, in its order. */
function listFormats(media: SdpMedia): OfferedFormat[] {
  return media.formats.flatMap((format): OfferedFormat[] => {
    const map = media.rtpMaps.find(({ payloadType }) => String(payloadType) === format);
    if (map?.clockRate !== VIDEO_CLOCK_RATE) return [];
    const { payloadType } = map;
    const name = map.encodingName.toUpperCase();
    if (name === 'VP8') return [{ payloadType, name }];
    const theirs = name === 'H264' ? readH264(parametersOf(media, payloadType)) : undefined;
    const agreed = theirs && answerH264(theirs);
    if (theirs === undefined || agreed === undefined) return [];

    return [{ payloadType, name: 'H264', h264: { theirs, agreed } }];
  });
}

/** "a=fmtp:<number> apt=<apt-value>" (RFC 4588 8.6): the stream that repeats another's packets. */
function findRtx(media: SdpMedia, of: number): number | undefined {
  return media.rtpMaps.find(
    ({ payloadType, encodingName }) =>
      encodingName.toLowerCase() === 'rtx' &&
      media.formats.includes(String(payloadType)) &&
      /(?:^|;)\s*apt\s*=\s*(\d+)/i.exec(parametersOf(media, payloadType) ?? '')?.[1] === String(of),
  )?.payloadType;
}

/**
 * What of their `a=rtcp-fb` is understood here, for one number or for all (RFC 4585 4.2). It belongs to
 * AVPF and SAVPF; phones that write it beside AVP mean it all the same.
 */
function readFeedback(media: SdpMedia, payloadType: number): VideoFeedback {
  const values = media.attributes.flatMap(({ name, value }) => {
    const match = name === 'rtcp-fb' ? /^(\d{1,3}|\*) +(.+)$/.exec(value ?? '') : null;
    const isOurs = match !== null && (match[1] === '*' || Number(match[1]) === payloadType);

    return isOurs ? [match[2]!.trim().toLowerCase().replace(/ +/g, ' ')] : [];
  });
  const has = (text: string): boolean =>
    values.some((value) => value === text || (text.includes(' ') && value.startsWith(`${text} `)));

  return {
    nack: has('nack'),
    pli: has('nack pli'),
    fir: has('ccm fir'),
    // "ccm tmmbr smaxpr=120" (RFC 5104 7.1).
    tmmbr: has('ccm tmmbr'),
  };
}

/**
 * Bits a second that they want to receive: `b=TIAS` is exact (RFC 3890 6.2), `b=AS` in kilobits and with
 * the headers of IP and UDP (RFC 8866 5.8), and a limit of the whole session leaves some to the audio.
 */
function readBitrate(session: SdpSession, media: SdpMedia): number | undefined {
  const own = limitOf(media);
  const whole = limitOf(session);
  const limit = own ?? (whole === undefined ? undefined : whole - AUDIO_BITRATE);

  return limit === undefined ? undefined : Math.max(limit, LEAST_BITRATE);
}

function limitOf({ bandwidths }: Pick<SdpMedia, 'bandwidths'>): number | undefined {
  const find = (type: string): number | undefined =>
    bandwidths.find((line) => line.type.toUpperCase() === type)?.limit;
  const kilobits = find('AS') ?? find('CT');
  const limit = find('TIAS') ?? (kilobits === undefined ? undefined : kilobits * 1000);

  // Zero is what is written of a stream that is off; there is a direction for that.
  return limit !== undefined && limit > 0 ? limit : undefined;
}

function transportOf(
  session: SdpSession,
  media: SdpMedia,
  capabilities: AudioCapabilities,
): Omit<ReturnType<typeof remoteTransport>, 'voipMetrics'> {
  const { remoteAddress, remoteRtpPort, remoteRtcpAddress, remoteRtcpPort, rtcpMux } =
    remoteTransport(session, media, capabilities);

  return { remoteAddress, remoteRtpPort, remoteRtcpAddress, remoteRtcpPort, rtcpMux };
}

function parametersOf(media: SdpMedia, of: number): string | undefined {
  return media.formatParameters.find(({ payloadType }) => payloadType === of)?.parameters;
}
