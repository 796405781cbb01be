/**
 * The dialogue with a caller who is in no room yet, as a state machine: room number, PIN, good-bye.
 * Pure: inputs in, actions out; the clock, the voice and the door are whoever runs it.
 */
import type { RoomNumber } from '../../base/index.ts';
import type { PromptItem } from '../../media/index.ts';
import type { CloseReason } from '../close-reason.ts';
import { dial } from '../dial-plan.ts';

export type DialogueState = 'asking-room' | 'asking-pin' | 'entering' | 'parting' | 'over';

/** Why the door stayed shut. */
export type Refusal = 'no-room' | 'pin' | 'full' | 'locked' | 'failed';

export type DialogueInput =
  | { type: 'key'; key: string }
  /** What was said last was heard to its end. */
  | { type: 'played' }
  | { type: 'timeout' }
  | { type: 'refused'; why: Refusal }
  | { type: 'entered' }
  /** It has lasted too long altogether. */
  | { type: 'limit' };

export type DialogueAction =
  /** Takes the place of what is being said. */
  | { type: 'say'; items: readonly PromptItem[] }
  /** A key was pressed: who answers need not hear the question out. */
  | { type: 'hush' }
  /** Starts the one timer anew. */
  | { type: 'wait'; ms: number }
  | { type: 'enter'; room: RoomNumber; pin?: string }
  | { type: 'end'; reason: CloseReason };

type Actions = readonly DialogueAction[];
type Handler = (dialogue: Dialogue, input: DialogueInput) => Actions;

const TRIES = 3;
/** After the question. */
const FIRST_KEY_MS = 10_000;
/** Between keys; then what was typed counts as complete, as "#" does. */
const NEXT_KEY_MS = 5000;
/** A question whose end is never told, as to a phone on hold. */
const SAYING_MS = 40_000;
const GOODBYE_MS = 6000;
const MAX_KEYS = 32;

const ASKING: Partial<Record<DialogueInput['type'], Handler>> = {
  key: (dialogue, input) => (input.type === 'key' ? dialogue.press(input.key) : []),
  played: () => [{ type: 'wait', ms: FIRST_KEY_MS }],
  timeout: (dialogue) => dialogue.submit(),
  limit: (dialogue) => dialogue.part([], 'not-dialled'),
};

const TABLE: Readonly<
  Record<DialogueState, Readonly<Partial<Record<DialogueInput['type'], Handler>>>>
> = {
  'asking-room': ASKING,
  'asking-pin': ASKING,
  entering: {
    refused: (dialogue, input) => (input.type === 'refused' ? dialogue.refuse(input.why) : []),
    entered: (dialogue) => dialogue.finish(),
    limit: (dialogue) => dialogue.part([], 'not-dialled'),
  },
  parting: {
    played: (dialogue) => dialogue.hangUp(),
    timeout: (dialogue) => dialogue.hangUp(),
  },
  over: {},
};

export class Dialogue {
  #state: DialogueState;
  #keys = '';
  #failures = 0;
  #room: RoomNumber | undefined;
  #pinGiven = false;
  #endReason: CloseReason = 'not-dialled';

  /** With a room it is its PIN that is asked for. */
  constructor(room?: RoomNumber) {
    this.#room = room;
    this.#state = room === undefined ? 'asking-room' : 'asking-pin';
  }

  get state(): DialogueState {
    return this.#state;
  }

  /** The room in question, for its language. */
  get room(): RoomNumber | undefined {
    return this.#room;
  }

  start(): Actions {
    return this.#ask([]);
  }

  /** What does not fit the state is passed over: a key after the last "#", a timer that was too late. */
  handle(input: DialogueInput): Actions {
    return TABLE[this.#state][input.type]?.(this, input) ?? [];
  }

  press(key: string): Actions {
    if (key === '#') return this.submit();
    // "*" begins anew; A … D are on no phone that people use.
    if (key === '*') this.#keys = '';
    else if (/^[0-9]$/.test(key) && this.#keys.length < MAX_KEYS) this.#keys += key;

    return [{ type: 'hush' }, { type: 'wait', ms: key === '*' ? FIRST_KEY_MS : NEXT_KEY_MS }];
  }

  submit(): Actions {
    const keys = this.#keys;
    this.#keys = '';
    if (keys === '') return this.#fail([]);
    if (this.#state === 'asking-pin') return this.#enter(keys);
    const target = dial(keys);
    if (!target.ok) return this.#fail(['bad-room']);
    this.#room = target.room;

    return this.#enter(undefined);
  }

  refuse(why: Refusal): Actions {
    switch (why) {
      case 'no-room':
        this.#state = 'asking-room';
        this.#room = undefined;

        return this.#fail(['bad-room']);
      case 'pin':
        this.#state = 'asking-pin';
        if (this.#pinGiven) return this.#fail(['bad-pin']);
        this.#failures = 0;

        return this.#ask([]);
      case 'full':
        return this.part(['room-full'], 'room-full');
      case 'locked':
        return this.part(['room-locked'], 'rejected');
      case 'failed':
        return this.part([], 'media-failed');
    }
  }

  part(first: readonly PromptItem[], reason: CloseReason): Actions {
    this.#state = 'parting';
    this.#endReason = reason;

    return [
      { type: 'say', items: [...first, 'goodbye'] },
      { type: 'wait', ms: GOODBYE_MS },
    ];
  }

  hangUp(): Actions {
    this.#state = 'over';

    return [{ type: 'end', reason: this.#endReason }];
  }

  finish(): Actions {
    this.#state = 'over';

    return [];
  }

  #enter(pin: string | undefined): Actions {
    const room = this.#room;
    if (room === undefined) return this.#fail(['bad-room']);
    this.#state = 'entering';
    this.#pinGiven = pin !== undefined;

    return [{ type: 'hush' }, { type: 'enter', room, ...(pin !== undefined && { pin }) }];
  }

  #fail(why: readonly PromptItem[]): Actions {
    this.#failures++;
    if (this.#failures < TRIES) return this.#ask(why);

    return this.part(why, this.#state === 'asking-pin' ? 'pin-refused' : 'not-dialled');
  }

  #ask(first: readonly PromptItem[]): Actions {
    const question = this.#state === 'asking-pin' ? 'ask-pin' : 'ask-room';

    return [
      { type: 'say', items: [...first, question] },
      { type: 'wait', ms: SAYING_MS },
    ];
  }
}
