/**
 * Whether, and when, a call is changed by us. `gathering`: a change is wanted and the window for more
 * is open; `exchanging`: our offer is on its way; `resting`: it was refused and is tried again later;
 * `resigned`: this peer takes no changes of ours, and is served as it is.
 */
export type NegotiationState =
  'settled' | 'gathering' | 'exchanging' | 'resting' | 'resigned' | 'closed';

export type NegotiationEvent =
  /** What is wanted of the call is not what it has. */
  | 'want'
  /** The window, or the rest, is over. */
  | 'due'
  /** What was wanted is not wanted any more, or the call has it already. */
  | 'moot'
  | 'accept'
  /** Refused, and worth another try later. */
  | 'refuse'
  /** Refused for good. */
  | 'resign'
  | 'close';

const TRANSITIONS: Readonly<
  Record<NegotiationState, Partial<Record<NegotiationEvent, NegotiationState>>>
> = {
  settled: { want: 'gathering', close: 'closed' },
  gathering: { want: 'gathering', due: 'exchanging', moot: 'settled', close: 'closed' },
  // What is wanted meanwhile is sent after it: one offer at a time (RFC 3264 4).
  exchanging: {
    want: 'exchanging',
    moot: 'settled',
    accept: 'settled',
    refuse: 'resting',
    resign: 'resigned',
    close: 'closed',
  },
  resting: { want: 'resting', due: 'exchanging', close: 'closed' },
  resigned: { want: 'resigned', close: 'closed' },
  closed: {},
};

/** The state after the event; undefined when it has no place there. */
export function nextNegotiationState(
  state: NegotiationState,
  event: NegotiationEvent,
): NegotiationState | undefined {
  return TRANSITIONS[state][event];
}
