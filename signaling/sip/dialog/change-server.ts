/** Changes of the session that the far end asks for (RFC 3261 14.2, RFC 3311 5.2, RFC 3262 5). */
import { toError } from '../../../base/index.ts';
import { buildResponse, type SipRequest } from '../message/index.ts';
import type { ServerTransaction } from '../transaction/index.ts';
import type { OfferAnswerState } from './offer-answer-state.ts';
import { sdpBody, type ReofferOutcome, type SessionContext } from './session-context.ts';

/** "a Retry-After header field with a randomly chosen value of between 0 and 10 seconds" (14.2). */
const RETRY_AFTER_MAX = 10;

/** What it asks of its session. */
export interface ChangeServerHost {
  readonly offerAnswer: OfferAnswerState;
  /** The first INVITE of the dialog has no final response yet. */
  readonly isUnanswered: boolean;
  /** An INVITE of ours has no final response yet. */
  readonly isInviting: boolean;
  /** The first offer of the session has its answer. */
  readonly isDescribed: boolean;
  reoffer(offer: string | undefined, request: SipRequest): ReofferOutcome | Promise<ReofferOutcome>;
  /** Sends the 2xx; that of an INVITE until its ACK comes. */
  succeed(transaction: ServerTransaction, sdp: string | undefined): void;
  /** What was pending has its answer. */
  settled(): void;
}

/** Their re-INVITEs, UPDATEs, and PRACKs with an offer: one at a time. */
export class ChangeServer {
  readonly #context: SessionContext;
  readonly #host: ChangeServerHost;
  #pending: ServerTransaction | undefined;

  constructor(context: SessionContext, host: ChangeServerHost) {
    this.#context = context;
    this.#host = host;
  }

  get isPending(): boolean {
    return this.#pending !== undefined;
  }

  receive(transaction: ServerTransaction): void {
    const { request } = transaction;
    const offer = sdpBody(request);
    // A refresh: nothing is asked (RFC 3311 5.2, RFC 5407 3.3.2: "both 200").
    if (offer === undefined && request.method !== 'INVITE') {
      if (request.method === 'UPDATE' && this.#isUpdating) this.#refuse(transaction, 500);
      else this.#host.succeed(transaction, undefined);
      return;
    }
    const refusal = this.#refusal(request.method);
    if (refusal !== undefined) {
      this.#refuse(transaction, refusal);
      return;
    }
    this.#pending = transaction;
    if (offer !== undefined) this.#host.offerAnswer.apply('receiveOffer');
    try {
      const outcome = this.#host.reoffer(offer, request);
      if (outcome instanceof Promise) {
        outcome.then(
          (value) => this.#finish(transaction, offer, value),
          (error: unknown) => this.#fail(transaction, offer, error),
        );
      } else {
        this.#finish(transaction, offer, outcome);
      }
    } catch (error) {
      this.#fail(transaction, offer, error);
    }
  }

  /**
   * "A UAS that receives an UPDATE before it has generated a final response to a previous UPDATE on the
   * same dialog MUST return a 500" (RFC 3311 5.2), also to one that asks for nothing.
   */
  get #isUpdating(): boolean {
    return this.#pending?.request.method === 'UPDATE';
  }

  /** The session ends: "the UAS … still pending requests … 487 (Request Terminated)" (15.1.2). */
  terminate(): void {
    const transaction = this.#pending;
    this.#pending = undefined;
    if (transaction?.isPending) transaction.respond(buildResponse(transaction.request, 487));
  }

  /**
   * 14.2: a second INVITE before the first is answered gets 500; "a UAS that receives an INVITE on a
   * dialog while an INVITE it had sent on that dialog is in progress MUST return a 491". The same
   * holds for offers open in either direction (RFC 6337 3) and for UPDATE (RFC 3311 5.2).
   */
  #refusal(method: string): 500 | 491 | undefined {
    const { isInviting, isUnanswered, isDescribed, offerAnswer } = this.#host;
    const { phase } = offerAnswer;
    if (this.isPending || phase === 'haveRemoteOffer') return 500;
    if (isUnanswered && method === 'INVITE') return 500;
    if ((isInviting && method === 'INVITE') || phase === 'haveLocalOffer') return 491;
    if (isUnanswered && !isDescribed) return 500;

    return undefined;
  }

  #refuse(transaction: ServerTransaction, status: 500 | 491): void {
    const seconds = Math.floor(this.#context.random() * (RETRY_AFTER_MAX + 1));
    const headers: [string, string][] = status === 500 ? [['Retry-After', String(seconds)]] : [];
    transaction.respond(buildResponse(transaction.request, status, { headers }));
  }

  #fail(transaction: ServerTransaction, offer: string | undefined, error: unknown): void {
    const { method } = transaction.request;
    this.#context.logger.error({ err: toError(error), method }, 'a change of the session failed');
    this.#finish(transaction, offer, { status: 500 });
  }

  #finish(
    transaction: ServerTransaction,
    offer: string | undefined,
    outcome: ReofferOutcome,
  ): void {
    if (this.#pending !== transaction) return;
    this.#pending = undefined;
    const { offerAnswer } = this.#host;
    if ('sdp' in outcome) {
      offerAnswer.apply(offer === undefined ? 'sendOffer' : 'sendAnswer');
      this.#host.succeed(transaction, outcome.sdp);
    } else {
      // "the session description … remains as before" (14.2).
      if (offer !== undefined) offerAnswer.apply('abandon');
      const { status, reason, headers } = outcome;
      transaction.respond(buildResponse(transaction.request, status, { reason, headers }));
    }
    this.#host.settled();
  }
}
