/** Changes and refreshes of a running session that we ask for (RFC 3261 14.1, RFC 3311 5.1). */
import { TimerSet } from '../../../base/index.ts';
import { isSuccess, type ExtraHeaders, type SipResponse } from '../message/index.ts';
import type { ClientFailure, ClientTransaction } from '../transaction/index.ts';
import type { Dialog } from './dialog.ts';
import { nextHop } from './next-hop.ts';
import type { OfferAnswerState } from './offer-answer-state.ts';
import { reliableSequence } from './reliable-provisionals.ts';
import { SDP_TYPE, sdpBody, type Resendable, type SessionContext } from './session-context.ts';

/** Glare that does not end is given up; the session goes on unchanged. */
const MAX_ATTEMPTS = 5;
/** Seconds; who wants us to wait longer is not asked again. */
const RETRY_AFTER_MAX = 10;

/** What it asks of its session. */
export interface ChangeClientHost {
  readonly offerAnswer: OfferAnswerState;
  /** A change of theirs is being answered. */
  readonly isAnswering: boolean;
  /** A 2xx to an INVITE of theirs waits for its ACK. */
  readonly awaitsAck: boolean;
  /** Session-Expires and what belongs to it. */
  timerHeaders(): ExtraHeaders;
  /** A 2xx came; `agreed` are the descriptions of both sides. */
  changed(response: SipResponse, agreed: { local: string; remote: string } | undefined): void;
  /** Acknowledges a reliable provisional response. */
  sendPrack(rack: string, sdp: undefined): void;
  /** A 422 came. True when it told how to do better. */
  raiseMinimum(response: SipResponse): boolean;
  /** 481, 408 or no answer to ours: the dialog is dead (12.2.1.2). */
  lost(response: SipResponse | undefined): void;
}

/** How a change of ours ended. The session stays unchanged unless there is an answer. */
export type ReinviteOutcome =
  | { readonly answer: string }
  /**
   * The far end's status; 408 for silence, 487 when the session ended meanwhile, 200 for a change
   * without a description.
   */
  | { readonly status: number };

export type ChangeMethod = 'INVITE' | 'UPDATE';

interface Change {
  readonly method: ChangeMethod;
  readonly offer: (() => string) | undefined;
  readonly resolve: (outcome: ReinviteOutcome) => void;
}

/** One request of a change. */
interface Attempt {
  readonly local: string | undefined;
  /** Their answer in a reliable provisional response: the one that holds (RFC 3261 13.2.1). */
  answer: string | undefined;
  /** RSeq of the last provisional response that was acknowledged. */
  rseq: number | undefined;
}

/** Our re-INVITEs and UPDATEs: one at a time, repeated after glare. */
export class ChangeClient {
  readonly #context: SessionContext;
  readonly #dialog: Dialog;
  readonly #host: ChangeClientHost;
  readonly #timers: TimerSet<'retry'>;
  readonly #queue: Change[] = [];
  #open: Change | undefined;
  #invite: ClientTransaction | undefined;
  #attempts = 0;
  #isHeld = false;
  #isClosed = false;

  constructor(context: SessionContext, dialog: Dialog, host: ChangeClientHost) {
    this.#context = context;
    this.#dialog = dialog;
    this.#host = host;
    this.#timers = new TimerSet(context.clock);
  }

  /** An INVITE of ours has no final response yet; false while a retry is waited for. */
  get isInviting(): boolean {
    return this.#invite !== undefined;
  }

