import { describe, expect, it } from '@jest/globals';
import { MAX_ROOM_NUMBER_LENGTH, dial } from '../../server/dial-plan.ts';

describe('dial', () => {
  it('takes digits and names of [a-z0-9-]', () => {
    expect(dial('1000')).toEqual({ ok: true, room: '1000' });
    expect(dial('daily-stand-up2')).toEqual({ ok: true, room: 'daily-stand-up2' });
  });

  it('folds upper case', () => {
    expect(dial('Daily')).toEqual({ ok: true, room: 'daily' });
  });

  it('reads a PIN after a star', () => {
    expect(dial('1000*4321')).toEqual({ ok: true, room: '1000', pin: '4321' });
  });

  it.each(['1000*', '1000*12a4', '1000*12*34', `1000*${'1'.repeat(17)}`])(
    'refuses the PIN of %s',
    (text) => {
      expect(dial(text)).toEqual({ ok: false, reason: 'bad-pin' });
    },
  );

  it.each([
    ['', 'empty'],
    ['*1234', 'empty'],
    ['a b', 'bad-characters'],
    ['a/../b', 'bad-characters'],
    ['-a', 'bad-characters'],
    ['räum', 'bad-characters'],
    ['1000\n', 'bad-characters'],
    ['0', 'reserved'],
    ['1'.repeat(MAX_ROOM_NUMBER_LENGTH + 1), 'too-long'],
  ])('refuses %j as %s', (text, reason) => {
    expect(dial(text)).toEqual({ ok: false, reason });
  });

  it('takes the longest number', () => {
    expect(dial('1'.repeat(MAX_ROOM_NUMBER_LENGTH)).ok).toBe(true);
  });
});
