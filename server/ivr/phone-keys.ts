/** What keys in a room mean: "*" and a second one. Pure. */

export type KeyCommand =
  'mute' | 'hand' | 'count' | 'louder' | 'softer' | 'help' | 'lock' | 'mute-all' | 'let-in' | 'end';

const COMMANDS: Readonly<Record<string, KeyCommand>> = {
  '6': 'mute',
  '5': 'hand',
  '1': 'count',
  '4': 'louder',
  '7': 'softer',
  '*': 'help',
  '2': 'lock',
  '3': 'mute-all',
  '8': 'let-in',
  '9': 'end',
};

/** Commands for the whole room. */
export const HOST_COMMANDS: ReadonlySet<KeyCommand> = new Set([
  'lock',
  'mute-all',
  'let-in',
  'end',
]);

/** Milliseconds; a star that nothing followed was pressed by mistake. */
const SECOND_KEY_MS = 4000;

export class KeyReader {
  #starAt: number | undefined;

  /** A command that is complete with this key; "unknown" when there is none of that name. */
  press(key: string, now: number): KeyCommand | 'unknown' | undefined {
    const starAt = this.#starAt;
    this.#starAt = undefined;
    if (starAt !== undefined && now - starAt <= SECOND_KEY_MS) return COMMANDS[key] ?? 'unknown';
    if (key === '*') this.#starAt = now;

    return undefined;
  }
}
