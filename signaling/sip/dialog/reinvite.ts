/** Changes of a running session: the two sides of a re-INVITE and their collisions (RFC 3261 14). */
import { TimerSet, toError } from '../../../base/index.ts';
import { buildResponse, isSuccess, type SipRequest, type SipResponse } from '../message/index.ts';
import type { ClientFailure, ServerTransaction } from '../transaction/index.ts';
import type { Dialog } from './dialog.ts';
import { nextHop } from './next-hop.ts';
import type { OfferAnswerState } from './offer-answer-state.ts';
import {
  SDP_TYPE,
  sdpBody,
  type ReofferOutcome,
  type Resendable,
  type SessionContext,
} from './session-context.ts';

/** RFC 3261 14.2: "a Retry-After header field with a randomly chosen value of between 0 and 10 s". */
const RETRY_AFTER_MAX = 10;
/** Glare that does not end is given up; the session goes on unchanged. */
const MAX_ATTEMPTS = 5;

/** What both sides ask of their session. */
export interface ReinviteHost {
  readonly offerAnswer: OfferAnswerState;
  /** The first INVITE of the dialog has no final response yet. */
  readonly isUnanswered: boolean;
  /** An INVITE of ours has no final response yet. */
  readonly isInviting: boolean;
  reoffer(offer: string | undefined, request: SipRequest): ReofferOutcome | Promise<ReofferOutcome>;
  /** Sends the 2xx until its ACK comes. */
  succeed(transaction: ServerTransaction, sdp: string): void;
  /** A re-INVITE of theirs is being answered. */
  readonly isAnswering: boolean;
  /** 481, 408 or no answer to ours: the dialog is dead (12.2.1.2). */
  lost(response: SipResponse | undefined): void;
}

/** Their re-INVITEs: one at a time. */
export class ReinviteServer {
  readonly #context: SessionContext;
  readonly #host: ReinviteHost;
  #pending: ServerTransaction | undefined;

  constructor(context: SessionContext, host: ReinviteHost) {
    this.#context = context;
    this.#host = host;
  }

  get isPending(): boolean {
    return this.#pending !== undefined;
  }

  receive(transaction: ServerTransaction): void {
    const refusal = this.#refusal();
    if (refusal !== undefined) {
      this.#refuse(transaction, refusal);
      return;
    }
    this.#pending = transaction;
    const { request } = transaction;
    const offer = sdpBody(request);
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

  /** The session ends: "the UAS … still pending requests … 487 (Request Terminated)" (15.1.2). */
  terminate(): void {
    const transaction = this.#pending;
    this.#pending = undefined;
    if (transaction?.isPending) transaction.respond(buildResponse(transaction.request, 487));
  }

  /**
   * 14.2: a second INVITE before the first is answered gets 500; "a UAS that receives an INVITE on a
   * dialog while an INVITE it had sent on that dialog is in progress MUST return a 491". The same
   * holds for offers open in either direction (RFC 6337 3).
   */
  #refusal(): number | undefined {
    const { isInviting, isUnanswered, offerAnswer } = this.#host;
    const { phase } = offerAnswer;
    if (isUnanswered || this.isPending || phase === 'haveRemoteOffer') return 500;
    if (isInviting || phase === 'haveLocalOffer') return 491;

    return undefined;
  }

  #refuse(transaction: ServerTransaction, status: number): void {
    const seconds = Math.floor(this.#context.random() * (RETRY_AFTER_MAX + 1));
    const headers: [string, string][] = status === 500 ? [['Retry-After', String(seconds)]] : [];
    transaction.respond(buildResponse(transaction.request, status, { headers }));
  }

  #fail(transaction: ServerTransaction, offer: string | undefined, error: unknown): void {
    this.#context.logger.error({ err: toError(error) }, 're-INVITE failed');
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
      return;
    }
    // "the session description … remains as before" (14.2).
    if (offer !== undefined) offerAnswer.apply('abandon');
    const { status, reason, headers } = outcome;
    transaction.respond(buildResponse(transaction.request, status, { reason, headers }));
  }
}

/** How our own re-INVITE ended. The session stays unchanged unless there is an answer. */
export type ReinviteOutcome =
  | { readonly answer: string }
  /** The far end's status; 408 for silence, 487 when the session ended meanwhile. */
  | { readonly status: number };

