/**
 * The offer/answer model (RFC 3264) for calls with one audio stream and, where it is wanted, video. Pure:
 * descriptions in, descriptions out; whoever calls keeps the last local one and hands it back.
 */
import { AUDIO_CODECS, type AudioCodec } from '../../media/codecs.ts';
import {
  findObstacle,
  listComfortNoise,
  isHold,
  listAudioFormats,
  listTelephoneEvent,
  listTelephoneEvents,
  localDirection,
  packetTimes,
  remoteDirection,
  remoteTransport,
  usableCrypto,
  type AudioCapabilities,
  type AudioFormat,
  type NegotiatedAudio,
  type Unusable,
} from './audio-negotiation.ts';
import type { CryptoLine } from './crypto-attribute.ts';
import { answerMedia, describe, offerMedia, refuseMedia, type LocalMedia } from './description.ts';
import { SdpError } from './sdp-check.ts';
import type { SdpDirection, SdpMedia, SdpSession } from './sdp-model.ts';
import { answeredKeys, answerKeys } from './srtp-negotiation.ts';
import {
  answerVideo,
  applyVideoAnswer,
  offerVideo,
  selectVideos,
  videoSlot,
  type NegotiatedVideos,
} from './video-description.ts';
import type { NegotiatedVideo, VideoContent } from './video-negotiation.ts';

export const DEFAULT_AUDIO_CAPABILITIES: AudioCapabilities = {
  codecs: AUDIO_CODECS,
  telephoneEvent: true,
  rtcpMux: true,
  families: [4, 6],
  packetTimes: [20, 10, 30, 40, 50, 60],
  srtp: 'off',
};

export interface Rejection {
  readonly status: 488;
  /** The value of a Warning header without the agent: code and text (RFC 3261 20.43). */
  readonly warning: { readonly code: number; readonly text: string };
}

export type OfferOutcome = { readonly audio: NegotiatedAudio } | { readonly reject: Rejection };
/** What a call's media is, without the videos that were refused or not wanted. */
export interface NegotiatedMedia {
  readonly audio: NegotiatedAudio;
  readonly videos: NegotiatedVideos;
}
export type AnswerOutcome =
  ({ readonly answer: SdpSession } & NegotiatedMedia) | { readonly reject: Rejection };

/** RFC 3261 20.43, the nearest miss of an offer's streams first. */
const WARNINGS: readonly [Unusable, Rejection['warning']][] = [
  ['format', { code: 305, text: 'Incompatible media format' }],
  ['network', { code: 301, text: 'Incompatible network address formats' }],
  ['protocol', { code: 302, text: 'Incompatible transport protocol' }],
  ['media-type', { code: 304, text: 'Media type not available' }],
  ['refused', { code: 304, text: 'Media type not available' }],
];

interface Selection {
  readonly index: number;
  readonly audio: NegotiatedAudio;
  /** The line of the offer whose key is taken. */
  readonly crypto?: CryptoLine | undefined;
}

/** What an offer leads to, before a port for it is taken. */
export function negotiateOffer(
  offer: SdpSession,
  capabilities: AudioCapabilities,
  wanted: SdpDirection = 'sendrecv',
): OfferOutcome {
  const selection = selectAudio(offer, capabilities, wanted);

  return 'reject' in selection ? selection : { audio: selection.audio };
}

/**
 * "For each "m=" line in the offer, there MUST be a corresponding "m=" line in the answer"
 * (RFC 3264 6): the first usable audio stream is taken, and the video that there is a place for; all
 * others are answered with port 0.
 */
export function answerOffer(
  offer: SdpSession,
  capabilities: AudioCapabilities,
  local: LocalMedia,
): AnswerOutcome {
  const selection = selectAudio(offer, capabilities, local.direction ?? 'sendrecv');
  if ('reject' in selection) return selection;
  const { crypto } = selection;
  const srtp = crypto && answerKeys(crypto, local.srtp);
  const audio = { ...selection.audio, ...(srtp && { srtp }) };
  const ours = srtp && { tag: crypto.tag, key: srtp.send };
  const places = local.videos ?? {};
  const selected = selectVideos(
    offer,
    capabilities,
    (content) => places[content]?.capabilities,
    (content) => places[content]?.direction ?? 'sendrecv',
  );
  const videos: Partial<Record<VideoContent, NegotiatedVideo>> = {};
  const media = offer.media.map((offered, index) => {
    if (index === selection.index) return answerMedia(offered, audio, local, ours);
    const negotiated = selected.get(index);
    if (negotiated === undefined) return refuseMedia(offered);
    const place = places[negotiated.content]!;
    const answered = answerVideo(offered, negotiated, place, capabilities);
    videos[negotiated.content] = answered.video;

    return answered.media;
  });

  return { answer: describe(local, media, offer.timing), audio, videos };
}

/** An offer of all that we can, in the slots that the session already has (RFC 3264 5, 8). */
export function createOffer(capabilities: AudioCapabilities, local: LocalMedia): SdpSession {
  const offered = offerMedia(capabilities, local);
  const previous = local.previous?.media ?? [];
  const slot = Math.max(
    previous.findIndex((media) => media.type === 'audio' && media.port !== 0),
    0,
  );
  const media = previous.map(refuseMedia);
  media[slot] = offered;
  const taken = new Set([slot]);
  for (const content of ['main', 'slides'] as const) {
    const place = local.videos?.[content];
    if (place === undefined) continue;
    const at = videoSlot(previous, content, taken);
    const before = previous[at]?.port === 0 ? undefined : previous[at];
    const secure = offered.protocol.includes('SAVP');
    const { srtp, rtcpMux } = capabilities;
    media[at] = offerVideo(content, place, before, { srtp, rtcpMux, secure });
    taken.add(at);
  }

  return describe(local, media, { start: 0, stop: 0 });
}

