import type { Participant, VideoCodecWish } from '../signaling/websocket/protocol.ts';
import type { RoomState } from './room-store.ts';

const USUAL_CODEC = 'VP8';

/** A participant as the views show it. */
export interface MemberView {
  id: string;
  name: string;
  kind: Participant['kind'];
  role: Participant['role'];
  isSelf: boolean;
  speaking: boolean;
  muted: boolean;
  /** A phone that sees pictures in this codec alone, where that is not the usual one. */
  needsCodec: string | undefined;
  /** Its picture, while one arrives. One's own is not among these. */
  videoTrack: MediaStreamTrack | undefined;
}

/** Everybody, oneself first, then in the order in which they came. */
export function members(state: RoomState): MemberView[] {
  const microphones = new Set<string>();
  const pictures = new Map<string, MediaStreamTrack>();
  for (const producer of state.producers.values()) {
    if (producer.source === 'microphone' && !producer.paused) {
      microphones.add(producer.participantId);
    }
    const track = state.tracks.get(producer.id);
    if (producer.kind === 'video' && !producer.paused && track !== undefined) {
      pictures.set(producer.participantId, track);
    }
  }
  const views = [...state.participants.values()].map((participant): MemberView => {
    const isSelf = participant.id === state.selfId;
    // One's own button is quicker than the server's news of it.
    const muted = isSelf
      ? state.microphone !== 'on'
      : participant.muted || (participant.kind === 'browser' && !microphones.has(participant.id));

    return {
      id: participant.id,
      name: participant.name,
      kind: participant.kind,
      role: participant.role,
      isSelf,
      speaking: participant.speaking && !muted,
      muted,
      needsCodec: unusualCodecs(state).find(({ participantIds }) =>
        participantIds.includes(participant.id),
      )?.codec,
      videoTrack: pictures.get(participant.id),
    };
  });

  return [...views.filter((view) => view.isSelf), ...views.filter((view) => !view.isSelf)];
}

/** What a page would not send by itself, but for phones that take nothing else. */
export function unusualCodecs(state: Pick<RoomState, 'videoCodecs'>): readonly VideoCodecWish[] {
  return state.videoCodecs.filter(({ codec }) => codec !== USUAL_CODEC);
}

/**
 * Who gets a tile when not everybody can: oneself, then the active speaker, those who speak, those with
 * a picture, the rest; those chosen keep their places, so that tiles do not jump about.
 */
export function chooseTiles(
  everybody: readonly MemberView[],
  activeSpeaker: string | undefined,
  max: number,
): MemberView[] {
  if (everybody.length <= max) return [...everybody];
  const rank = (member: MemberView): number => {
    if (member.isSelf) return 0;
    if (member.id === activeSpeaker) return 1;
    if (member.speaking) return 2;

    return member.videoTrack === undefined ? 4 : 3;
  };
  const chosen = new Set(
    [...everybody]
      .sort((a, b) => rank(a) - rank(b))
      .slice(0, max)
      .map((member) => member.id),
  );

  return everybody.filter((member) => chosen.has(member.id));
}

/** Up to two letters; digits of a phone number say nothing, so such a name has none. */
export function initials(name: string): string {
  const words = name.split(/[^\p{L}]+/u).filter((word) => word !== '');
  const letters = [words[0], words.length > 1 ? words.at(-1) : undefined].map(
    (word) => [...(word ?? '')][0] ?? '',
  );

  return letters.join('').toUpperCase();
}

/** A hue of its own for everybody, the same in every page. */
export function hueOf(id: string): number {
  let hash = 0;
  for (const character of id) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) >>> 0;

  return hash % 360;
}
