import type { PromptItem, Sound } from '../../media/index.ts';
import type { Voice } from '../../server/ivr/index.ts';

/** Says nothing, and knows afterwards what a sound would have said. */
export class FakeVoice implements Voice {
  readonly music: readonly Sound[] = [{ rate: 8000, samples: new Int16Array(8) }];
  readonly #words = new WeakMap<Sound, string>();

  sounds(items: readonly PromptItem[], language = 'en'): Sound[] {
    return items.map((item) => {
      const sound: Sound = { rate: 8000, samples: new Int16Array(160) };
      const word = typeof item === 'string' ? item : String(item.number);
      this.#words.set(sound, language === 'en' ? word : `${language}:${word}`);

      return sound;
    });
  }

  words(sounds: readonly Sound[]): string {
    return sounds.map((sound) => this.#words.get(sound) ?? 'a sound').join(' ');
  }
}