/** The far end's answer to our offer; a wrong one is an error and ends the call or the change. */
export function applyAnswer(
  offer: SdpSession,
  answer: SdpSession,
  capabilities: AudioCapabilities,
): NegotiatedMedia | SdpError {
  if (answer.media.length !== offer.media.length) {
    return new SdpError('the answer has another number of m= lines than the offer');
  }
  if (answer.media.some((media, at) => media.type !== offer.media[at]!.type)) {
    return new SdpError('the m= lines of the answer are not those of the offer');
  }
  const index = offer.media.findIndex((media) => media.type === 'audio' && media.port !== 0);
  const offered = offer.media[index];
  const answered = answer.media[index];
  if (offered === undefined || answered === undefined) return new SdpError('no audio was offered');
  const obstacle = findObstacle(answer, answered, capabilities);
  if (obstacle !== undefined) return new SdpError(`the answer has no usable audio: ${obstacle}`);

  const srtp = answeredKeys(offered, answered, capabilities);
  if (srtp instanceof SdpError) return srtp;
  const outcome = matchAnswer(offered, answer, answered, capabilities);
  if (outcome instanceof SdpError) return outcome;
  const videos = applyVideoAnswer(offer, answer, capabilities);
  if (videos instanceof SdpError) return videos;

  return { audio: { ...outcome.audio, ...(srtp && { srtp }) }, videos };
}

function matchAnswer(
  offered: SdpMedia,
  answer: SdpSession,
  answered: SdpMedia,
  capabilities: AudioCapabilities,
): { readonly audio: NegotiatedAudio } | SdpError {
  const offeredFormats = listAudioFormats(offered, capabilities);
  const answeredFormats = listAudioFormats(answered, capabilities).filter(({ codec }) =>
    offeredFormats.some((format) => format.codec === codec),
  );
  const [theirs] = answeredFormats;
  if (theirs === undefined) return new SdpError('the answer has no codec of the offer');
  const { codec } = theirs;
  // All that was answered may come, under the numbers of the offer (RFC 3264 7).
  const receivable = offeredFormats.filter((format) =>
    answeredFormats.some((other) => other.codec === format.codec),
  );
  const theirEvent = listTelephoneEvent(answered, codec);
  const ourEvent = theirEvent && listTelephoneEvent(offered, theirEvent.codec);
  const answeredEvents = listTelephoneEvents(answered);
  const receivableEvents = listTelephoneEvents(offered).filter((event) =>
    answeredEvents.some((other) => other.codec === event.codec),
  );
  const remote = remoteDirection(answer, answered);

  return {
    audio: {
      codec,
      sendPayloadType: theirs.payloadType,
      receivePayloadTypes: new Map([...receivable, ...receivableEvents].map(toEntry)),
      ...(ourEvent && {
        telephoneEvent: {
          sendPayloadType: theirEvent.payloadType,
          receivePayloadType: ourEvent.payloadType,
          clockRate: theirEvent.codec.clockRate,
        },
      }),
      ...(theirs.parameters !== undefined && { remoteFormatParameters: theirs.parameters }),
      ...remoteTransport(answer, answered, capabilities),
      ...packetTimes(answered, codec, capabilities),
      localDirection: localDirection(remote, offered.direction ?? 'sendrecv'),
      onHold: isHold(remote),
    },
  };
}

function selectAudio(
  offer: SdpSession,
  capabilities: AudioCapabilities,
  wanted: SdpDirection,
): Selection | { readonly reject: Rejection } {
  const obstacles = new Set<Unusable>();
  let plain: Selection | undefined;
  for (const [index, media] of offer.media.entries()) {
    const obstacle = findObstacle(offer, media, capabilities);
    const audio = obstacle === undefined && negotiateAudio(offer, media, capabilities, wanted);
    const crypto = usableCrypto(media, capabilities);
    // Of the same audio with and without encryption the encrypted one is taken.
    if (audio && crypto !== undefined) return { index, audio, crypto };
    if (audio) plain ??= { index, audio };
    else obstacles.add(obstacle ?? 'format');
  }
  if (plain !== undefined) return plain;
  const [, warning] = WARNINGS.find(([reason]) => obstacles.has(reason)) ?? WARNINGS.at(-1)!;

  return { reject: { status: 488, warning } };
}

/**
 * "the answerer SHOULD list [formats] in the same relative order they were present in the offer"
 * (RFC 3264 6.1): the offerer's first codec that we have is the one.
 */
function negotiateAudio(
  offer: SdpSession,
  media: SdpMedia,
  capabilities: AudioCapabilities,
  wanted: SdpDirection,
): NegotiatedAudio | undefined {
  const [format] = listAudioFormats(media, capabilities);
  if (format === undefined) return undefined;
  const event = capabilities.telephoneEvent ? listTelephoneEvent(media, format.codec) : undefined;
  const remote = remoteDirection(offer, media);

  return {
    codec: format.codec,
    sendPayloadType: format.payloadType,
    receivePayloadTypes: new Map(
      [format, ...listComfortNoise(media, format.codec), ...(event ? [event] : [])].map(toEntry),
    ),
    ...(event && {
      telephoneEvent: {
        sendPayloadType: event.payloadType,
        receivePayloadType: event.payloadType,
        clockRate: event.codec.clockRate,
      },
    }),
    ...(format.parameters !== undefined && { remoteFormatParameters: format.parameters }),
    ...remoteTransport(offer, media, capabilities),
    ...packetTimes(media, format.codec, capabilities),
    localDirection: localDirection(remote, wanted),
    onHold: isHold(remote),
  };
}

function toEntry({ payloadType, codec }: AudioFormat): [number, AudioCodec] {
  return [payloadType, codec];
}
