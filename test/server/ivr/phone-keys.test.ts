import { describe, expect, it } from '@jest/globals';
import { KeyReader } from '../../../server/ivr/phone-keys.ts';

function read(keys: string, pause = 100): (string | undefined)[] {
  const reader = new KeyReader();

  return [...keys].map((key, i) => reader.press(key, i * pause));
}

describe('keys in a room', () => {
  it.each([
    ['*6', 'mute'],
    ['*5', 'hand'],
    ['*1', 'count'],
    ['*4', 'louder'],
    ['*7', 'softer'],
    ['**', 'help'],
    ['*2', 'lock'],
    ['*3', 'mute-all'],
    ['*8', 'let-in'],
    ['*9', 'end'],
    ['*0', 'unknown'],
  ])('%s is "%s"', (keys, command) => {
    expect(read(keys)).toEqual([undefined, command]);
  });

  it('a key without a star means nothing', () => {
    expect(read('9642')).toEqual([undefined, undefined, undefined, undefined]);
  });

  it('a star that nothing followed in time is forgotten', () => {
    expect(read('*9', 5000)).toEqual([undefined, undefined]);
  });

  it('"**" is complete: the next key begins anew', () => {
    expect(read('**9')).toEqual([undefined, 'help', undefined]);
  });
});
