import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { silentLogger } from '../../../base/index.ts';
import { PromptLibrary } from '../../../media/prompts/index.ts';
import { PROMPTS } from '../../../media/prompts/prompt-names.ts';
import { writeToneWav } from '../../support/wav-file.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'prompts-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function library(language = 'en'): PromptLibrary {
  return new PromptLibrary({
    customFolder: path.join(folder, 'own'),
    language,
    logger: silentLogger,
    soundFolders: [path.join(folder, 'sounds')],
    musicFolders: [],
  });
}

function record(...file: string[]): void {
  const name = path.join(folder, ...file);
  mkdirSync(path.dirname(name), { recursive: true });
  writeToneWav(name, 500, { seconds: 1, sampleRate: 8000 });
}

describe('prompts', () => {
  it('that nobody has recorded are tones, and are counted', () => {
    const prompts = library();
    const [sound] = prompts.sounds(['ask-room']);
    expect(sound!.samples.length).toBeGreaterThan(0);
    prompts.sounds([{ number: 3 }]);
    expect(prompts.counts).toEqual({ languages: 0, fallbacks: 2 });
  });

  it('are the room’s language, else the usual one', () => {
    record('sounds', 'en_US_f_Allison', 'conf-getconfno.wav');
    record('sounds', 'fr_CA_f_June', 'conf-getpin.wav');
    const prompts = library();
    for (const [item, language] of [
      ['ask-room', 'en'],
      ['ask-pin', 'fr'],
      ['ask-room', 'de'],
    ] as const) {
      expect(prompts.sounds([item], language)[0]!.samples).toHaveLength(8000);
    }
    expect(prompts.counts).toEqual({ languages: 2, fallbacks: 0 });
    prompts.sounds(['ask-room'], 'fr');
    expect(prompts.counts.fallbacks).toBe(1);
  });

  it('that are tones are told to who asks whether all is there', () => {
    expect(library().warning()).toBe(
      'spoken prompts are missing in "en" (all): callers hear tones instead',
    );
    const files = Object.values(PROMPTS).flat();
    for (const file of files) record('sounds', 'en_US_f_Allison', `${file}.wav`);
    expect(library().warning()).toBeUndefined();
    // Another language does not help those who are spoken to in the usual one.
    expect(library('fr').warning()).toContain('"fr" (all)');
    rmSync(path.join(folder, 'sounds', 'en_US_f_Allison', 'conf-getpin.wav'));
    expect(library().unspoken).toEqual(['ask-pin']);
    expect(library().warning()).toContain('(1)');
    record('own', 'en', 'ask-pin.wav');
    expect(library().warning()).toBeUndefined();
  });

  it('of one’s own come before all others', () => {
    record('own', 'ask-room.wav');
    const prompts = library();
    expect(prompts.sounds(['ask-room'])[0]!.samples).toHaveLength(8000);
    expect(prompts.counts).toEqual({ languages: 0, fallbacks: 0 });
  });
});
