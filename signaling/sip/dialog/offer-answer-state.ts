/** Whose offer is open in a session (RFC 3264 4, RFC 6337 2 and 3). */
export type OfferAnswerPhase = 'stable' | 'haveLocalOffer' | 'haveRemoteOffer';
export type OfferAnswerEvent =
  | 'sendOffer'
  | 'receiveOffer'
  | 'sendAnswer'
  | 'receiveAnswer'
  /** The offer's request failed, or its answer never came: the session stays as it was. */
  | 'abandon';

const TRANSITIONS: Readonly<
  Record<OfferAnswerPhase, Partial<Record<OfferAnswerEvent, OfferAnswerPhase>>>
> = {
  stable: { sendOffer: 'haveLocalOffer', receiveOffer: 'haveRemoteOffer', abandon: 'stable' },
  haveLocalOffer: { receiveAnswer: 'stable', abandon: 'stable' },
  haveRemoteOffer: { sendAnswer: 'stable', abandon: 'stable' },
};

/** "Neither side can generate a new offer while one is open" (RFC 3264 4): the table allows no such. */
export class OfferAnswerState {
  #phase: OfferAnswerPhase = 'stable';

  get phase(): OfferAnswerPhase {
    return this.#phase;
  }

  may(event: OfferAnswerEvent): boolean {
    return TRANSITIONS[this.#phase][event] !== undefined;
  }

  /** False when the event has no place in the phase; nothing changes then. */
  apply(event: OfferAnswerEvent): boolean {
    const next = TRANSITIONS[this.#phase][event];
    if (next === undefined) return false;
    this.#phase = next;

    return true;
  }
}
