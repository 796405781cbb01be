import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { toError, type Logger } from '../../base/index.ts';
import type { Sound } from '../media-api.ts';
import { FALLBACK_TONES, PROMPTS, type PromptItem, type PromptName } from './prompt-names.ts';
import { loadSound, readSound, SOUND_EXTENSIONS } from './sound-file.ts';
import { spokenNumber } from './spoken-number.ts';
import { generatedMusic, toneSequence } from './tones.ts';

/** Where Debian puts the sounds of Asterisk, a folder a voice ("en_US_f_Allison"). */
const SOUND_FOLDERS = ['/usr/share/asterisk/sounds', '/var/lib/asterisk/sounds'];
const MUSIC_FOLDERS = ['/usr/share/asterisk/moh', '/var/lib/asterisk/moh'];
/** Beeps that still can be counted. */
const MAX_BEEPS = 10;

export interface PromptLibraryOptions {
  /** Own recordings; they take the place of all others. */
  customFolder: string;
  /** Spoken where a room says nothing else, and where a language lacks a recording. */
  language: string;
  logger: Logger;
  soundFolders?: readonly string[];
  musicFolders?: readonly string[];
}

/** Every prompt in every language that is installed: read once, when first spoken, and shared. */
export class PromptLibrary {
  readonly #options: PromptLibraryOptions;
  readonly #logger: Logger;
  readonly #voices: ReadonlyMap<string, string>;
  readonly #files = new Map<string, Sound | undefined>();
  readonly #tones = new Map<string, Sound>();
  #unspoken: readonly PromptName[] | undefined;
  #music: readonly Sound[] = [];
  #fallbacks = 0;

  constructor(options: PromptLibraryOptions) {
    this.#options = options;
    this.#logger = options.logger.child({ tag: 'prompts' });
    this.#voices = findVoices(options.soundFolders ?? SOUND_FOLDERS);
  }

  /** Languages that are spoken here. */
  get languages(): string[] {
    return [...this.#voices.keys()].sort();
  }

  /** How much of what callers were told they heard as words: languages that are installed, prompts that were tones. */
  get counts(): { languages: number; fallbacks: number } {
    return { languages: this.#voices.size, fallbacks: this.#fallbacks };
  }

  /** Prompts that callers hear as tones in the usual language; known from the first look on, as they are kept. */
  get unspoken(): readonly PromptName[] {
    const { language } = this.#options;
    this.#unspoken ??= (Object.keys(PROMPTS) as PromptName[]).filter(
      (name) =>
        !this.#customFiles(name, language).some((file) => existsSync(file)) &&
        !PROMPTS[name].every((recording) =>
          this.#recordingFiles(recording, language).some((file) => existsSync(file)),
        ),
    );

    return this.#unspoken;
  }

  /** For who asks whether all is there; undefined when it is. */
  warning(): string | undefined {
    const { length } = this.unspoken;
    if (length === 0) return undefined;
    const which = length === Object.keys(PROMPTS).length ? 'all' : String(length);

    return `spoken prompts are missing in "${this.#options.language}" (${which}): callers hear tones instead`;
  }

  /** What waits in a circle; generated until `load` has read a recording. */
  get music(): readonly Sound[] {
    return this.#music;
  }

  /** Reads the music, and says what is missing. */
  async load(): Promise<void> {
    const { language } = this.#options;
    if (!this.#voices.has(language)) {
      const text = 'no spoken prompts in this language: callers hear tones instead';
      this.#logger.warn({ language, installed: this.languages }, text);
    }
    const file = this.#findMusic();
    try {
      if (file !== undefined) this.#music = [await loadSound(file)];
    } catch (error) {
      this.#logger.warn({ file, err: toError(error) }, 'music that cannot be played');
    }
    if (this.#music.length === 0) this.#music = [generatedMusic()];
    const seconds = this.#music.reduce((sum, { samples, rate }) => sum + samples.length / rate, 0);
    const voices = this.languages;
    this.#logger.info({ languages: voices, music: file, seconds: Math.round(seconds) }, 'prompts');
  }

  /** In this language where it is installed, else in the usual one, else as tones. */
  sounds(items: readonly PromptItem[], language = this.#options.language): Sound[] {
    const spoken = this.#voices.has(language) ? language : this.#options.language;

    return items.flatMap((item) =>
      typeof item === 'string' ? this.#prompt(item, spoken) : this.#number(item.number, spoken),
    );
  }

  #prompt(name: PromptName, language: string): Sound[] {
    const custom = this.#custom(name, language);
    if (custom !== undefined) return [custom];
    const sounds = PROMPTS[name].map((file) => this.#recording(file, language));
    const known = sounds.filter((sound) => sound !== undefined);

    if (known.length === sounds.length) return known;
    this.#fallbacks++;

    return [this.#tone(name, FALLBACK_TONES[name])];
  }

  #number(value: number, language: string): Sound[] {
    const word = (name: string): Sound | undefined => this.#recording(`digits/${name}`, language);
    const words = spokenNumber(value, language, (name) => word(name) !== undefined).map(word);
    const known = words.filter((sound) => sound !== undefined);
    if (known.length === words.length && known.length > 0) return known;
    this.#fallbacks++;
    const beeps = Math.min(MAX_BEEPS, Math.max(0, Math.floor(value)));
    const parts = Array.from(
      { length: beeps },
      () =>
        [
          [800, 100],
          [0, 120],
        ] as const,
    ).flat();

    return parts.length === 0 ? [] : [this.#tone(`number-${beeps}`, parts)];
  }

  #custom(name: string, language: string): Sound | undefined {
    return this.#readFirst(this.#customFiles(name, language));
  }

  #customFiles(name: string, language: string): string[] {
    const { customFolder } = this.#options;

    return [join(customFolder, language, `${name}.wav`), join(customFolder, `${name}.wav`)];
  }

  #recording(name: string, language: string): Sound | undefined {
    return this.#readFirst(this.#recordingFiles(name, language));
  }

