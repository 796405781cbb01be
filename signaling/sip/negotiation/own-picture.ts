/**
 * In which codec a peer sends its own picture. Phones see nothing in any other than theirs, and what is sent is
 * not transcoded; every WebRTC endpoint knows both H.264 and VP8 (RFC 7742 5). An offer of ours puts the codec
 * that is wished for first; what the peer answers decides, and it is not asked for the same twice. Pure.
 */
import type { types as mediasoup } from 'mediasoup';
import { nameOf, preferCodec } from '../../sdp/index.ts';
import { speaks, type PeerSlot } from './peer-slots.ts';

/** So many phones see pictures in this codec alone. */
export interface CodecWish {
  readonly codec: string;
  readonly participantIds: readonly unknown[];
}

export interface PictureWish {
  /** Undefined: as the peer likes it. */
  readonly codec: string | undefined;
  /** Whether its number means nothing else in the call. */
  isFree(codec: mediasoup.RtpCodecParameters): boolean;
}

/** What one picture is best sent in: what most phones take; undefined: as its sender likes it. */
export function codecForMost(wishes: readonly CodecWish[]): string | undefined {
  const [first, second] = wishes.toSorted(
    (a, b) => b.participantIds.length - a.participantIds.length,
  );

  return first?.participantIds.length === second?.participantIds.length ? undefined : first?.codec;
}

/** Whether the peer's picture is to come in another codec than it was last asked for. */
export function isToChange(slot: PeerSlot, wish: PictureWish): boolean {
  const { kind, usable, accepted, asked } = slot;
  if (kind !== 'video' || !usable || accepted?.producer === undefined || !speaks(slot))
    return false;

  return wantedOf(accepted.choices, wish) !== (asked ?? firstOf(accepted.codecs));
}

/** The m-line as it is offered then: what it listed stays, for what we send in it. */
export function asking(slot: PeerSlot, wish: PictureWish): PeerSlot {
  const { accepted } = slot;
  if (accepted === undefined || !isToChange(slot, wish)) return slot;
  const asked = wantedOf(accepted.choices, wish)!;
  const [first, ...others] = preferCodec(accepted.choices, asked);
  const listed = new Set(slot.codecs.map(({ payloadType }) => payloadType));
  const isKept = (codec: mediasoup.RtpCodecParameters): boolean =>
    listed.has(codec.payloadType) ||
    (codec.parameters?.apt === first!.payloadType && wish.isFree(codec));
  const codecs = [first!, ...others.filter(isKept)];

  return { ...slot, codecs, accepted: { ...accepted, codecs }, asked };
}

function wantedOf(
  choices: readonly mediasoup.RtpCodecParameters[],
  wish: PictureWish,
): string | undefined {
  const isThere = choices.some((codec) => nameOf(codec) === wish.codec && wish.isFree(codec));

  return isThere ? wish.codec : firstOf(choices);
}

function firstOf(codecs: readonly mediasoup.RtpCodecParameters[]): string | undefined {
  return codecs[0] && nameOf(codecs[0]);
}
