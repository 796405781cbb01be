import { describe, expect, it } from '@jest/globals';
import type { RoomNumber } from '../../../base/index.ts';
import { Dialogue, type DialogueAction, type DialogueInput } from '../../../server/ivr/dialogue.ts';

/** Keys as themselves; "." what was said is over, "~" the timer, "!x" the door said x, "+" it opened, "L" the limit. */
function inputs(text: string): DialogueInput[] {
  return text.split(' ').flatMap((word): DialogueInput[] => {
    if (word.startsWith('!')) return [{ type: 'refused', why: word.slice(1) as 'pin' }];
    if (word === '.') return [{ type: 'played' }];
    if (word === '~') return [{ type: 'timeout' }];
    if (word === '+') return [{ type: 'entered' }];
    if (word === 'L') return [{ type: 'limit' }];

    return [...word].map((key) => ({ type: 'key', key }));
  });
}

function shown(action: DialogueAction): string {
  switch (action.type) {
    case 'say':
      return `say ${action.items.map(String).join('+')}`;
    case 'hush':
      return 'hush';
    case 'wait':
      return `wait ${action.ms / 1000}`;
    case 'enter':
      return `enter ${action.room}${action.pin === undefined ? '' : `*${action.pin}`}`;
    case 'end':
      return `end ${action.reason}`;
  }
}

/** All that the dialogue does but timers and silence. */
function run(text: string, room?: string): string[] {
  const dialogue = new Dialogue(room as RoomNumber | undefined);
  const actions = [...dialogue.start()];
  for (const input of inputs(text)) actions.push(...dialogue.handle(input));

  return actions.map(shown).filter((line) => !/^(wait|hush)/.test(line));
}

describe('a caller who dialled no room', () => {
  it.each([
    ['a room', '. 100# +', ['say ask-room', 'enter 100']],
    [
      'a room without "#": the pause between keys ends it',
      '. 100 ~ +',
      ['say ask-room', 'enter 100'],
    ],
    ['a key while the question is asked', '1 00# +', ['say ask-room', 'enter 100']],
    ['"*" begins anew', '. 99*100#', ['say ask-room', 'enter 100']],
    [
      'a room that does not exist, then one that does',
      '. 5# !no-room . 6# +',
      ['say ask-room', 'enter 5', 'say bad-room+ask-room', 'enter 6'],
    ],
    ['the reception itself is no room', '. 0#', ['say ask-room', 'say bad-room+ask-room']],
    [
      'three wrong rooms',
      '. 5# !no-room 6# !no-room 7# !no-room .',
      [
        ...['say ask-room', 'enter 5', 'say bad-room+ask-room', 'enter 6'],
        ...['say bad-room+ask-room', 'enter 7', 'say bad-room+goodbye', 'end not-dialled'],
      ],
    ],
    [
      'no key at all',
      '. ~ . ~ . ~ ~',
      ['say ask-room', 'say ask-room', 'say ask-room', 'say goodbye', 'end not-dialled'],
    ],
    [
      'a room with a PIN, and its PIN',
      '. 100# !pin . 1234# +',
      ['say ask-room', 'enter 100', 'say ask-pin', 'enter 100*1234'],
    ],
    [
      'a full room',
      '. 100# !full .',
      ['say ask-room', 'enter 100', 'say room-full+goodbye', 'end room-full'],
    ],
    [
      'a locked room',
      '. 100# !locked .',
      ['say ask-room', 'enter 100', 'say room-locked+goodbye', 'end rejected'],
    ],
    [
      'no media to be had',
      '. 100# !failed ~',
      ['say ask-room', 'enter 100', 'say goodbye', 'end media-failed'],
    ],
    ['one that lasts too long', '. 1 L 2 .', ['say ask-room', 'say goodbye', 'end not-dialled']],
  ])('%s', (_name, keys, expected) => {
    expect(run(keys)).toEqual(expected);
  });
});

describe('a caller who is asked for the PIN', () => {
  it.each([
    ['the right one', '. 1234# +', ['say ask-pin', 'enter 100*1234']],
    [
      'the right one at the third try',
      '. 1# !pin 2# !pin 1234# +',
      [
        ...['say ask-pin', 'enter 100*1', 'say bad-pin+ask-pin', 'enter 100*2'],
        ...['say bad-pin+ask-pin', 'enter 100*1234'],
      ],
    ],
    [
      'three wrong ones: good-bye',
      '. 1# !pin 2# !pin 3# !pin .',
      [
        ...['say ask-pin', 'enter 100*1', 'say bad-pin+ask-pin', 'enter 100*2'],
        ...['say bad-pin+ask-pin', 'enter 100*3', 'say bad-pin+goodbye', 'end pin-refused'],
      ],
    ],
    [
      '"#" alone counts as a try',
      '. # # # ~',
      ['say ask-pin', 'say ask-pin', 'say ask-pin', 'say goodbye', 'end pin-refused'],
    ],
    ['a key after the last "#" is passed over', '. 1#23 + 4', ['say ask-pin', 'enter 100*1']],
  ])('%s', (_name, keys, expected) => {
    expect(run(keys, '100')).toEqual(expected);
  });

  it('a key ends the question at once, and the time for the next one begins', () => {
    const dialogue = new Dialogue('100' as RoomNumber);
    dialogue.start();

    expect(dialogue.handle({ type: 'key', key: '1' }).map(shown)).toEqual(['hush', 'wait 5']);
  });
});
