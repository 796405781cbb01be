import { TimerSet } from '../base/index.ts';
import type { Clock, ParticipantId } from '../base/index.ts';
import { ActiveSpeaker } from './active-speaker.ts';
import type { SpeakerChanges, SpeakerInput } from './active-speaker.ts';

export interface SpeakerHooks {
  speaking(id: ParticipantId, speaking: boolean): void;
  active(id: ParticipantId | undefined): void;
}

/** `ActiveSpeaker` with a clock: also says what changes while the media says nothing. */
export class RoomSpeakers {
  readonly #clock: Clock;
  readonly #timers: TimerSet<'check'>;
  readonly #hooks: SpeakerHooks;
  #speakers = new ActiveSpeaker();

  constructor(clock: Clock, hooks: SpeakerHooks) {
    this.#clock = clock;
    this.#timers = new TimerSet(clock);
    this.#hooks = hooks;
  }

  get active(): ParticipantId | undefined {
    return this.#speakers.active;
  }

  heard(speakers: readonly SpeakerInput[]): void {
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
    for (const id of changes.started) this.#hooks.speaking(id, true);
    for (const id of changes.stopped) this.#hooks.speaking(id, false);
    if (changes.active !== undefined) this.#hooks.active(changes.active.id);
    if (changes.checkAt === undefined) {
      this.#timers.stop('check');

      return;
    }
    this.#timers.start('check', Math.max(1, changes.checkAt - this.#clock.now()), () => {
      this.#apply(this.#speakers.update(this.#clock.now()));
    });
  }
}
