/** The m-lines of a WebRTC call with all that is known of each. Pure. */
import type { types as mediasoup } from 'mediasoup';
import type { ProducerId } from '../../../base/index.ts';
import {
  isSameCodec,
  type AcceptedMedia,
  type Extension,
  type SdpDirection,
  type SdpMedia,
  type SentStream,
  type WebRtcMedia,
} from '../../sdp/index.ts';
import type { Slot } from './slots.ts';

/** The peer's own stream in an m-line. */
export interface PublishedStream {
  readonly id: ProducerId;
  /** Of which parameters it was made: others need another Producer. */
  readonly key: string;
}

export interface PeerSlot extends Slot {
  readonly protocol: string;
  /** We added it: the peer sends nothing there. */
  readonly isOurs: boolean;
  /** What was taken of the m-line as the peer offered it; undefined while it never did. */
  readonly accepted?: AcceptedMedia;
  readonly published?: PublishedStream;
  /** The codec that our last offer wanted the peer's picture in; undefined: what it offered was taken. */
  readonly asked?: string;
  /** As the peer said it last. */
  readonly direction: SdpDirection;
  /** What the m-line listed last: an empty one lists it again. */
  readonly codecs: readonly mediasoup.RtpCodecParameters[];
  readonly extensions: readonly Extension[];
  /** The m-line as it was when the peer refused it, or we did. */
  readonly refused?: SdpMedia;
}

export function listens({ direction }: Pick<PeerSlot, 'direction'>): boolean {
  return direction === 'sendrecv' || direction === 'recvonly';
}

export function speaks({ direction }: Pick<PeerSlot, 'direction'>): boolean {
  return direction === 'sendrecv' || direction === 'sendonly';
}

/** Numbers of an m-line of the peer are the peer's, so only a stream with the same ones goes there. */
export function carries({ accepted }: PeerSlot, stream: SentStream | undefined): boolean {
  if (stream === undefined) return false;

  const { codecs, headerExtensions = [] } = stream.rtpParameters;

  return (
    accepted === undefined ||
    (codecs.every((codec) =>
      accepted.codecs.some(
        (each) => each.payloadType === codec.payloadType && isSameCodec(each, codec),
      ),
    ) &&
      headerExtensions.every(({ id, uri }) =>
        accepted.extensions.some((each) => each.id === id && each.uri === uri),
      ))
  );
}

/** The m-line as our next description has it; `offering`: what the peer wants is for it to say. */
export function describeSlot(
  slot: PeerSlot,
  stream: SentStream | undefined,
  offering: boolean,
): WebRtcMedia | { refused: SdpMedia } {
  if (slot.refused !== undefined) return { refused: slot.refused };
  // Of the peer's own audio that carries nobody yet: to say so would look like hold.
  const isOpen = stream !== undefined || (slot.kind === 'audio' && !slot.isOurs);
  const sends = isOpen && (offering || listens(slot));
  const receives = !slot.isOurs && (offering || speaks(slot)) && isHeard(slot);
  const sent = slot.accepted === undefined ? stream?.rtpParameters : undefined;

  return {
    kind: slot.kind,
    mid: slot.mid,
    protocol: slot.protocol,
    direction: toDirection(sends, receives),
    codecs: sent?.codecs ?? slot.codecs,
    extensions: sent?.headerExtensions ?? slot.extensions,
    rids: slot.accepted?.rids ?? [],
    ...(sends && stream !== undefined && { stream }),
  };
}

/** Before the peer sent anything there is room for it; a stream that we could not take stays out. */
function isHeard({ accepted, published }: PeerSlot): boolean {
  return published !== undefined || accepted?.producer === undefined;
}

function toDirection(sends: boolean, receives: boolean): SdpDirection {
  if (sends) return receives ? 'sendrecv' : 'sendonly';

  return receives ? 'recvonly' : 'inactive';
}