/** Our re-INVITEs: one at a time, repeated after glare. */
export class ReinviteClient {
  readonly #context: SessionContext;
  readonly #dialog: Dialog;
  readonly #host: ReinviteHost;
  readonly #timers: TimerSet<'retry'>;
  #isInviting = false;
  #open: { offer: () => string; resolve: (outcome: ReinviteOutcome) => void } | undefined;
  #attempts = 0;

  constructor(context: SessionContext, dialog: Dialog, host: ReinviteHost) {
    this.#context = context;
    this.#dialog = dialog;
    this.#host = host;
    this.#timers = new TimerSet(context.clock);
  }

  /** An INVITE of ours has no final response yet; false while a retry is waited for. */
  get isInviting(): boolean {
    return this.#isInviting;
  }

  /** `offer` is called for each attempt, as a re-INVITE of theirs may succeed between two. */
  start(offer: () => string): Promise<ReinviteOutcome> {
    if (this.#open !== undefined) throw new TypeError('a re-INVITE is open already');
    this.#attempts = 0;

    return new Promise((resolve) => {
      this.#open = { offer, resolve };
      this.#send();
    });
  }

  close(): void {
    this.#timers.close();
    this.#settle({ status: 487 });
  }

  #send(): void {
    if (this.#open === undefined) return;
    const { offerAnswer, isAnswering } = this.#host;
    if (isAnswering || !offerAnswer.apply('sendOffer')) {
      this.#retryLater();
      return;
    }
    this.#isInviting = true;
    const request = this.#dialog.createRequest('INVITE', {
      contact: this.#context.contact,
      headers: this.#context.requestHeaders,
      body: { type: SDP_TYPE, content: this.#open.offer() },
    });
    let ack: Resendable | undefined;
    this.#context.sender.request(request, nextHop(this.#dialog), {
      onResponse: (response) => {
        if (isSuccess(response.status)) {
          // Every 2xx gets its ACK, repeated ones the same (13.2.2.4), even after our own BYE.
          if (ack === undefined) {
            this.#dialog.refreshTarget(response);
            ack = this.#sendAck(request);
            this.#succeed(response);
          } else {
            ack.send(ignoreLoss);
          }
        } else if (response.status >= 300) {
          this.#refused(response);
        }
      },
      onFailure: (failure) => this.#failed(failure),
    });
  }

  #sendAck(invite: SipRequest): Resendable {
    const ack = this.#dialog.createAck(invite.cseq.sequence);

    return this.#context.sender.sendAck(ack, nextHop(this.#dialog));
  }

  #succeed(response: SipResponse): void {
    this.#isInviting = false;
    const answer = sdpBody(response);
    if (answer === undefined) {
      this.#host.offerAnswer.apply('abandon');
      this.#settle({ status: response.status });
      return;
    }
    this.#host.offerAnswer.apply('receiveAnswer');
    this.#settle({ answer });
  }

  #refused(response: SipResponse): void {
    this.#isInviting = false;
    this.#host.offerAnswer.apply('abandon');
    const { status } = response;
    if (status === 491) {
      this.#retryLater();
      return;
    }
    this.#settle({ status });
    if (status === 481 || status === 408) this.#host.lost(response);
  }

  #failed(failure: ClientFailure): void {
    this.#isInviting = false;
    this.#host.offerAnswer.apply('abandon');
    this.#context.logger.debug({ failure }, 're-INVITE unanswered');
    this.#settle({ status: failure === 'timeout' ? 408 : 503 });
    this.#host.lost(undefined);
  }

  #retryLater(): void {
    this.#attempts += 1;
    if (this.#attempts >= MAX_ATTEMPTS) {
      this.#settle({ status: 491 });
      return;
    }
    this.#timers.start('retry', this.#glareDelay(), () => this.#send());
  }

  /**
   * RFC 3261 14.1: the owner of the Call-ID waits "between 2.1 and 4 seconds in units of 10 ms", the
   * other side "between 0 and 2 seconds in units of 10 ms".
   */
  #glareDelay(): number {
    const [from, to] = this.#dialog.isCaller ? [210, 400] : [0, 200];

    return 10 * (from + Math.floor(this.#context.random() * (to - from + 1)));
  }

  #settle(outcome: ReinviteOutcome): void {
    const open = this.#open;
    this.#open = undefined;
    open?.resolve(outcome);
  }
}

/** An ACK that is lost again is asked for again by the next 2xx. */
function ignoreLoss(): void {
  // Nothing to do.
}