  #recordingFiles(name: string, language: string): string[] {
    const folder = this.#voices.get(language);

    return folder === undefined
      ? []
      : SOUND_EXTENSIONS.map((extension) => join(folder, `${name}.${extension}`));
  }

  #readFirst(files: readonly string[]): Sound | undefined {
    for (const file of files) {
      const sound = this.#read(file);
      if (sound !== undefined) return sound;
    }

    return undefined;
  }

  /** What is not there now is not looked for again. */
  #read(file: string): Sound | undefined {
    if (this.#files.has(file)) return this.#files.get(file);
    let sound: Sound | undefined;
    try {
      sound = existsSync(file) ? readSound(file) : undefined;
    } catch (error) {
      this.#logger.warn({ file, err: toError(error) }, 'a prompt that cannot be played');
    }
    this.#files.set(file, sound);

    return sound;
  }

  #tone(key: string, parts: readonly (readonly [number, number])[]): Sound {
    const tone = this.#tones.get(key) ?? toneSequence(parts);
    this.#tones.set(key, tone);

    return tone;
  }

  /** The administrator's own, else the shortest: it lies in memory decoded. */
  #findMusic(): string | undefined {
    const own = join(this.#options.customFolder, 'music.wav');
    if (existsSync(own)) return own;
    const files = (this.#options.musicFolders ?? MUSIC_FOLDERS).flatMap((folder) =>
      list(folder)
        .filter((name) => SOUND_EXTENSIONS.some((extension) => name.endsWith(`.${extension}`)))
        .map((name) => join(folder, name)),
    );

    return files.sort((left, right) => statSync(left).size - statSync(right).size)[0];
  }
}

/** Language → folder of its recordings. */
function findVoices(folders: readonly string[]): Map<string, string> {
  const voices = new Map<string, string>();
  for (const folder of folders) {
    for (const name of list(folder).sort()) {
      const language = /^([a-z]{2,3})(?:_[A-Za-z_]+)?$/.exec(name)?.[1];
      if (language !== undefined && !voices.has(language)) voices.set(language, join(folder, name));
    }
  }

  return voices;
}

function list(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}
