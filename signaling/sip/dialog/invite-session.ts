/**
 * Size: the one place where the parts of a session meet; what can stand alone does, in change-*.ts,
 * invite-answer.ts and session-refresher.ts.
 */
import {
  buildResponse,
  type ExtraHeaders,
  type SipRequest,
  type SipResponse,
} from '../message/index.ts';
import type { ClientTransactionUser, ServerTransaction } from '../transaction/index.ts';
import {
  ChangeClient,
  type ChangeClientHost,
  type ChangeMethod,
  type ReinviteOutcome,
} from './change-client.ts';
import { ChangeServer, type ChangeServerHost } from './change-server.ts';
import type { Dialog, DialogRequestParts } from './dialog.ts';
import { InviteAnswer, type InviteAnswerHost } from './invite-answer.ts';
import { nextHop } from './next-hop.ts';
import { OfferAnswerState } from './offer-answer-state.ts';
import {
  SDP_TYPE,
  sdpBody,
  successResponse,
  type FinalParts,
  type ReofferOutcome,
  type SessionContext,
  type SessionEnd,
  type SessionUser,
} from './session-context.ts';
import { SessionRefresher, type RefresherHost } from './session-refresher.ts';
import { nextSessionState, type SessionEvent, type SessionState } from './session-state.ts';
import { SuccessSender } from './success-sender.ts';

/** Requests that carry a Contact (RFC 3261 table 2, RFC 3515, RFC 6665). */
const TARGET_REFRESHES: ReadonlySet<string> = new Set(['NOTIFY', 'REFER']);

/**
 * One call: its dialog, from the INVITE to the BYE (RFC 3261 13 to 15). The parts do the work: the
 * answers to a first INVITE, changes in both directions, refreshes; this class is what they share.
 */
