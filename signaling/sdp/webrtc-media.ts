/**
 * What of an offered m-line we take, and under which numbers the peer sends (RFC 3264 6.1). The numbers
 * are the peer's: mediasoup translates what it receives.
 */
import type { types as mediasoup } from 'mediasoup';
import { TELEPHONE_EVENT } from '../../media/codecs.ts';
import {
  readCodecs,
  readExtensions,
  readSimulcast,
  readSource,
  type Extension,
} from './rtp-description.ts';
import { effectiveDirection, findAttribute, type SdpMedia, type SdpSession } from './sdp-model.ts';
import { midOf } from './webrtc-transport.ts';

export interface AcceptedMedia {
  readonly kind: mediasoup.MediaKind;
  /** Media codecs first, then what repeats them, then key presses; with the feedback both sides know. */
  readonly codecs: readonly mediasoup.RtpCodecParameters[];
  /** All of the m-line that both sides know, in the peer's order, with what repeats them. */
  readonly choices: readonly mediasoup.RtpCodecParameters[];
  readonly extensions: readonly Extension[];
  /** In the peer's order (RFC 8853). */
  readonly rids: readonly { readonly rid: string; readonly paused: boolean }[];
  /** What the peer sends, for a Producer; undefined when it sends nothing. */
  readonly producer?: mediasoup.RtpParameters;
  readonly content: 'main' | 'slides';
}

const MID_URI = 'urn:ietf:params:rtp-hdrext:sdes:mid';
const RID_URI = 'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id';
const REPAIRED_RID_URI = 'urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id';
/**
 * They say which stream a packet is of. Not agreed on where SSRCs say it, and the mid not where rids do: an id has
 * one meaning in a bundle, both ways (RFC 8285 4.2), but the worker numbers what it sends in its own way, and
 * Chromium drops a packet in which it takes a time of sending for a mid.
 */
const NAMING: ReadonlySet<string> = new Set([MID_URI, RID_URI, REPAIRED_RID_URI]);
/** What is read of a peer's packets; each of the others would only take a number. */
const EXTENSIONS: ReadonlySet<string> = new Set([
  ...NAMING,
  'urn:ietf:params:rtp-hdrext:ssrc-audio-level',
  'urn:3gpp:video-orientation',
  'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
]);

/** `preferred`: the picture comes in this codec rather than in another. Undefined: the m-line is of no use to us. */
export function acceptMedia(
  session: SdpSession,
  media: SdpMedia,
  router: mediasoup.RtpCapabilities,
  preferred?: string,
): AcceptedMedia | undefined {
  const { type: kind } = media;
  // Our transport has one port: "rtcp-mux-only", as RFC 8834 4.5 allows.
  if ((kind !== 'audio' && kind !== 'video') || !media.rtcpMux) return undefined;
  const direction = effectiveDirection(session, media);
  const sends = direction === 'sendrecv' || direction === 'sendonly';
  const choices = acceptCodecs(readCodecs(media), router);
  if (choices.length === 0) return undefined;
  const codecs = kind === 'video' && sends ? firstCodec(preferCodec(choices, preferred)) : choices;
  const known = acceptExtensions(kind, readExtensions(media), router);
  const rids = kind === 'video' && sends ? acceptRids(media, known) : [];
  const isNamed = sends && (rids.length > 1 || readSource(media) === undefined);
  const isMarked = isNamed && rids.length < 2;
  const extensions = known.filter(
    ({ uri }) => (uri === MID_URI ? isMarked : isNamed) || !NAMING.has(uri),
  );
  const producer = sends ? producerOf(media, codecs, extensions, rids) : undefined;

  return {
    kind,
    codecs,
    choices,
    extensions,
    rids,
    ...(producer && { producer }),
    content: findAttribute(media, 'content')?.value === 'slides' ? 'slides' : 'main',
  };
}

/** Whether two payload numbers mean the same codec, so that a stream may use the number of an m-line. */
export function isSameCodec(
  a: mediasoup.RtpCodecParameters,
  b: mediasoup.RtpCodecParameters | mediasoup.RtpCodecCapability,
): boolean {
  return (
    a.mimeType.toLowerCase() === b.mimeType.toLowerCase() &&
    a.clockRate === b.clockRate &&
    (a.channels ?? 1) === (b.channels ?? 1) &&
    isSameProfile(a, b)
  );
}

/** The same ones, those of this name first, each with what repeats it. */
export function preferCodec(
  codecs: readonly mediasoup.RtpCodecParameters[],
  name: string | undefined,
): readonly mediasoup.RtpCodecParameters[] {
  const numbers = new Set(
    codecs.filter((codec) => nameOf(codec) === name).map(({ payloadType }) => payloadType),
  );
  const isPreferred = ({ payloadType, parameters }: mediasoup.RtpCodecParameters): boolean =>
    numbers.has(payloadType) || numbers.has(Number(parameters?.apt));

  return [...codecs.filter(isPreferred), ...codecs.filter((codec) => !isPreferred(codec))];
}

