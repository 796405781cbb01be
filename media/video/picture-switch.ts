/**
 * How a phone's picture goes from one source to the next: the old one goes on until the new one has sent a
 * key frame, as nothing of it can be decoded before. A transition table; what its actions do is the owner's.
 */

/**
 * `black`: nothing is shown. `awaiting`: nothing is shown, a source is asked for a key frame. `showing`.
 * `switching`: one is shown, the next is asked for a key frame.
 */
export type SwitchState = 'black' | 'awaiting' | 'showing' | 'switching';

/**
 * `want`: another source than the one shown is to be shown. `want-shown`: the one shown. `want-none`.
 * `key-frame`: of the source that was asked. `gone`: the one shown ended. `give-up`: it was asked for too
 * long.
 */
export type SwitchEvent = 'want' | 'want-shown' | 'want-none' | 'key-frame' | 'gone' | 'give-up';

/**
 * `ask`: open the wanted source. `drop`: close the one that was asked. `end`: close the one shown. `cut`:
 * what was asked is shown from now on. `avoid`: do not ask this one for a while. `blacken`: show black.
 * `freeze`: the last picture stays for a moment, as the next one is near.
 */
export type SwitchAction = 'ask' | 'drop' | 'end' | 'cut' | 'avoid' | 'blacken' | 'freeze';

interface Transition {
  readonly to: SwitchState;
  readonly actions: readonly SwitchAction[];
}

const TABLE: Record<SwitchState, Partial<Record<SwitchEvent, Transition>>> = {
  black: {
    want: { to: 'awaiting', actions: ['ask'] },
  },
  awaiting: {
    want: { to: 'awaiting', actions: ['drop', 'ask'] },
    'want-none': { to: 'black', actions: ['drop', 'blacken'] },
    'key-frame': { to: 'showing', actions: ['cut'] },
    'give-up': { to: 'black', actions: ['avoid', 'drop', 'blacken'] },
  },
  showing: {
    want: { to: 'switching', actions: ['ask'] },
    'want-none': { to: 'black', actions: ['end', 'blacken'] },
    gone: { to: 'black', actions: ['end', 'freeze'] },
  },
  switching: {
    want: { to: 'switching', actions: ['drop', 'ask'] },
    'want-shown': { to: 'showing', actions: ['drop'] },
    'want-none': { to: 'black', actions: ['drop', 'end', 'blacken'] },
    'key-frame': { to: 'showing', actions: ['end', 'cut'] },
    gone: { to: 'awaiting', actions: ['end', 'freeze'] },
    'give-up': { to: 'showing', actions: ['avoid', 'drop'] },
  },
};

/** Undefined: the event means nothing in this state. */
export function nextSwitch(state: SwitchState, event: SwitchEvent): Transition | undefined {
  return TABLE[state][event];
}
