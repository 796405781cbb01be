/**
 * The life of a call as its INVITE session sees it (RFC 3261 13 to 15). `early`: ours, without its 2xx;
 * `proceeding`: theirs, without it; `accepted`: our 2xx is out
 * and its ACK awaited; `leaving`: we want to end but "the callee's UA MUST NOT send a BYE on a
 * confirmed dialog until it has received an ACK for its 2xx response or until the server transaction
 * times out" (15); `terminating`: our BYE is out.
 */
export type SessionState =
  'early' | 'proceeding' | 'accepted' | 'confirmed' | 'leaving' | 'terminating' | 'terminated';

export type SessionEvent =
  | 'confirm'
  | 'accept'
  | 'reject'
  | 'cancel'
  | 'ack'
  | 'ackTimeout'
  | 'hangUp'
  | 'remoteBye'
  | 'byeAnswered'
  /** The far end or the way to it is gone: 481 or 408 to a request of ours (12.2.1.2). */
  | 'lost';

const TRANSITIONS: Readonly<Record<SessionState, Partial<Record<SessionEvent, SessionState>>>> = {
  early: { confirm: 'confirmed', remoteBye: 'terminated', lost: 'terminated' },
  proceeding: {
    accept: 'accepted',
    reject: 'terminated',
    cancel: 'terminated',
    remoteBye: 'terminated',
    lost: 'terminated',
  },
  accepted: {
    ack: 'confirmed',
    ackTimeout: 'terminating',
    hangUp: 'leaving',
    remoteBye: 'terminated',
    lost: 'terminated',
  },
  confirmed: {
    ackTimeout: 'terminating',
    hangUp: 'terminating',
    remoteBye: 'terminated',
    lost: 'terminated',
  },
  leaving: {
    ack: 'terminating',
    ackTimeout: 'terminating',
    remoteBye: 'terminated',
    lost: 'terminated',
  },
  // Crossing BYEs: each gets its 200 (RFC 5407 3.2.1).
  terminating: { remoteBye: 'terminating', byeAnswered: 'terminated', lost: 'terminated' },
  terminated: {},
};

/** The state after the event; undefined when it has no place there. */
export function nextSessionState(
  state: SessionState,
  event: SessionEvent,
): SessionState | undefined {
  return TRANSITIONS[state][event];
}
