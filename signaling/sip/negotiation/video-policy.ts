/** Whether the call of a phone with one stream of each kind has an m=video now. Pure. */
import { effectiveDirection, type SdpMedia, type SdpSession } from '../../sdp/index.ts';

/** What a phone showed of itself so far. */
export interface VideoTraits {
  /** It can do video that we can too: it said so, or had an m=video in a description. */
  readonly isCapable: boolean;
  /** It sends a picture of its own, or would. */
  readonly sends: boolean;
  /** It was offered audio alone, and so had no way to say what it can do: it may be asked. */
  readonly hadNoSay: boolean;
  /** It refused an m=video of ours: it is asked no more, unless it asks itself. */
  readonly hasDeclined: boolean;
}

/** Tells video that we can serve from what we cannot. */
export type Serves = (session: SdpSession, media: SdpMedia) => boolean;

export const AUDIO_ONLY: VideoTraits = {
  isCapable: false,
  sends: false,
  hadNoSay: false,
  hasDeclined: false,
};

/** `contact`: the value of its Contact, with or without the feature tag `video` (RFC 3840 9, 10). */
export function initialTraits(contact: string | undefined): VideoTraits {
  // Past the address, in which anything may stand; `video="FALSE"` says that it has none.
  const parameters = contact?.slice(contact.indexOf('>') + 1) ?? '';
  const tag = /(?:^|;)\s*video\s*(?:=\s*"?([^";]*)"?)?\s*(?:;|$)/i.exec(parameters);

  return { ...AUDIO_ONLY, isCapable: tag !== null && !/^false$/i.test(tag[1] ?? '') };
}

/** After an offer of theirs: what they offer they want. One without video does not forbid it. */
export function traitsAfterOffer(
  traits: VideoTraits,
  offer: SdpSession,
  serves: Serves,
): VideoTraits {
  const video = findVideo(offer, serves);
  const heard = { ...traits, hadNoSay: false };
  if (video === undefined) return { ...heard, sends: false };
  if (video.port === 0) return { ...heard, isCapable: true, sends: false };

  return { ...heard, isCapable: true, sends: sends(offer, video), hasDeclined: false };
}

/** After the answer to an offer of ours; `offered`: it had an m=video. */
export function traitsAfterAnswer(
  traits: VideoTraits,
  answer: SdpSession,
  offered: boolean,
): VideoTraits {
  const video = answer.media.find(({ type, port }) => type === 'video' && port !== 0);
  if (!offered) return { ...traits, sends: false, hadNoSay: !traits.isCapable };
  if (video === undefined) return { ...traits, sends: false, hasDeclined: true };

  return { ...traits, isCapable: true, sends: sends(answer, video) };
}

/** After it said what it can do, or did not; it is asked once. */
export function traitsAfterEnquiry(
  traits: VideoTraits,
  answer: SdpSession | undefined,
  serves: Serves,
): VideoTraits {
  const isCapable = answer !== undefined && findVideo(answer, serves) !== undefined;

  return { ...traits, isCapable: traits.isCapable || isCapable, hadNoSay: false };
}

/**
 * `pictures`: how many the room has for it. Its own is one for the others; without any the m=video goes,
 * and a phone that can do none is never asked.
 */
export function wantsVideo(traits: VideoTraits, pictures: number): boolean {
  return traits.isCapable && !traits.hasDeclined && (pictures > 0 || traits.sends);
}

function findVideo(session: SdpSession, serves: Serves): SdpMedia | undefined {
  return session.media.find((media) => media.type === 'video' && serves(session, media));
}

function sends(session: SdpSession, media: SdpMedia): boolean {
  const direction = effectiveDirection(session, media);

  return direction === 'sendrecv' || direction === 'sendonly';
}
