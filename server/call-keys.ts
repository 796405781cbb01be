/** How keys reach a phone: RFC 4733 events, SIP INFO, or tones in its audio. */
export type KeyForm = 'events' | 'info' | 'tones';

/** Digits, `*`, `#` and A to D; `w` waits half a second, `,` two. */
export const KEYS_TO_PRESS = '^[0-9A-Da-d*#,w]{1,64}$';

export interface PressedKeys {
  digits: string;
  form: KeyForm;
}

/** How it goes with keys; never which ones they are: they may be somebody's PIN. */
export interface KeyProgress {
  /** In the end, where the phone refused what was tried first; absent: it takes none. */
  form?: KeyForm;
  /** `cut-off`: the call ended, or the phone would not have them, before all were pressed. */
  state: 'pressing' | 'pressed' | 'cut-off';
}

/** Presses keys in calls, as to another bridge's menu; calls are named by their Call-ID. */
export interface CallKeys {
  /** After those that wait. AppError INVALID_STATE: the phone is in no room or takes no keys, or too many wait. */
  press(callId: string, digits: string): PressedKeys;
  /** Of the last that were pressed in a call, also when it is over. */
  find(callId: string): KeyProgress | undefined;
}
