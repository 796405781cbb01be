/** The answers to the INVITE of a call that came in, up to its final one (RFC 3261 13.3, RFC 3262 3). */
import { TimerSet } from '../../../base/index.ts';
import { buildResponse, type ExtraHeaders } from '../message/index.ts';
import type { ServerTransaction } from '../transaction/index.ts';
import type { OfferAnswerState } from './offer-answer-state.ts';
import { ReliableProvisionals } from './reliable-provisionals.ts';
import { SDP_TYPE, sdpBody, type FinalParts, type SessionContext } from './session-context.ts';
import { lists } from './session-timer.ts';

/** RFC 3261 13.3.1.1: "a non-100 provisional response every minute", lest a proxy gives up. */
const PROGRESS_REFRESH = 60_000;

export interface InviteAnswerHost {
  readonly offerAnswer: OfferAnswerState;
  /** A PRACK or UPDATE with an offer is being answered. */
  readonly isAnswering: boolean;
  /** The 2xx may go; without a description when both sides have theirs already. */
  acceptInvite(sdp: string | undefined): void;
  /** The answer to our offer, in a PRACK. */
  answered(answer: string): void;
  /** The descriptions of both sides went through reliable provisional responses. */
  describe(local: string, remote: string | undefined): void;
  /** No PRACK came, or one of no use. */
  reject(status: number): void;
  /** A PRACK without an answer: it may bring an offer. */
  changeByPrack(prack: ServerTransaction): void;
}

export class InviteAnswer {
  readonly transaction: ServerTransaction;
  readonly #context: SessionContext;
  readonly #localTag: string;
  readonly #host: InviteAnswerHost;
  readonly #timers: TimerSet<'progress'>;
  readonly #provisionals: ReliableProvisionals;
  /** A description of ours went out in a reliable provisional response. */
  #described: string | undefined;
  /** The description of a 2xx that waits for a PRACK. */
  #accepting: string | undefined;

  constructor(
    context: SessionContext,
    transaction: ServerTransaction,
    localTag: string,
    host: InviteAnswerHost,
  ) {
    this.transaction = transaction;
    this.#context = context;
    this.#localTag = localTag;
    this.#host = host;
    this.#timers = new TimerSet(context.clock);
    const { clock, times, random } = context;
    // 3262 3: "reject the original request with a 5xx response".
    this.#provisionals = new ReliableProvisionals(clock, times, transaction, random, () =>
      host.reject(504),
    );
    if (sdpBody(transaction.request) !== undefined) host.offerAnswer.apply('receiveOffer');
  }

  /**
   * 101–199, repeated each minute. With `Require: 100rel` always reliable, with `Supported: 100rel`
   * when there is a description in it, which is sent reliably or not at all.
   */
  progress(status: number, headers?: ExtraHeaders, sdp?: string): void {
    const { request } = this.transaction;
    const isRequired = lists(request, 'Require', '100rel');
    const body = this.#described === undefined ? sdp : undefined;
    if (isRequired || (body !== undefined && lists(request, 'Supported', '100rel'))) {
      this.#progressReliably(status, headers, body);
    } else {
      const all = [...this.#context.responseHeaders, ...(headers ?? [])];
      this.respond(status, { headers: all }, this.#context.contact);
    }
    this.#timers.start('progress', PROGRESS_REFRESH, () => this.progress(status, headers));
  }

  /** 2xx, once all that had to be acknowledged is. */
  accept(sdp: string): void {
    this.#timers.stopAll();
    this.#accepting = sdp;
    this.advance();
  }

  /** A PRACK or a change came to its end: what waited for it goes on. */
  advance(): void {
    const sdp = this.#accepting;
    if (sdp === undefined || this.#provisionals.isWaiting || this.#host.isAnswering) return;
    this.#accepting = undefined;
    this.#host.acceptInvite(this.#described === undefined ? sdp : undefined);
  }

  respond(status: number, parts: FinalParts = {}, contact?: string): void {
    const { request } = this.transaction;
    if (status >= 300) this.close();
    const all = { ...parts, toTag: this.#localTag, contact };
    this.transaction.respond(buildResponse(request, status, all));
  }

  receivePrack(prack: ServerTransaction): void {
    const acknowledged = this.#provisionals.acknowledge(prack.request);
    if (acknowledged === undefined) {
      prack.respond(buildResponse(prack.request, 481));
      return;
    }
    const { offerAnswer } = this.#host;
    const sdp = sdpBody(prack.request);
    if (acknowledged.hasOffer) {
      prack.respond(buildResponse(prack.request, 200));
      offerAnswer.apply(sdp === undefined ? 'abandon' : 'receiveAnswer');
      if (sdp === undefined) this.#host.reject(488);
      else this.#answered(sdp);
    } else {
      this.#host.changeByPrack(prack);
    }
    this.advance();
  }

  close(): void {
    this.#timers.close();
    this.#provisionals.stop();
    this.#accepting = undefined;
  }

  #answered(sdp: string): void {
    this.#host.describe(this.#described!, sdp);
    this.#host.answered(sdp);
  }

  #progressReliably(status: number, headers?: ExtraHeaders, sdp?: string): void {
    const { offerAnswer } = this.#host;
    const answers = offerAnswer.phase === 'haveRemoteOffer';
    const hasOffer = sdp !== undefined && !answers;
    if (sdp !== undefined) {
      offerAnswer.apply(answers ? 'sendAnswer' : 'sendOffer');
      this.#described = sdp;
      if (answers) this.#host.describe(sdp, sdpBody(this.transaction.request));
    }
    this.#provisionals.send({
      hasOffer,
      build: (rseq) =>
        buildResponse(this.transaction.request, status, {
          toTag: this.#localTag,
          contact: this.#context.contact,
          headers: [
            ...this.#context.responseHeaders,
            ['Require', '100rel'],
            ['RSeq', String(rseq)],
            ...(headers ?? []),
          ],
          body: sdp === undefined ? undefined : { type: SDP_TYPE, content: sdp },
        }),
    });
  }
}
