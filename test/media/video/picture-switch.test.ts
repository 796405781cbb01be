import { describe, expect, it } from '@jest/globals';
import {
  nextSwitch,
  type SwitchAction,
  type SwitchEvent,
  type SwitchState,
} from '../../../media/video/picture-switch.ts';

/** Where the events lead, and all that was done on the way. */
function play(...events: SwitchEvent[]): { state: SwitchState; actions: SwitchAction[] } {
  let state: SwitchState = 'black';
  const actions: SwitchAction[] = [];
  for (const event of events) {
    const transition = nextSwitch(state, event);
    if (transition === undefined) continue;
    state = transition.to;
    actions.push(...transition.actions);
  }

  return { state, actions };
}

describe('switching at key frames', () => {
  it('the old source goes on until the new one has sent a key frame', () => {
    expect(play('want', 'key-frame', 'want')).toEqual({
      state: 'switching',
      actions: ['ask', 'cut', 'ask'],
    });
    expect(play('want', 'key-frame', 'want', 'key-frame')).toEqual({
      state: 'showing',
      actions: ['ask', 'cut', 'ask', 'end', 'cut'],
    });
  });

  it('who is wanted no longer is dropped for the next', () => {
    expect(play('want', 'want').actions).toEqual(['ask', 'drop', 'ask']);
    expect(play('want', 'key-frame', 'want', 'want-shown')).toEqual({
      state: 'showing',
      actions: ['ask', 'cut', 'ask', 'drop'],
    });
  });

  it('a source that sends no key frame is given up: the old one stays', () => {
    expect(play('want', 'key-frame', 'want', 'give-up')).toEqual({
      state: 'showing',
      actions: ['ask', 'cut', 'ask', 'avoid', 'drop'],
    });
    expect(play('want', 'give-up')).toEqual({
      state: 'black',
      actions: ['ask', 'avoid', 'drop', 'blacken'],
    });
  });

  it('when the source ends its last picture stays for a moment, then it is black', () => {
    expect(play('want', 'key-frame', 'gone').actions).toEqual(['ask', 'cut', 'end', 'freeze']);
    expect(play('want', 'key-frame', 'want', 'gone', 'key-frame')).toEqual({
      state: 'showing',
      actions: ['ask', 'cut', 'ask', 'end', 'freeze', 'cut'],
    });
    expect(play('want', 'key-frame', 'want-none')).toEqual({
      state: 'black',
      actions: ['ask', 'cut', 'end', 'blacken'],
    });
  });

  it('never shows or closes what it did not open', () => {
    const events: SwitchEvent[] = [
      'want',
      'want-shown',
      'want-none',
      'key-frame',
      'gone',
      'give-up',
    ];
    const run = (state: SwitchState, asked: number, shown: number, depth: number): void => {
      expect([asked, shown]).toEqual(
        { black: [0, 0], awaiting: [1, 0], showing: [0, 1], switching: [1, 1] }[state],
      );
      if (depth === 0) return;
      for (const event of events) {
        const transition = nextSwitch(state, event);
        if (transition === undefined) continue;
        let [open, visible] = [asked, shown];
        for (const action of transition.actions) {
          if (action === 'ask') open++;
          if (action === 'drop') open--;
          if (action === 'end') visible--;
          if (action === 'cut') [open, visible] = [open - 1, visible + 1];
        }
        run(transition.to, open, visible, depth - 1);
      }
    };
    run('black', 0, 0, 5);
  });
});
