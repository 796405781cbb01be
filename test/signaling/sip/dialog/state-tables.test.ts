import { describe, expect, it } from '@jest/globals';
import {
  nextSessionState,
  OfferAnswerState,
  type OfferAnswerEvent,
} from '../../../../signaling/sip/dialog/index.ts';

describe('offers and answers (RFC 3264 4, RFC 6337)', () => {
  function after(...events: OfferAnswerEvent[]): OfferAnswerState {
    const state = new OfferAnswerState();
    for (const event of events) state.apply(event);

    return state;
  }

  it('3264-4-a no offer in either direction while one is open', () => {
    for (const open of ['sendOffer', 'receiveOffer'] as const) {
      expect(after(open).may('sendOffer')).toBe(false);
      expect(after(open).may('receiveOffer')).toBe(false);
    }
  });

  it('an answer closes the other side’s offer only', () => {
    expect(after('sendOffer', 'receiveAnswer').phase).toBe('stable');
    expect(after('receiveOffer', 'sendAnswer').phase).toBe('stable');
    expect(after('sendOffer', 'sendAnswer').phase).toBe('haveLocalOffer');
    expect(after('receiveAnswer').apply('receiveAnswer')).toBe(false);
  });

  it('a failed request gives its offer up', () => {
    expect(after('sendOffer', 'abandon').phase).toBe('stable');
    expect(after('receiveOffer', 'abandon').phase).toBe('stable');
  });
});

describe('the session (RFC 3261 15)', () => {
  it('3261-15.1.1-a has no way from accepted to terminating but ACK or its timeout', () => {
    expect(nextSessionState('accepted', 'hangUp')).toBe('leaving');
    expect(nextSessionState('leaving', 'ack')).toBe('terminating');
    expect(nextSessionState('leaving', 'ackTimeout')).toBe('terminating');
    expect(nextSessionState('leaving', 'hangUp')).toBeUndefined();
  });

  it('cannot leave terminated', () => {
    expect(nextSessionState('terminated', 'accept')).toBeUndefined();
    expect(nextSessionState('terminated', 'remoteBye')).toBeUndefined();
  });

  it('3261-9.2-a takes CANCEL only before the answer', () => {
    expect(nextSessionState('proceeding', 'cancel')).toBe('terminated');
    expect(nextSessionState('accepted', 'cancel')).toBeUndefined();
  });
});
