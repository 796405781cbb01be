/** What Parley says, and which recordings say it: the file names of Asterisk's core sounds. */

/** Each is one file, or several in a row; a custom file `DATA_DIR/prompts/<name>.wav` takes its place. */
export const PROMPTS = {
  'ask-room': ['conf-getconfno'],
  'ask-pin': ['conf-getpin'],
  'bad-room': ['conf-invalid'],
  'bad-pin': ['conf-invalidpin'],
  goodbye: ['vm-goodbye'],
  entering: ['conf-placeintoconf'],
  'wait-for-host': ['conf-waitforleader'],
  'room-locked': ['conf-locked'],
  'room-full': ['conf-full'],
  'only-one': ['conf-onlyperson'],
  'there-are': ['confbridge-there-are'],
  participants: ['confbridge-participants'],
  muted: ['conf-muted'],
  unmuted: ['conf-unmuted'],
  'all-muted': ['conf-now-muted'],
  'locked-now': ['conf-lockednow'],
  'unlocked-now': ['conf-unlockednow'],
  removed: ['conf-kicked'],
  ended: ['confbridge-conf-end'],
  'hand-raised': ['ascending-2tone'],
  'hand-lowered': ['descending-2tone'],
  invalid: ['beeperr'],
  help: [
    ...['vm-press', 'digits/star', 'digits/6', 'confbridge-mute-out'],
    ...['vm-press', 'digits/star', 'digits/4', 'confbridge-inc-list-vol-out'],
    ...['vm-press', 'digits/star', 'digits/7', 'confbridge-dec-list-vol-out'],
  ],
  'help-host': ['vm-press', 'digits/star', 'digits/2', 'confbridge-lock-out'],
} as const satisfies Record<string, readonly string[]>;

export type PromptName = keyof typeof PROMPTS;

/** A number is spoken as one, digits one by one. */
export type PromptItem = PromptName | { number: number };

/** What is heard where a recording is missing: beeps, told by pitch (Hz) and length (ms). */
export const FALLBACK_TONES: Readonly<Record<PromptName, readonly (readonly [number, number])[]>> =
  {
    'ask-room': [[700, 300]],
    'ask-pin': [
      [700, 150],
      [0, 80],
      [700, 150],
    ],
    'bad-room': [
      [400, 200],
      [0, 80],
      [300, 400],
    ],
    'bad-pin': [
      [400, 200],
      [0, 80],
      [300, 400],
    ],
    goodbye: [
      [600, 150],
      [450, 150],
      [300, 300],
    ],
    entering: [[900, 150]],
    'wait-for-host': [
      [500, 150],
      [0, 80],
      [500, 150],
    ],
    'room-locked': [[300, 600]],
    'room-full': [[300, 600]],
    'only-one': [[500, 200]],
    'there-are': [[0, 100]],
    participants: [[0, 100]],
    muted: [[350, 200]],
    unmuted: [[900, 200]],
    'all-muted': [
      [350, 150],
      [0, 60],
      [350, 150],
    ],
    'locked-now': [
      [600, 120],
      [350, 200],
    ],
    'unlocked-now': [
      [350, 120],
      [600, 200],
    ],
    removed: [[300, 500]],
    ended: [[300, 500]],
    'hand-raised': [
      [500, 120],
      [800, 180],
    ],
    'hand-lowered': [
      [800, 120],
      [500, 180],
    ],
    invalid: [[250, 250]],
    help: [[700, 100]],
    'help-host': [[700, 100]],
  };