/** "H264" of "video/H264". */
export function nameOf({ mimeType }: { readonly mimeType: string }): string {
  return mimeType.slice(mimeType.indexOf('/') + 1);
}

/** Of a picture that comes the first alone, as one Producer is one picture in one codec. */
function firstCodec(
  codecs: readonly mediasoup.RtpCodecParameters[],
): mediasoup.RtpCodecParameters[] {
  const first = codecs.find((codec) => !isRtx(codec));

  return codecs.filter(
    (codec) => codec === first || codec.parameters?.apt === (first?.payloadType ?? -1),
  );
}

/** All that we know. */
function acceptCodecs(
  offered: readonly mediasoup.RtpCodecParameters[],
  router: mediasoup.RtpCapabilities,
): mediasoup.RtpCodecParameters[] {
  const media = offered.flatMap((codec) => {
    const ours = isRtx(codec) ? undefined : router.codecs?.find((each) => isSameCodec(codec, each));

    return ours === undefined ? [] : [withFeedback(codec, ours.rtcpFeedback ?? [])];
  });
  if (media.length === 0) return [];
  const repeats = offered.filter(
    (codec) =>
      isRtx(codec) && media.some(({ payloadType }) => codec.parameters?.apt === payloadType),
  );
  const keys = offered.filter(
    ({ mimeType }) => mimeType.toLowerCase() === `audio/${TELEPHONE_EVENT}`,
  );

  return [...media, ...repeats.map((each) => withFeedback(each, [])), ...keys];
}

function acceptExtensions(
  kind: mediasoup.MediaKind,
  offered: readonly Extension[],
  router: mediasoup.RtpCapabilities,
): Extension[] {
  return offered.filter(
    ({ uri }) =>
      EXTENSIONS.has(uri) &&
      (router.headerExtensions ?? []).some((each) => each.kind === kind && each.uri === uri),
  );
}

/** Streams of a simulcast are told apart by their rids. */
function acceptRids(media: SdpMedia, extensions: readonly Extension[]): AcceptedMedia['rids'] {
  return extensions.some(({ uri }) => uri === RID_URI) ? readSimulcast(media) : [];
}

/** mediasoup knows a stream by its SSRC, its MID or its RID; undefined when none is said. */
function producerOf(
  media: SdpMedia,
  codecs: readonly mediasoup.RtpCodecParameters[],
  extensions: readonly Extension[],
  rids: AcceptedMedia['rids'],
): mediasoup.RtpParameters | undefined {
  const mid = midOf(media);
  const source = readSource(media);
  const hasMid = mid !== undefined && extensions.some(({ uri }) => uri === MID_URI);
  const common = {
    codecs: codecs.map((codec) => ({ ...codec })),
    // Only those of the router are left, so mediasoup knows their names.
    headerExtensions: extensions.map(({ id, uri }) => ({
      id,
      uri: uri as mediasoup.RtpHeaderExtensionUri,
    })),
    rtcp: { reducedSize: true, ...(source?.cname !== undefined && { cname: source.cname }) },
  };
  if (rids.length > 1) return { ...common, encodings: rids.map(({ rid }) => ({ rid })) };
  if (source !== undefined) {
    const { ssrc, rtxSsrc } = source;

    return {
      ...common,
      encodings: [{ ssrc, ...(rtxSsrc !== undefined && { rtx: { ssrc: rtxSsrc } }) }],
    };
  }

  return hasMid ? { ...common, mid, encodings: [{}] } : undefined;
}

/** "the answer … MUST NOT" have feedback that the offer has not (RFC 4585 4.2). */
function withFeedback(
  codec: mediasoup.RtpCodecParameters,
  known: readonly mediasoup.RtcpFeedback[],
): mediasoup.RtpCodecParameters {
  const rtcpFeedback = (codec.rtcpFeedback ?? []).filter(({ type, parameter }) =>
    known.some((each) => each.type === type && (each.parameter ?? '') === (parameter ?? '')),
  );

  return { ...codec, rtcpFeedback };
}

function isRtx({ mimeType }: mediasoup.RtpCodecParameters): boolean {
  return /\/rtx$/i.test(mimeType);
}

type Described = Pick<mediasoup.RtpCodecParameters, 'mimeType' | 'parameters'>;

function isSameProfile(a: Described, b: Described): boolean {
  switch (a.mimeType.toLowerCase()) {
    case 'video/h264':
      return (
        number(a, 'packetization-mode') === number(b, 'packetization-mode') &&
        h264Profile(a) === h264Profile(b)
      );
    case 'video/vp9':
      return number(a, 'profile-id') === number(b, 'profile-id');
    default:
      return true;
  }
}

function number({ parameters }: Described, name: string): number {
  return Number(parameters?.[name] ?? 0);
}

/** "the profile … and its constraints" (RFC 6184 8.1): the first two bytes; absent is plain baseline. */
function h264Profile({ parameters }: Described): string {
  const level: unknown = parameters?.['profile-level-id'];

  return (typeof level === 'string' ? level : '42000a').slice(0, 4).toLowerCase();
}
