/** What a refused re-INVITE means for the next one (RFC 3261 14.1, 21). */

/** `again`: worth another try later; `never`: this peer takes none; `ended`: there is no call any more. */
export type Refusal = 'again' | 'never' | 'ended';

/**
 * 405 and 501: the method itself; 406, 413, 415, 420, 421, 493: our message as such; 603: the user said no.
 * A 200 without a description answered nothing.
 */
const NEVER: ReadonlySet<number> = new Set([200, 405, 406, 413, 415, 420, 421, 493, 501, 603]);

/** "If the response for a request within a dialog is a 481 … or a 408 …, the UAC SHOULD terminate the dialog" (12.2.1.2). */
const ENDED: ReadonlySet<number> = new Set([408, 481, 487]);

export function judgeRefusal(status: number): Refusal {
  if (ENDED.has(status)) return 'ended';

  return NEVER.has(status) ? 'never' : 'again';
}
