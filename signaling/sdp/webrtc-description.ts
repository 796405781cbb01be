/** Our descriptions towards WebRTC endpoints: m-lines of streams that share one transport. Pure. */
import { isIP } from 'node:net';
import type { types as mediasoup } from 'mediasoup';
import { refuseMedia, versioned } from './description.ts';
import { codecLines, type Extension } from './rtp-description.ts';
import {
  findAttribute,
  type SdpAttribute,
  type SdpDirection,
  type SdpMedia,
  type SdpSession,
} from './sdp-model.ts';
import { defaultCandidate, transportAttributes, type OwnTransport } from './webrtc-transport.ts';

/** A stream of the room as an m-line names it. */
export interface SentStream {
  /** Whose it is: its tracks are one MediaStream to the peer (RFC 8830). */
  readonly participant: string;
  readonly id: string;
  /** What the roster calls it (RFC 4574, RFC 4575 5.8.2). */
  readonly label: string;
  readonly content: 'main' | 'slides';
  readonly rtpParameters: mediasoup.RtpParameters;
}

/** One m-line of ours. */
export interface WebRtcMedia {
  readonly kind: mediasoup.MediaKind;
  readonly mid: string;
  readonly protocol: string;
  readonly direction: SdpDirection;
  readonly codecs: readonly mediasoup.RtpCodecParameters[];
  readonly extensions: readonly Extension[];
  readonly rids: readonly { readonly rid: string; readonly paused: boolean }[];
  readonly stream?: SentStream;
}

export interface WebRtcDescriptionParts {
  readonly transport: OwnTransport;
  /** In the order of the m-lines; those that are refused as they were offered. */
  readonly media: readonly (WebRtcMedia | { readonly refused: SdpMedia })[];
  /** Whether m-lines share the transport by BUNDLE; without it there is one. */
  readonly bundle: boolean;
  readonly previous: SdpSession | undefined;
  readonly sessionId: string;
}

export function describeWebRtc(parts: WebRtcDescriptionParts): SdpSession {
  const { address } = defaultCandidate(parts.transport);
  const family = isIP(address) === 6 ? 6 : 4;
  // A rejected m-line leaves the group (RFC 9143 7.3.2).
  const mids = parts.media.flatMap((each) => ('refused' in each ? [] : [each.mid]));
  const group: SdpAttribute[] = parts.bundle
    ? [{ name: 'group', value: ['BUNDLE', ...mids].join(' ') }]
    : [];

  return versioned(parts.previous, {
    origin: parts.previous?.origin ?? {
      username: '-',
      sessionId: parts.sessionId,
      version: '1',
      family,
      address,
    },
    name: '-',
    connection: { family, address },
    bandwidths: [],
    timing: { start: 0, stop: 0 },
    attributes: [{ name: 'ice-lite' }, ...group, { name: 'msid-semantic', value: 'WMS *' }],
    media: parts.media.map((each) =>
      'refused' in each ? refuse(each.refused) : writeMedia(each, parts),
    ),
  });
}

/** Its mid stays, as it tells a browser which of its m-lines is meant (RFC 9429 5.3.1). */
function refuse(offered: SdpMedia): SdpMedia {
  const mid = findAttribute(offered, 'mid');

  return { ...refuseMedia(offered), ...(mid && { attributes: [mid] }) };
}

function writeMedia(media: WebRtcMedia, { transport }: WebRtcDescriptionParts): SdpMedia {
  const { feedback, ...lines } = codecLines(media.codecs);
  const { port } = defaultCandidate(transport);

  return {
    type: media.kind,
    port,
    protocol: media.protocol,
    bandwidths: [],
    direction: media.direction,
    rtcpMux: true,
    ...lines,
    attributes: [
      { name: 'mid', value: media.mid },
      ...transportAttributes(transport),
      // Of the feedback profile alone (RFC 5506 5.1).
      ...(media.protocol.endsWith('SAVPF') ? [{ name: 'rtcp-rsize' }] : []),
      ...media.extensions.map(({ id, uri }) => ({ name: 'extmap', value: `${id} ${uri}` })),
      ...feedback,
      ...simulcastAttributes(media.rids),
      ...(media.stream === undefined ? [] : streamAttributes(media.stream, media.kind)),
    ],
  };
}

function simulcastAttributes(rids: WebRtcMedia['rids']): SdpAttribute[] {
  if (rids.length < 2) return [];
  const list = rids.map(({ rid, paused }) => (paused ? `~${rid}` : rid)).join(';');

  return [
    ...rids.map(({ rid }) => ({ name: 'rid', value: `${rid} recv` })),
    { name: 'simulcast', value: `recv ${list}` },
  ];
}

function streamAttributes(stream: SentStream, kind: mediasoup.MediaKind): SdpAttribute[] {
  const { participant, id, label, content, rtpParameters } = stream;
  const { ssrc, rtx } = rtpParameters.encodings?.[0] ?? {};
  const cname = rtpParameters.rtcp?.cname ?? participant;
  const sources = [ssrc, rtx?.ssrc].filter((each) => each !== undefined);

  return [
    { name: 'msid', value: `${participant} ${id}` },
    { name: 'label', value: label },
    ...(kind === 'video' ? [{ name: 'content', value: content }] : []),
    ...(sources.length === 2 ? [{ name: 'ssrc-group', value: `FID ${sources.join(' ')}` }] : []),
    ...sources.flatMap((each) => [
      { name: 'ssrc', value: `${each} cname:${cname}` },
      { name: 'ssrc', value: `${each} msid:${participant} ${id}` },
    ]),
  ];
}
