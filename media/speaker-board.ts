import type { LegId } from '../base/index.ts';
import type { SpeakerLevel } from './media-api.ts';

/** Who speaks, from both halves of a room: the SFU measures browsers, the mixer phones. */
export class SpeakerBoard {
  readonly #report: (speakers: SpeakerLevel[]) => void;
  #browsers: readonly SpeakerLevel[] = [];
  #phones: readonly SpeakerLevel[] = [];
  #silent = true;

  /** `report` gets the loudest first; silence is reported once. */
  constructor(report: (speakers: SpeakerLevel[]) => void) {
    this.#report = report;
  }

  setBrowsers(levels: readonly SpeakerLevel[]): void {
    this.#browsers = levels;
    this.#tell();
  }

  setPhones(levels: readonly SpeakerLevel[]): void {
    this.#phones = levels;
    this.#tell();
  }

  /** The leg left or is muted. */
  drop(legId: LegId): void {
    const isOther = (speaker: SpeakerLevel): boolean => speaker.legId !== legId;
    const count = this.#browsers.length + this.#phones.length;
    this.#browsers = this.#browsers.filter(isOther);
    this.#phones = this.#phones.filter(isOther);
    if (this.#browsers.length + this.#phones.length < count) this.#tell();
  }

  #tell(): void {
    const all = [...this.#browsers, ...this.#phones].sort((a, b) => b.level - a.level);
    if (all.length === 0 && this.#silent) return;
    this.#silent = all.length === 0;
    this.#report(all);
  }
}
