import type { RtpLeg } from '../leg/index.ts';
import type { SpeakerLevel } from '../media-api.ts';

/** While somebody speaks, levels are told this often; a change of who speaks at once. */
const REPEAT_MS = 300;

/** Tells who of a room's phones speaks. */
export class SpeakerWatch {
  readonly #onSpeakers: (speakers: SpeakerLevel[]) => void;
  #said = '';
  #saidAt = 0;

  constructor(onSpeakers: (speakers: SpeakerLevel[]) => void) {
    this.#onSpeakers = onSpeakers;
  }

  /** All of it, for another thread, where `thaw` goes on with it. */
  freeze() {
    return { said: this.#said, saidAt: this.#saidAt };
  }

  thaw(state: ReturnType<SpeakerWatch['freeze']>): void {
    ({ said: this.#said, saidAt: this.#saidAt } = state);
  }

  look(legs: readonly RtpLeg[], now: number): void {
    const speakers: SpeakerLevel[] = [];
    for (const { id, feeds, input } of legs) {
      if (feeds && input.speaking) speakers.push({ legId: id, level: Math.round(input.level) });
    }
    speakers.sort((left, right) => right.level - left.level);
    const names = speakers.map(({ legId }) => legId).join(' ');
    const repeat = speakers.length > 0 && now - this.#saidAt >= REPEAT_MS;
    if (names === this.#said && !repeat) return;
    this.#said = names;
    this.#saidAt = now;
    this.#onSpeakers(speakers);
  }
}
