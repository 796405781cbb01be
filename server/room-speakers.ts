import { TimerSet } from '../base/index.ts';
import type { Clock, ParticipantId } from '../base/index.ts';
import type { SpeakerLevel } from '../media/index.ts';
import { ActiveSpeaker } from './active-speaker.ts';
import type { SpeakerChanges } from './active-speaker.ts';
import type { RoomMembers } from './room-members.ts';

/**
 * `ActiveSpeaker` with a clock: also says what changes while the media says nothing. Marks the members and
 * tells all of them.
 */
export class RoomSpeakers {
  readonly #clock: Clock;
  readonly #timers: TimerSet<'check'>;
  readonly #members: RoomMembers;
  readonly #onActive: (id: ParticipantId | undefined) => void;
  #speakers = new ActiveSpeaker();

  constructor(
    clock: Clock,
    members: RoomMembers,
    onActive: (id: ParticipantId | undefined) => void,
  ) {
    this.#clock = clock;
    this.#timers = new TimerSet(clock);
    this.#members = members;
    this.#onActive = onActive;
  }

  get active(): ParticipantId | undefined {
    return this.#speakers.active;
  }

  heard(levels: readonly SpeakerLevel[]): void {
    const speakers = levels.flatMap(({ legId, level }) => {
      const participant = this.#members.ofLeg(legId);
      const counts = participant?.state === 'joined' && !participant.muted;

      return counts ? [{ id: participant.id, level }] : [];
    });
    this.#apply(this.#speakers.heard(speakers, this.#clock.now()));
  }

  /** It was muted or, when `gone`, left. */
  silence(id: ParticipantId, gone: boolean): void {
    this.#apply(this.#speakers.remove(id, gone, this.#clock.now()));
  }

  /** The meeting is over; nothing is told any more. */
  reset(): void {
    this.#timers.stopAll();
    this.#speakers = new ActiveSpeaker();
  }

  #apply(changes: SpeakerChanges): void {
    for (const id of changes.started) this.#mark(id, true);
    for (const id of changes.stopped) this.#mark(id, false);
    if (changes.active !== undefined) {
      this.#onActive(changes.active.id);
      this.#members.broadcast({ type: 'active-speaker', participantId: changes.active.id });
    }
    if (changes.checkAt === undefined) {
      this.#timers.stop('check');

      return;
    }
    this.#timers.start('check', Math.max(1, changes.checkAt - this.#clock.now()), () => {
      this.#apply(this.#speakers.update(this.#clock.now()));
    });
  }

  #mark(id: ParticipantId, speaking: boolean): void {
    if (this.#members.find(id)?.markSpeaking(speaking) !== true) return;
    this.#members.broadcast({ type: 'speaking', participantId: id, speaking });
  }
}
