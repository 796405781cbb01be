/**
 * Who is shown as speaking, and who is the active speaker, from what the media says every few hundred
 * milliseconds. Pure: time is an argument.
 */
import type { ParticipantId } from '../base/index.ts';

/** A pause between two words is no end of speech. */
const HOLD_MS = 600;
/** A cough does not move the stage: who takes over must have been the loudest for this long. */
const TAKE_OVER_MS = 900;

export interface SpeakerInput {
  id: ParticipantId;
  /** dBov, −127 … 0. */
  level: number;
}

export interface SpeakerChanges {
  started: ParticipantId[];
  stopped: ParticipantId[];
  /** Present when the active speaker changed; its value may be "nobody". */
  active?: { id: ParticipantId | undefined };
  /** When `update` wants to be called next, if nothing comes from the media until then. */
  checkAt: number | undefined;
}

export class ActiveSpeaker {
  readonly #lastHeard = new Map<ParticipantId, number>();
  #active: ParticipantId | undefined;
  #candidate: { id: ParticipantId; since: number } | undefined;
  #loudest: readonly SpeakerInput[] = [];

  get active(): ParticipantId | undefined {
    return this.#active;
  }

  /** `loudest` is everybody who speaks now, in any order. */
  heard(loudest: readonly SpeakerInput[], now: number): SpeakerChanges {
    this.#loudest = [...loudest].sort((a, b) => b.level - a.level);

    return this.update(now);
  }

  /** Lets time pass with the last levels standing. */
  update(now: number): SpeakerChanges {
    const started: ParticipantId[] = [];
    for (const { id } of this.#loudest) {
      if (!this.#lastHeard.has(id)) started.push(id);
      this.#lastHeard.set(id, now);
    }
    const stopped = [...this.#lastHeard].filter(([, at]) => now - at >= HOLD_MS).map(([id]) => id);
    for (const id of stopped) this.#lastHeard.delete(id);
    const before = this.#active;
    this.#elect(now);
    const changes: SpeakerChanges = { started, stopped, checkAt: this.#nextCheck() };
    if (this.#active !== before) changes.active = { id: this.#active };

    return changes;
  }

  /** The participant left or was muted; it speaks no more, at once. */
  remove(id: ParticipantId, gone: boolean, now: number): SpeakerChanges {
    const spoke = this.#lastHeard.delete(id);
    this.#loudest = this.#loudest.filter((input) => input.id !== id);
    if (this.#candidate?.id === id) this.#candidate = undefined;
    const wasActive = gone && this.#active === id;
    if (wasActive) this.#active = undefined;
    const changes = this.update(now);
    if (spoke) changes.stopped.push(id);
    if (wasActive) changes.active = { id: this.#active };

    return changes;
  }

  /** The stage stays with who spoke last until somebody else speaks long enough, or speaks alone. */
  #elect(now: number): void {
    const first = this.#loudest[0]?.id;
    if (first === undefined || first === this.#active) {
      this.#candidate = undefined;

      return;
    }
    const free = this.#active === undefined || !this.#lastHeard.has(this.#active);
    if (free) {
      this.#active = first;
      this.#candidate = undefined;
    } else if (this.#candidate?.id !== first) {
      this.#candidate = { id: first, since: now };
    } else if (now - this.#candidate.since >= TAKE_OVER_MS) {
      this.#active = first;
      this.#candidate = undefined;
    }
  }

  #nextCheck(): number | undefined {
    const speakingNow = new Set(this.#loudest.map((input) => input.id));
    const ends = [...this.#lastHeard]
      .filter(([id]) => !speakingNow.has(id))
      .map(([, at]) => at + HOLD_MS);
    if (this.#candidate !== undefined) ends.push(this.#candidate.since + TAKE_OVER_MS);

    return ends.length === 0 ? undefined : Math.min(...ends);
  }
}
