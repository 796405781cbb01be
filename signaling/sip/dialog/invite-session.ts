/**
 * Size: the one place where the parts of a session meet; what can stand alone does, in reinvite.ts and
 * success-sender.ts.
 */
import { TimerSet } from '../../../base/index.ts';
import {
  buildResponse,
  type ExtraHeaders,
  type SipRequest,
  type SipResponse,
} from '../message/index.ts';
import type { ClientTransactionUser, ServerTransaction } from '../transaction/index.ts';
import type { Dialog, DialogRequestParts } from './dialog.ts';
import { nextHop } from './next-hop.ts';
import { OfferAnswerState } from './offer-answer-state.ts';
import {
  ReinviteClient,
  ReinviteServer,
  type ReinviteHost,
  type ReinviteOutcome,
} from './reinvite.ts';
import {
  sdpBody,
  successResponse,
  type FinalParts,
  type ReofferOutcome,
  type SessionContext,
  type SessionEnd,
  type SessionUser,
} from './session-context.ts';
import { nextSessionState, type SessionEvent, type SessionState } from './session-state.ts';
import { SuccessSender } from './success-sender.ts';

/** RFC 3261 13.3.1.1: "a non-100 provisional response every minute", lest a proxy gives up. */
const PROGRESS_REFRESH = 60_000;

/** Requests that carry a Contact (RFC 3261 table 2, RFC 3515, RFC 6665). */
const TARGET_REFRESHES: ReadonlySet<string> = new Set(['NOTIFY', 'REFER']);

/** One call: its dialog, from the INVITE to the BYE (RFC 3261 13 to 15). */
export class InviteSession implements ReinviteHost {
  readonly dialog: Dialog;
  readonly offerAnswer = new OfferAnswerState();
  readonly #context: SessionContext;
  readonly #user: SessionUser;
  readonly #onTerminated: (session: InviteSession) => void;
  readonly #timers: TimerSet<'progress'>;
  readonly #reinviteServer: ReinviteServer;
  readonly #reinviteClient: ReinviteClient;
  /** 2xx answers that wait for their ACK, by CSeq number. */
  readonly #successes = new Map<number, SuccessSender>();
  /** The INVITE of a call that came in. */
  readonly #invite: ServerTransaction | undefined;
  #state: SessionState;
  /** CSeq number of the 2xx of ours that holds an unanswered offer. */
  #offeredIn: number | undefined;
  #isEnded = false;
  #byeHeaders: ExtraHeaders | undefined;

  /**
   * With an INVITE that came in the session waits for an answer to it; without one it is a call of
   * ours whose 2xx was acknowledged. `onTerminated` frees the dialog's place.
   */
  constructor(
    context: SessionContext,
    dialog: Dialog,
    user: SessionUser,
    onTerminated: (session: InviteSession) => void,
    invite?: ServerTransaction,
  ) {
    this.#context = context;
    this.dialog = dialog;
    this.#user = user;
    this.#onTerminated = onTerminated;
    this.#timers = new TimerSet(context.clock);
    this.#reinviteServer = new ReinviteServer(context, this);
    this.#reinviteClient = new ReinviteClient(context, dialog, this);
    this.#invite = invite;
    this.#state = invite === undefined ? 'confirmed' : 'proceeding';
    if (invite !== undefined && sdpBody(invite.request) !== undefined) {
      this.offerAnswer.apply('receiveOffer');
    }
  }

  get state(): SessionState {
    return this.#state;
  }

  get user(): SessionUser {
    return this.#user;
  }

  get isUnanswered(): boolean {
    return this.#state === 'proceeding';
  }

  get isInviting(): boolean {
    return this.#reinviteClient.isInviting;
  }

  get isAnswering(): boolean {
    return this.#reinviteServer.isPending;
  }