  /** `offer` is called for each attempt, as a change of theirs may succeed between two. */
  start(method: ChangeMethod, offer?: () => string): Promise<ReinviteOutcome> {
    if (this.#isClosed) return Promise.resolve({ status: 487 });

    return new Promise((resolve) => {
      this.#queue.push({ method, offer, resolve });
      this.#next();
    });
  }

  /** The ACK came that a change of ours may have waited for. */
  acknowledged(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.#send();
  }

  close(): void {
    this.#isClosed = true;
    this.#timers.close();
    // Lest it waits for ever for a far end that is gone; without effect once it is answered.
    if (this.#invite !== undefined) this.#context.sender.cancel(this.#invite);
    const open = this.#open === undefined ? this.#queue : [this.#open, ...this.#queue];
    this.#open = undefined;
    for (const { resolve } of open.splice(0)) resolve({ status: 487 });
    this.#queue.length = 0;
  }

  #next(): void {
    if (this.#open !== undefined) return;
    this.#open = this.#queue.shift();
    this.#attempts = 0;
    this.#send();
  }

  #send(): void {
    const change = this.#open;
    if (change === undefined) return;
    const { offerAnswer, isAnswering, awaitsAck } = this.#host;
    // "If there is an ongoing INVITE server transaction, the TU MUST wait until the transaction reaches
    // the confirmed or terminated state before initiating the new INVITE" (RFC 3261 14.1).
    if (change.method === 'INVITE' && awaitsAck) {
      this.#isHeld = true;
      return;
    }
    if (change.offer !== undefined && (isAnswering || !offerAnswer.apply('sendOffer'))) {
      this.#retryIn(this.#glareDelay());
      return;
    }
    const local = change.offer?.();
    const request = this.#dialog.createRequest(change.method, {
      contact: this.#context.contact,
      headers: [...this.#context.requestHeaders, ...this.#host.timerHeaders()],
      body: local === undefined ? undefined : { type: SDP_TYPE, content: local },
    });
    const ack = change.method === 'INVITE' ? this.#acknowledger() : undefined;
    const attempt: Attempt = { local, answer: undefined, rseq: undefined };
    let isDone = false;
    const transaction = this.#context.sender.request(request, nextHop(this.#dialog), {
      onResponse: (response) => {
        if (response.status < 200) {
          if (change.method === 'INVITE' && !isDone) this.#progressed(response, attempt);
          return;
        }
        // Every 2xx gets its ACK, repeated ones the same (13.2.2.4), even after our own BYE.
        if (isSuccess(response.status)) {
          if (!isDone) this.#dialog.refreshTarget(response);
          ack?.(response.cseq.sequence);
        }
        if (isDone) return;
        isDone = true;
        this.#invite = undefined;
        if (isSuccess(response.status)) this.#succeed(response, attempt);
        else this.#refused(response, attempt);
      },
      onFailure: (failure) => this.#failed(failure, attempt),
    });
    if (change.method === 'INVITE') this.#invite = transaction;
  }

  /**
   * RFC 3262 4: a reliable provisional response gets its PRACK, in order and once; it refreshes the target
   * as the 2xx does (RFC 6141 4.6), and its description is the answer.
   */
  #progressed(response: SipResponse, attempt: Attempt): void {
    const rseq = reliableSequence(response);
    if (rseq === undefined || this.#isClosed) return;
    if (attempt.rseq !== undefined && rseq !== attempt.rseq + 1) return;
    attempt.rseq = rseq;
    this.#dialog.refreshTarget(response);
    this.#host.sendPrack(`${String(rseq)} ${String(response.cseq.sequence)} INVITE`, undefined);
    const answer = attempt.local === undefined ? undefined : sdpBody(response);
    if (answer === undefined || attempt.answer !== undefined) return;
    attempt.answer = answer;
    this.#host.offerAnswer.apply('receiveAnswer');
  }

  /**
   * Sends the ACK, the same one each time. Its CSeq is that of the 2xx: the INVITE may have gone out
   * again with credentials, below us.
   */
  #acknowledger(): (sequence: number) => void {
    let ack: Resendable | undefined;

    return (sequence) => {
      if (ack === undefined) {
        const headers = this.#context.ackHeaders;
        const request = this.#dialog.createAck(sequence, { headers });
        ack = this.#context.sender.sendAck(request, nextHop(this.#dialog));
      } else {
        ack.send(ignoreLoss);
      }
    };
  }

  #succeed(response: SipResponse, attempt: Attempt): void {
    const { local } = attempt;
    const answer = local === undefined ? undefined : (attempt.answer ?? sdpBody(response));
    if (answer === undefined) this.#abandon(attempt);
    else if (attempt.answer === undefined) this.#host.offerAnswer.apply('receiveAnswer');
    if (this.#open !== undefined) {
      const isAgreed = local !== undefined && answer !== undefined;
      this.#host.changed(response, isAgreed ? { local, remote: answer } : undefined);
    }
    this.#settle(answer === undefined ? { status: response.status } : { answer });
  }

  /** The offer is open no more, unless it was answered before. */
  #abandon({ local, answer }: Attempt): void {
    if (local !== undefined && answer === undefined) this.#host.offerAnswer.apply('abandon');
  }

  #refused(response: SipResponse, attempt: Attempt): void {
    this.#abandon(attempt);
    const { status } = response;
    const retryAfter = status === 500 ? secondsOf(response.headers.get('Retry-After')) : undefined;
    if (status === 491) {
      this.#retryIn(this.#glareDelay());
    } else if (retryAfter !== undefined && retryAfter <= RETRY_AFTER_MAX) {
      this.#retryIn(1000 * retryAfter);
    } else if (status === 422 && this.#host.raiseMinimum(response)) {
      this.#retryIn(0);
    } else {
      const isLost = status === 481 || status === 408;
      if (isLost) this.#lose({ status }, response);
      else this.#settle({ status });
    }
  }

  #failed(failure: ClientFailure, attempt: Attempt): void {
    this.#invite = undefined;
    this.#abandon(attempt);
    this.#context.logger.debug({ failure }, 'a change of the session is unanswered');
    this.#lose({ status: failure === 'timeout' ? 408 : 503 }, undefined);
  }

  #retryIn(delay: number): void {
    if (this.#open === undefined) return;
    this.#attempts += 1;
    if (this.#attempts >= MAX_ATTEMPTS) this.#settle({ status: 491 });
    else this.#timers.start('retry', delay, () => this.#send());
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
    if (this.#open === undefined) return;
    this.#resolve(outcome);
    this.#next();
  }

  /** The session ends of it, and with it the changes that wait. */
  #lose(outcome: ReinviteOutcome, response: SipResponse | undefined): void {
    this.#resolve(outcome);
    this.#host.lost(response);
  }

  #resolve(outcome: ReinviteOutcome): void {
    const open = this.#open;
    this.#open = undefined;
    open?.resolve(outcome);
  }
}

function secondsOf(value: string | undefined): number | undefined {
  const match = /^\s*(\d{1,9})/.exec(value ?? '');

  return match === null ? undefined : Number(match[1]);
}

/** An ACK that is lost again is asked for again by the next 2xx. */
function ignoreLoss(): void {
  // Nothing to do.
}
