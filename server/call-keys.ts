/** How keys reach a phone: RFC 4733 events, SIP INFO, or tones in its audio. */
export type KeyForm = 'events' | 'info' | 'tones';

/** Digits, `*`, `#` and A to D; `w` waits half a second, `,` two. */
export const KEYS_TO_PRESS = '^[0-9A-Da-d*#,w]{1,64}$';

export interface PressedKeys {
  digits: string;
  form: KeyForm;
}

/** Presses keys in calls, as to another bridge's menu; calls are named by their Call-ID. */
export interface CallKeys {
  /** After those that wait. AppError INVALID_STATE: the phone is in no room or takes no keys, or too many wait. */
  press(callId: string, digits: string): PressedKeys;
}