  /** 101–199, repeated each minute; false when the INVITE is answered or gone. */
  progress(status: number, headers?: ExtraHeaders): boolean {
    if (this.#state !== 'proceeding') return false;
    const all = [...this.#context.responseHeaders, ...(headers ?? [])];
    this.#answerInvite(status, { headers: all }, this.#context.contact);
    this.#timers.start('progress', PROGRESS_REFRESH, () => this.progress(status, headers));

    return true;
  }

  /** 200 with the answer, or with the offer when the INVITE had none. */
  accept(sdp: string): boolean {
    if (!this.#move('accept')) return false;
    this.#timers.close();
    const answers = this.offerAnswer.phase === 'haveRemoteOffer';
    this.offerAnswer.apply(answers ? 'sendAnswer' : 'sendOffer');
    this.succeed(this.#invite!, sdp);

    return true;
  }

  reject(status: number, parts: FinalParts = {}): boolean {
    if (!this.#move('reject')) return false;
    this.#answerInvite(status, parts);
    this.#finish({ by: 'local', cause: 'rejected' });

    return true;
  }

  /** A CANCEL found the INVITE; without effect once that has its final answer (9.2). */
  cancel(cancel: SipRequest): void {
    if (!this.#move('cancel')) return;
    this.#answerInvite(487);
    this.#finish({ by: 'remote', cause: 'cancel', message: cancel });
  }

  receiveAck(ack: SipRequest): void {
    const { sequence } = ack.cseq;
    const success = this.#successes.get(sequence);
    if (success === undefined) return;
    success.stop();
    this.#successes.delete(sequence);
    const isFirst = sequence === this.#invite?.request.cseq.sequence;
    const offered = this.#offeredIn === sequence;
    const answer = offered ? sdpBody(ack) : undefined;
    if (offered) {
      this.#offeredIn = undefined;
      this.offerAnswer.apply(answer === undefined ? 'abandon' : 'receiveAnswer');
    }
    if (isFirst && this.#state === 'leaving') {
      this.#move('ack');
      this.#sendBye();
      return;
    }
    if (isFirst) this.#move('ack');
    if (this.#state === 'terminated' || this.#state === 'terminating') return;
    if (offered && answer === undefined) {
      // "If the answer is … not acceptable … the UAS … SHOULD … send a BYE" (13.2.1).
      this.hangUp(undefined, { by: 'local', cause: 'bad-answer' });
    } else if (isFirst) {
      this.#user.onEstablished(answer);
    } else if (answer !== undefined) {
      this.#user.onReofferAnswered(answer);
    }
  }

  /** A request inside the dialog, ACK and CANCEL excepted. */
  receive(transaction: ServerTransaction): void {
    const { request } = transaction;
    if (!this.dialog.acceptSequence(request)) {
      transaction.respond(buildResponse(request, 500));
    } else if (request.method === 'BYE') {
      this.#receiveBye(transaction);
    } else if (this.#state === 'leaving' || this.#state === 'terminating') {
      // RFC 5407 3.2.2 and 3.3.3: for the far end the dialog ends with our BYE.
      transaction.respond(buildResponse(request, 481));
    } else if (request.method === 'INVITE') {
      this.#reinviteServer.receive(transaction);
    } else {
      this.#user.onRequest(transaction);
    }
  }

  /** Ends the call whatever its state: 487, BYE, or BYE after the ACK; at once for the user. */
  hangUp(headers?: ExtraHeaders, end: SessionEnd = { by: 'local', cause: 'bye' }): void {
    if (this.#state === 'proceeding') {
      this.reject(487, { headers });
      return;
    }
    if (!this.#move('hangUp')) return;
    this.#byeHeaders = headers;
    if (this.#state === 'terminating') this.#sendBye();
    this.#end(end);
  }

  /** Changes the session; the promise tells how it ended and never rejects. */
  reinvite(offer: () => string): Promise<ReinviteOutcome> {
    if (this.#state !== 'confirmed') return Promise.resolve({ status: 481 });

    return this.#reinviteClient.start(offer);
  }

  /** A request that leaves the session as it is; false when the dialog is not, or no more, there. */
  request(method: string, parts: DialogRequestParts, user: ClientTransactionUser): boolean {
    if (this.#state !== 'confirmed' && this.#state !== 'accepted') return false;
    const { sender, contact } = this.#context;
    const request = this.dialog.createRequest(method, parts);
    if (contact !== '' && TARGET_REFRESHES.has(method)) request.headers.set('Contact', contact);
    sender.request(request, nextHop(this.dialog), user);

    return true;
  }

  reoffer(
    offer: string | undefined,
    request: SipRequest,
  ): ReofferOutcome | Promise<ReofferOutcome> {
    return this.#user.onReoffer(offer, request);
  }

  succeed(transaction: ServerTransaction, sdp: string): void {
    const { request } = transaction;
    // Target refresh: on a 2xx only (RFC 6141 4.6).
    if (transaction !== this.#invite) this.dialog.refreshTarget(request, transaction.info.flow);
    const response = successResponse(this.#context, this.dialog, request, sdp);
    const { clock, times } = this.#context;
    const success = new SuccessSender(clock, times, transaction, response);
    this.#successes.set(success.sequence, success);
    if (this.offerAnswer.phase === 'haveLocalOffer') this.#offeredIn = success.sequence;
    success.start(() => this.#ackTimeout(success));
  }

  lost(response: SipResponse | undefined): void {
    if (this.#state === 'terminated') return;
    const end: SessionEnd = { by: 'remote', cause: 'lost', ...(response && { message: response }) };
    // Silence may be one lost answer: the far end may still be there to take a BYE.
    if (response === undefined && this.#state === 'confirmed') {
      this.hangUp(undefined, end);
    } else if (this.#move('lost')) {
      this.#finish(end);
    }
  }

  /** Stops without a word to the far end: for the end of the process, after `hangUp` had its time. */
  abort(): void {
    if (this.#move('lost')) this.#finish({ by: 'local', cause: 'lost' });
  }

  #receiveBye(transaction: ServerTransaction): void {
    const { request } = transaction;
    const wasTerminating = this.#state === 'terminating';
    transaction.respond(buildResponse(request, 200));
    if (this.#state === 'proceeding') this.#answerInvite(487);
    if (this.#move('remoteBye') && !wasTerminating) {
      this.#finish({ by: 'remote', cause: 'bye', message: request });
    }
  }

  #answerInvite(status: number, parts: FinalParts = {}, contact?: string): void {
    const invite = this.#invite!;
    const { localTag: toTag } = this.dialog.id;
    invite.respond(buildResponse(invite.request, status, { ...parts, toTag, contact }));
  }

  #ackTimeout(success: SuccessSender): void {
    this.#successes.delete(success.sequence);
    if (!this.#move('ackTimeout')) return;
    this.#sendBye();
    this.#end({ by: 'remote', cause: 'no-ack' });
  }

  #sendBye(): void {
    const bye = this.dialog.createRequest('BYE', { headers: this.#byeHeaders });
    const done = (): void => {
      if (this.#move('byeAnswered')) this.#finish({ by: 'local', cause: 'bye' });
    };
    this.#stopWaiting();
    this.#context.sender.request(bye, nextHop(this.dialog), {
      onResponse: (response) => {
        if (response.status >= 200) done();
      },
      onFailure: done,
    });
  }

  #move(event: SessionEvent): boolean {
    const next = nextSessionState(this.#state, event);
    if (next === undefined) return false;
    this.#context.logger.trace({ from: this.#state, to: next, event }, 'session');
    this.#state = next;

    return true;
  }

  /** For the session's user the call is over, though a BYE may still be on its way. */
  #end(end: SessionEnd): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#user.onEnded(end);
  }

  #finish(end: SessionEnd): void {
    this.#stopWaiting();
    this.#end(end);
    this.#onTerminated(this);
  }

  #stopWaiting(): void {
    this.#timers.close();
    this.#reinviteServer.terminate();
    this.#reinviteClient.close();
    for (const success of this.#successes.values()) success.stop();
    this.#successes.clear();
  }
}
