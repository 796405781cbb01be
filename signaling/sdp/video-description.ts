/** M-lines of video that are plain RTP, in answers and in offers of ours. Pure. */
import type { SrtpKeys } from '../../media/srtp/suites.ts';
import { findObstacle, usableCrypto, type AudioCapabilities } from './audio-negotiation.ts';
import { cryptoAttribute, offeredLines } from './crypto-attribute.ts';
import { h264Parameters } from './h264.ts';
import { SdpError } from './sdp-check.ts';
import type {
  FormatParameters,
  RtpMap,
  SdpAttribute,
  SdpDirection,
  SdpMedia,
  SdpSession,
} from './sdp-model.ts';
import { answeredKeys, answerKeys } from './srtp-negotiation.ts';
import {
  contentOf,
  FEEDBACK_TYPES,
  matchVideoAnswer,
  negotiateVideo,
  VIDEO_CLOCK_RATE,
  type NegotiatedVideo,
  type VideoCapabilities,
  type VideoContent,
  type VideoFeedback,
  type VideoFormat,
} from './video-negotiation.ts';

/** Our end of one stream of video. */
export interface LocalVideo {
  readonly rtpPort: number;
  readonly capabilities: VideoCapabilities;
  readonly direction?: SdpDirection;
  /** The keys that are in use. */
  readonly srtp?: SrtpKeys | undefined;
}

/** One stream of each content at most; those that are absent are refused, or not offered. */
export type LocalVideos = Partial<Readonly<Record<VideoContent, LocalVideo>>>;
export type NegotiatedVideos = Partial<Readonly<Record<VideoContent, NegotiatedVideo>>>;

/** `a=label` (RFC 4574), by which the roster of the conference names the stream. */
export const VIDEO_LABELS: Readonly<Record<VideoContent, string>> = {
  main: 'main-video',
  slides: 'slides',
};

interface StreamParts {
  readonly protocol: string;
  readonly formats: readonly (RtpMap & { readonly parameters?: string })[];
  readonly feedback: readonly SdpAttribute[];
  readonly crypto: readonly SdpAttribute[];
  readonly rtcpMux: boolean;
  readonly direction: SdpDirection;
  readonly content: VideoContent;
  readonly named: boolean;
}

/** What an offer's m-lines of video lead to, by their index: of each content the first that can be had. */
export function selectVideos(
  offer: SdpSession,
  capabilities: AudioCapabilities,
  capabilitiesOf: (content: VideoContent) => VideoCapabilities | undefined,
  wantedOf: (content: VideoContent) => SdpDirection = () => 'sendrecv',
): Map<number, NegotiatedVideo> {
  const selected = new Map<number, NegotiatedVideo>();
  const taken = new Set<VideoContent>();
  for (const [index, media] of offer.media.entries()) {
    const content = contentOf(media);
    const ours = media.type === 'video' ? capabilitiesOf(content) : undefined;
    if (ours === undefined || taken.has(content)) continue;
    if (findObstacle(offer, media, capabilities, 'video') !== undefined) continue;
    const video = negotiateVideo(offer, media, ours, capabilities, wantedOf(content));
    if (video === undefined) continue;
    taken.add(content);
    selected.set(index, video);
  }

  return selected;
}

/** One accepted m-line of an answer, and what was agreed, keys included. */
export function answerVideo(
  offered: SdpMedia,
  negotiated: NegotiatedVideo,
  local: LocalVideo,
  capabilities: AudioCapabilities,
): { readonly media: SdpMedia; readonly video: NegotiatedVideo } {
  const crypto = usableCrypto(offered, capabilities);
  const srtp = crypto && answerKeys(crypto, local.srtp);
  const { codec, sendPayloadType, rtx, feedback, content, h264 } = negotiated;
  const media = streamMedia(local, {
    protocol: offered.protocol,
    formats: [
      {
        ...videoMap(sendPayloadType, codec),
        ...(h264 !== undefined && { parameters: h264.parameters }),
      },
      ...(rtx === undefined ? [] : [rtxMap(rtx.sendPayloadType, sendPayloadType)]),
    ],
    feedback: feedbackLines(sendPayloadType, feedback),
    crypto: srtp === undefined ? [] : [cryptoAttribute({ tag: crypto!.tag, key: srtp.send })],
    rtcpMux: negotiated.rtcpMux,
    direction: negotiated.localDirection,
    content,
    named: offered.attributes.some(({ name }) => name === 'content' || name === 'label'),
  });

  return { media, video: { ...negotiated, ...(srtp && { srtp }) } };
}

/** An m-line of ours; `secure`: its profile is SAVP. */
export function offerVideo(
  content: VideoContent,
  local: LocalVideo,
  previous: SdpMedia | undefined,
  { srtp, rtcpMux, secure }: { srtp: AudioCapabilities['srtp']; rtcpMux: boolean; secure: boolean },
): SdpMedia {
  const { formats, rtx } = local.capabilities;
  const numbers = assignNumbers(formats, rtx, previous);
  const isEncrypted = secure || srtp === 'offer' || local.srtp !== undefined;
  const all: VideoFeedback = { nack: true, pli: true, fir: true, tmmbr: true };

  return streamMedia(local, {
    // Who knows no AVPF would refuse it; who knows it understands its lines beside AVP as well.
    protocol: previous?.protocol ?? (secure ? 'RTP/SAVP' : 'RTP/AVP'),
    formats: numbers.flatMap(({ format, payloadType, repeat }) => [
      { ...videoMap(payloadType, format.name), ...parametersOf(format, payloadType, previous) },
      ...(repeat === undefined ? [] : [rtxMap(repeat, payloadType)]),
    ]),
    feedback: numbers.flatMap(({ payloadType }) => feedbackLines(payloadType, all)),
    crypto: isEncrypted && srtp !== 'off' ? offeredLines(local.srtp?.send) : [],
    rtcpMux,
    direction: local.direction ?? 'sendrecv',
    content,
    named: content === 'slides',
  });
}