export class InviteSession
  implements ChangeServerHost, ChangeClientHost, InviteAnswerHost, RefresherHost
{
  readonly dialog: Dialog;
  readonly offerAnswer = new OfferAnswerState();
  readonly #context: SessionContext;
  readonly #user: SessionUser;
  readonly #onTerminated: (session: InviteSession) => void;
  readonly #changeServer: ChangeServer;
  readonly #changes: ChangeClient;
  readonly #refresher: SessionRefresher;
  /** For a call that came in. */
  readonly #answer: InviteAnswer | undefined;
  /** 2xx answers that wait for their ACK, by CSeq number. */
  readonly #successes = new Map<number, SuccessSender>();
  #state: SessionState;
  /** The 2xx of ours that holds an unanswered offer. */
  #offered: { readonly sequence: number; readonly sdp: string } | undefined;
  #isDescribed = false;
  #isEnded = false;
  #byeHeaders: ExtraHeaders | undefined;

  /**
   * With an INVITE that came in the session waits for an answer to it; without one it is a call of
   * ours that has no 2xx yet, for `confirm`. `onTerminated` frees the dialog's place.
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
    this.#changeServer = new ChangeServer(context, this);
    this.#changes = new ChangeClient(context, dialog, this);
    this.#refresher = new SessionRefresher(context, this);
    this.#answer = invite && new InviteAnswer(context, invite, dialog.id.localTag, this);
    this.#state = invite === undefined ? 'early' : 'proceeding';
  }

  get state(): SessionState {
    return this.#state;
  }

  get isUnanswered(): boolean {
    return this.#state === 'proceeding';
  }

  get isConfirmed(): boolean {
    return this.#state === 'confirmed';
  }

  get isInviting(): boolean {
    return this.#state === 'early' || this.#changes.isInviting;
  }

  get isAnswering(): boolean {
    return this.#changeServer.isPending;
  }

  get awaitsAck(): boolean {
    return this.#successes.size > 0;
  }

  get isDescribed(): boolean {
    return this.#isDescribed;
  }

  /** 101–199, repeated each minute; false when the INVITE is answered or gone. */
  progress(status: number, headers?: ExtraHeaders, sdp?: string): boolean {
    if (this.#state !== 'proceeding') return false;
    this.#answer!.progress(status, headers, sdp);

    return true;
  }

  /** 200 with the answer, or with the offer when the INVITE had none. */
  accept(sdp: string): boolean {
    if (this.#state !== 'proceeding') return false;
    this.#answer!.accept(sdp);

    return true;
  }

  reject(status: number, parts: FinalParts = {}): boolean {
    if (!this.#move('reject')) return false;
    this.#answer!.respond(status, parts);
    this.#finish({ by: 'local', cause: 'rejected' });

    return true;
  }

  /** A CANCEL found the INVITE; without effect once that has its final answer (9.2). */
  cancel(cancel: SipRequest): void {
    if (!this.#move('cancel')) return;
    this.#answer!.respond(487);
    this.#finish({ by: 'remote', cause: 'cancel', message: cancel });
  }

  /** A call of ours has its 2xx, which the caller acknowledges. */
  confirm(response: SipResponse): void {
    if (!this.#move('confirm')) return;
    this.dialog.confirm(response);
    this.#refresher.accept(response);
  }

  /** The descriptions that a call of ours was set up with. */
  describe(local: string, remote: string | undefined): void {
    this.#isDescribed = true;
    this.#refresher.describe(local, remote);
  }

  /** Acknowledges a reliable provisional response (RFC 3262 4). */
  sendPrack(rack: string, sdp: string | undefined): void {
    const headers = [...this.#context.requestHeaders, ['RAck', rack] as const];
    const body = sdp === undefined ? undefined : { type: SDP_TYPE, content: sdp };
    const prack = this.dialog.createRequest('PRACK', { headers, body });
    // What becomes of it shows in the INVITE's final response.
    const ignore = (): void => undefined;
    const user = { onResponse: ignore, onFailure: ignore };
    this.#context.sender.request(prack, nextHop(this.dialog), user);
  }

  receiveAck(ack: SipRequest): void {
    const { sequence } = ack.cseq;
    const success = this.#successes.get(sequence);
    if (success === undefined) return;
    success.stop();
    this.#successes.delete(sequence);
    const isFirst = sequence === this.#answer?.transaction.request.cseq.sequence;
    const offered = this.#offered?.sequence === sequence ? this.#offered.sdp : undefined;
    const answer = offered === undefined ? undefined : sdpBody(ack);
    if (offered !== undefined) {
      this.#offered = undefined;
      this.offerAnswer.apply(answer === undefined ? 'abandon' : 'receiveAnswer');
      if (answer !== undefined) this.describe(offered, answer);
    }
    if (isFirst && this.#state === 'leaving') {
      this.#move('ack');
      this.#sendBye();
      return;
    }
    if (isFirst) this.#move('ack');
    if (this.#state === 'terminated' || this.#state === 'terminating') return;
    if (offered !== undefined && answer === undefined) {
      // "If the answer is … not acceptable … the UAS … SHOULD … send a BYE" (13.2.1).
      this.hangUp(undefined, { by: 'local', cause: 'bad-answer' });
    } else if (isFirst) {
      this.#user.onEstablished(answer);
    } else if (answer !== undefined) {
      this.#user.onReofferAnswered(answer);
    }
    if (!this.awaitsAck) this.#changes.acknowledged();
  }

  /** A request inside the dialog, ACK and CANCEL excepted. */
  receive(transaction: ServerTransaction): void {
    const { request } = transaction;
    const { method } = request;
    if (!this.dialog.acceptSequence(request)) {
      transaction.respond(buildResponse(request, 500));
    } else if (method === 'BYE') {
      this.#receiveBye(transaction);
    } else if (this.#state === 'leaving' || this.#state === 'terminating') {
      // RFC 5407 3.2.2 and 3.3.3: for the far end the dialog ends with our BYE.
      transaction.respond(buildResponse(request, 481));
    } else if (method === 'INVITE' || method === 'UPDATE') {
      if (!this.#refresher.refuses(transaction)) this.#changeServer.receive(transaction);
    } else if (method === 'PRACK') {
      if (this.#answer !== undefined) this.#answer.receivePrack(transaction);
      else transaction.respond(buildResponse(request, 481));
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
    else this.#refresher.close();
    this.#end(end);
  }

  /**
   * Changes the session, by UPDATE or re-INVITE; waits for the change before it. The promise tells
   * how it ended and never rejects.
   */
  change(method: ChangeMethod, offer?: () => string): Promise<ReinviteOutcome> {
    if (this.#state !== 'confirmed') return Promise.resolve({ status: 481 });

    return this.#changes.start(method, offer);
  }

  /** A request that leaves the session as it is; false when the dialog is not, or no more, there. */
  request(method: string, parts: DialogRequestParts, user: ClientTransactionUser): boolean {
    if (this.#state !== 'confirmed' && this.#state !== 'accepted') return false;
    this.#send(method, parts, user);

    return true;
  }

  /**
   * For what shares the dialog with the call and outlives it: "a BYE … terminates the invite usage", and
   * no other (RFC 5057 4.1), such as the subscription that a REFER made.
   */
  requestBeside(method: string, parts: DialogRequestParts, user: ClientTransactionUser): boolean {
    if (this.#state === 'early' || this.#state === 'proceeding') return false;
    this.#send(method, parts, user);

    return true;
  }

  #send(method: string, parts: DialogRequestParts, user: ClientTransactionUser): void {
    const { sender, contact } = this.#context;
    const request = this.dialog.createRequest(method, parts);
    if (contact !== '' && TARGET_REFRESHES.has(method)) request.headers.set('Contact', contact);
    sender.request(request, nextHop(this.dialog), method === 'INFO' ? this.#watched(user) : user);
  }

  /**
   * "If the response for a request within a dialog is a 481 … or a 408 …, the UAC SHOULD terminate the
   * dialog … also … if no response at all is received" (RFC 3261 12.2.1.2). Of the methods sent here only
   * INFO belongs to the call; the others' 481 ends a subscription, or nothing (RFC 5057 5.3).
   */
  #watched(user: ClientTransactionUser): ClientTransactionUser {
    return {
      onResponse: (response) => {
        user.onResponse(response);
        if (response.status === 481 || response.status === 408) this.lost(response);
      },
      onFailure: (failure, cause) => {
        user.onFailure(failure, cause);
        if (failure === 'timeout') this.lost(undefined);
      },
    };
  }

  reoffer(
    offer: string | undefined,
    request: SipRequest,
  ): ReofferOutcome | Promise<ReofferOutcome> {
    return this.#user.onReoffer(offer, request);
  }

  /** For the parts, as all that follows: the 2xx to a request of theirs; an INVITE's until its ACK. */
  succeed(transaction: ServerTransaction, sdp: string | undefined): void {
    const { request } = transaction;
    const isFirst = transaction === this.#answer?.transaction;
    // Target refresh: on a 2xx only (RFC 6141 4.6).
    if (!isFirst && request.method !== 'PRACK') {
      this.dialog.refreshTarget(request, transaction.info.flow);
    }
    const isUp = isFirst || this.#state === 'accepted' || this.#state === 'confirmed';
    const headers = isUp ? this.#refresher.answer(transaction) : [];
    const response = successResponse(this.#context, this.dialog, request, headers, sdp);
    const isOffer = sdp !== undefined && this.offerAnswer.phase === 'haveLocalOffer';
    if (sdp !== undefined && !isOffer) this.describe(sdp, sdpBody(request));
    if (request.method !== 'INVITE') {
      transaction.respond(response);
      return;
    }
    const { clock, times } = this.#context;
    const success = new SuccessSender(clock, times, transaction, response);
    this.#successes.set(success.sequence, success);
    if (isOffer) this.#offered = { sequence: success.sequence, sdp };
    success.start(() => this.#ackTimeout(success));
  }

  acceptInvite(sdp: string | undefined): void {
    if (!this.#move('accept')) return;
    if (sdp !== undefined) {
      const answers = this.offerAnswer.phase === 'haveRemoteOffer';
      this.offerAnswer.apply(answers ? 'sendAnswer' : 'sendOffer');
    }
    this.succeed(this.#answer!.transaction, sdp);
    this.#answer!.close();
  }

  settled(): void {
    this.#answer?.advance();
  }

  changeByPrack(prack: ServerTransaction): void {
    this.#changeServer.receive(prack);
  }

  answered(answer: string): void {
    this.#user.onReofferAnswered(answer);
  }

  timerHeaders(): ExtraHeaders {
    return this.#refresher.offer();
  }

  changed(response: SipResponse, agreed: { local: string; remote: string } | undefined): void {
    this.#refresher.accept(response);
    if (agreed !== undefined) this.describe(agreed.local, agreed.remote);
  }

  raiseMinimum(response: SipResponse): boolean {
    return this.#refresher.raise(response);
  }

  expire(): void {
    const headers: ExtraHeaders = [['Reason', 'SIP;cause=408;text="Session expired"']];
    this.hangUp(headers, { by: 'remote', cause: 'expired' });
  }

  lost(response: SipResponse | undefined): void {
    if (this.#state === 'terminated') return;
    const end: SessionEnd = { by: 'remote', cause: 'lost', ...(response && { message: response }) };
    // Silence may be one lost answer: the far end may still be there to take a BYE.
    if (response?.status !== 481 && this.#state === 'confirmed') {
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
    if (this.#state === 'proceeding') this.#answer!.respond(487);
    if (this.#move('remoteBye') && !wasTerminating) {
      this.#finish({ by: 'remote', cause: 'bye', message: request });
    }
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
    this.#answer?.close();
    this.#refresher.close();
    this.#changeServer.terminate();
    this.#changes.close();
    for (const success of this.#successes.values()) success.stop();
    this.#successes.clear();
  }
}
