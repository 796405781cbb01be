/**
 * Whether, and when, a call is changed by us. `gathering`: something is different and the window for more
 * is open; `exchanging`: our offer is on its way; `resting`: it was refused and is tried again later;
 * `resigned`: this peer takes no changes of ours, and is served as it is.
 */
export type NegotiationState =
  'settled' | 'gathering' | 'exchanging' | 'resting' | 'resigned' | 'closed';

export type NegotiationEvent =
  /** What the call depends on is different. */
  | 'change'
  /** The window, or the rest, is over. */
  | 'due'
  /** The call has what is wanted of it. */
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
  settled: { change: 'gathering', close: 'closed' },
  gathering: { change: 'gathering', due: 'exchanging', moot: 'settled', close: 'closed' },
  // What is wanted meanwhile is sent after it: one offer at a time (RFC 3264 4).
  exchanging: {
    change: 'exchanging',
    moot: 'settled',
    accept: 'settled',
    refuse: 'resting',
    resign: 'resigned',
    close: 'closed',
  },
  resting: { change: 'resting', due: 'exchanging', moot: 'settled', close: 'closed' },
  resigned: { change: 'resigned', close: 'closed' },
  closed: {},
};

/** The state after the event; undefined when it has no place there. */
export function nextNegotiationState(
  state: NegotiationState,
  event: NegotiationEvent,
): NegotiationState | undefined {
  return TRANSITIONS[state][event];
}