/** What the answer made of our m-lines of video; one that was refused is left out. */
export function applyVideoAnswer(
  offer: SdpSession,
  answer: SdpSession,
  capabilities: AudioCapabilities,
): NegotiatedVideos | SdpError {
  const videos: Partial<Record<VideoContent, NegotiatedVideo>> = {};
  for (const [index, offered] of offer.media.entries()) {
    const answered = answer.media[index]!;
    if (offered.type !== 'video' || offered.port === 0 || answered.port === 0) continue;
    const obstacle = findObstacle(answer, answered, capabilities, 'video');
    const srtp = answeredKeys(offered, answered, capabilities);
    const video = matchVideoAnswer(offered, answer, answered, capabilities);
    if (obstacle !== undefined || video === undefined) {
      return new SdpError(`the answer has no usable video: ${obstacle ?? 'format'}`);
    }
    if (srtp instanceof SdpError) return srtp;
    videos[video.content] = { ...video, ...(srtp && { srtp }) };
  }

  return videos;
}

/** The m-line of ours that carries this content, or that once did and may again (RFC 3264 8.1). */
export function videoSlot(
  previous: readonly SdpMedia[],
  content: VideoContent,
  taken: ReadonlySet<number>,
): number {
  const isFree = (media: SdpMedia, index: number): boolean =>
    media.type === 'video' && !taken.has(index);
  const inUse = previous.findIndex(
    (media, index) => isFree(media, index) && media.port !== 0 && contentOf(media) === content,
  );
  if (inUse !== -1) return inUse;
  const unused = previous.findIndex((media, index) => isFree(media, index) && media.port === 0);

  return unused === -1 ? Math.max(previous.length, ...[...taken].map((at) => at + 1)) : unused;
}

/** A format keeps the number that it had in this m-line, and takes none that another had (RFC 3264 8.3.2). */
function assignNumbers(
  formats: readonly VideoFormat[],
  rtx: boolean,
  previous: SdpMedia | undefined,
): { format: VideoFormat; payloadType: number; repeat?: number }[] {
  const taken = new Set(previous?.rtpMaps.map(({ payloadType }) => payloadType));
  const free = (wanted: number): number => {
    let payloadType = wanted;
    for (let next = 96; taken.has(payloadType) && next < 128; next++) payloadType = next;
    taken.add(payloadType);

    return payloadType;
  };
  const numbered = formats.map((format) => ({
    format,
    payloadType: keptNumber(format, previous) ?? free(format.payloadType),
  }));

  return numbered.map((each) => {
    if (!rtx) return each;
    const apt = `apt=${each.payloadType}`;
    const kept = previous?.formatParameters.find(({ parameters }) => parameters === apt);

    return { ...each, repeat: kept?.payloadType ?? free(each.format.payloadType + 1) };
  });
}

/** What the number means goes on unchanged: a profile of theirs that we took is offered as theirs. */
function parametersOf(
  format: VideoFormat,
  payloadType: number,
  previous: SdpMedia | undefined,
): { parameters?: string } {
  if (format.name !== 'H264') return {};
  const before = previous?.formatParameters.find((each) => each.payloadType === payloadType);

  return { parameters: before?.parameters ?? h264Parameters(format.h264) };
}

function keptNumber(format: VideoFormat, previous: SdpMedia | undefined): number | undefined {
  const map = previous?.rtpMaps.find(({ encodingName, payloadType }) => {
    if (encodingName !== format.name) return false;
    const { parameters } =
      previous.formatParameters.find((each) => each.payloadType === payloadType) ?? {};

    return (
      format.name !== 'H264' ||
      parameters?.includes(`packetization-mode=${format.h264.packetizationMode}`) === true
    );
  });

  return map?.payloadType;
}

function streamMedia(local: LocalVideo, parts: StreamParts): SdpMedia {
  const { maxBitrate } = local.capabilities;
  const formatParameters = parts.formats.flatMap(
    ({ payloadType, parameters }): FormatParameters[] =>
      parameters === undefined ? [] : [{ payloadType, parameters }],
  );

  return {
    type: 'video',
    port: local.rtpPort,
    protocol: parts.protocol,
    formats: parts.formats.map(({ payloadType }) => String(payloadType)),
    // Many know AS alone; it counts the headers too (RFC 3890 1).
    bandwidths: [
      { type: 'AS', limit: Math.ceil((maxBitrate * 1.05) / 1000) },
      { type: 'TIAS', limit: maxBitrate },
    ],
    rtpMaps: parts.formats.map(({ parameters: _parameters, ...map }) => map),
    formatParameters,
    direction: parts.direction,
    rtcpMux: parts.rtcpMux,
    attributes: [
      ...parts.crypto,
      ...parts.feedback,
      ...(parts.named
        ? [
            { name: 'content', value: parts.content },
            { name: 'label', value: VIDEO_LABELS[parts.content] },
          ]
        : []),
    ],
  };
}

function videoMap(payloadType: number, encodingName: string): RtpMap {
  return { payloadType, encodingName, clockRate: VIDEO_CLOCK_RATE, channels: 1 };
}

function rtxMap(payloadType: number, of: number): RtpMap & { parameters: string } {
  return { ...videoMap(payloadType, 'rtx'), parameters: `apt=${of}` };
}

function feedbackLines(payloadType: number, feedback: VideoFeedback): SdpAttribute[] {
  return FEEDBACK_TYPES.flatMap(([key, text]) =>
    feedback[key] ? [{ name: 'rtcp-fb', value: `${payloadType} ${text}` }] : [],
  );
}
