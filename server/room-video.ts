import type { WantedVideoCodec } from '../media/index.ts';
import type { VideoCodecWish } from './ports.ts';
import type { RoomMembers } from './room-members.ts';

/** What phones take of the room's pictures: the members are told, as those see nothing else. */
export class RoomVideo {
  readonly #members: RoomMembers;
  #wishes: readonly VideoCodecWish[] = [];

  constructor(members: RoomMembers) {
    this.#members = members;
  }

  get wishes(): readonly VideoCodecWish[] {
    return this.#wishes;
  }

  /** The media found that phones take these. */
  wanted(wanted: readonly WantedVideoCodec[]): void {
    const wishes = wanted.flatMap(({ codec, legIds }) => {
      const participantIds = legIds.flatMap((legId) => this.#members.ofLeg(legId)?.id ?? []);

      return participantIds.length === 0 ? [] : [{ codec, participantIds }];
    });
    for (const member of this.#members.seated()) {
      const wish = wishes.find(({ participantIds }) => participantIds.includes(member.id));
      member.markVideoReceived(wish?.codec);
    }
    if (JSON.stringify(wishes) === JSON.stringify(this.#wishes)) return;
    this.#wishes = wishes;
    this.#members.broadcast({ type: 'video-codecs', wishes });
  }

  /** Nobody is left. */
  reset(): void {
    this.#wishes = [];
  }
}
