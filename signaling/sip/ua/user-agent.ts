/**
 * Size: the order of RFC 3261 8.2 and the calls it leads to, in one place; checks, contacts, replaces and
 * the calls themselves are in files of their own.
 */
import { toError, type Clock, type Logger } from '../../../base/index.ts';
import { parseSdp, SdpError, type SdpSession } from '../../sdp/index.ts';
import { buildResponse, newTag, type ExtraHeaders, type SipRequest } from '../message/index.ts';
import type { ServerTransaction, TimerValues, TransactionUser } from '../transaction/index.ts';
import { flowTarget, type Endpoint, type SendTarget } from '../transport/index.ts';
import {
  DEFAULT_SESSION_TIMER,
  Dialog,
  DialogLayer,
  InviteSession,
  isIntervalTooSmall,
  sdpBody,
  type DialogId,
  type RequestSender,
  type SessionContext,
  type SessionTimerPolicy,
} from '../dialog/index.ts';
import { ALLOW, ALLOW_EVENTS, OPTIONS_HEADERS, RECV_INFO, SUPPORTED } from './capabilities.ts';
import { rejectHeaders } from './call.ts';
import { contactOf, isSips, userPart, wantsSips } from './contact.ts';
import { IncomingCall, type CallHandler } from './incoming-call.ts';
import { OutgoingCall, type OutgoingCallParts } from './outgoing-call.ts';
import { checkRequest, type Refusal } from './request-checks.ts';
import { findReplaced, joinRefusal } from './replaces.ts';
import { malformedSdp, type MethodHandler, type SessionCall } from './session-call.ts';

/** How long `close` waits for answers to its BYEs. */
const DEFAULT_CLOSE_WAIT = 2000;

export interface UserAgentOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** The transaction layer; its `user` is to be this user agent. */
  readonly sender: RequestSender;
  readonly timers: Pick<TimerValues, 't1' | 't2'>;
  /** Our host and port as the peer at a target reaches them; goes into Contact. */
  readonly localAddressFor: (target: SendTarget) => Endpoint | undefined;
  readonly handler: CallHandler;
  /** Takes REGISTER; without it there is no registrar here (405). */
  readonly registrar?: ((transaction: ServerTransaction) => void) | undefined;
  /** "Parley/1.0.0", for Server and User-Agent. */
  readonly product: string;
  /** More calls than these are refused with 503. */
  readonly maxCalls?: number;
  readonly sessionTimer?: SessionTimerPolicy;
  readonly random?: () => number;
}

/** Takes what peers ask of us, in the order of RFC 3261 8.2, and makes calls. */
export class UserAgent implements TransactionUser {
  readonly #options: UserAgentOptions;
  readonly #dialogs = new DialogLayer();
  /**
   * INVITEs outside a dialog, for the CANCEL that may find them. The transaction outlives its call by
   * 64*T1 and must not keep it so long: the entry goes with the call.
   */
  readonly #invites = new Map<ServerTransaction, InviteSession>();
  /** For an INVITE that takes the place of another call. */
  readonly #calls = new WeakMap<InviteSession, SessionCall>();
  /** Calls of ours that have no dialog yet. */
  readonly #dialing = new Set<OutgoingCall>();
  readonly #methods = new Map<string, MethodHandler>();
  #isClosing = false;
  #onEmpty: (() => void) | undefined;

  constructor(options: UserAgentOptions) {
    this.#options = options;
  }

  /** Calls that are not over, BYEs on their way included. */
  get callCount(): number {
    return this.#dialogs.size + this.#dialing.size;
  }

  /**
   * From now on requests of `method` go to `handler`: those in calls, and all others, a dialog of its
   * own included. `capabilities.ts` has to list the method.
   */
  serve(method: string, handler: MethodHandler): void {
    this.#methods.set(method, handler);
  }

  /** The call of ours with this dialog. */
  findCall(id: DialogId): SessionCall | undefined {
    const session = this.#dialogs.get(id);

    return session && this.#calls.get(session);
  }

  /** Of a conference, for the peer at `target` that sent the request. */
  focusContact(conference: string, request: SipRequest, target: SendTarget | undefined): string {
    return this.#contact(conference, target, true, wantsSips(request));
  }

  onRequest(transaction: ServerTransaction): void {
    try {
      this.#dispatch(transaction);
    } catch (error) {
      this.#failed(transaction, error);
    }
  }

  #failed(transaction: ServerTransaction, error: unknown): void {
    const { method } = transaction.request;
    this.#options.logger.error({ err: toError(error), method }, 'SIP request failed');
    if (transaction.isPending) this.#refuse(transaction, { status: 500 });
  }

  /** A re-INVITE's CANCEL has no effect: its change is being carried out (RFC 6141 3.3). */
  onCancel(transaction: ServerTransaction, cancel: SipRequest): void {
    this.#invites.get(transaction)?.cancel(cancel);
  }

  onAck(ack: SipRequest): void {
    this.#dialogs.receiveAck(ack);
  }

  /** Calls somebody. Nothing is told before this returns. */
  call(parts: OutgoingCallParts): OutgoingCall {
    if (this.#isClosing) throw new TypeError('the user agent is closing');
    const call = new OutgoingCall(
      this.#context(
        userPart(parts.from.uri),
        parts.target ?? (parts.flow && flowTarget(parts.flow)),
        parts.isFocus === true,
        // 8.1.1.8: "If the Request-URI or top Route … contains a SIPS URI, the Contact … MUST" too.
        isSips(parts.to.uri) || isSips((parts.routes?.[0] ?? parts.to).uri),
      ),
      parts,
      {
        established: (session) => {
          this.#dialogs.confirm(session);
          this.#dialing.delete(call);
        },
        sessionOpened: (session) => {
          this.#dialogs.add(session);
          this.#calls.set(session, call);
        },
        sessionTerminated: (session) => {
          this.#dialogs.remove(session);
          this.#checkEmpty();
        },
        failed: () => {
          this.#dialing.delete(call);
          this.#checkEmpty();
        },
      },
      (transaction, inCall) => this.#answerInCall(transaction, inCall),
    );
    this.#dialing.add(call);

    return call;
  }

  /**
   * Ends all calls: 503 to those that wait, BYE to the rest. Resolves when all are answered, or after
   * `waitMs`; nothing is left running then.
   */
  async close(headers?: ExtraHeaders, waitMs = DEFAULT_CLOSE_WAIT): Promise<void> {
    this.#isClosing = true;
    for (const session of this.#dialogs.sessions()) {
      if (session.isUnanswered) session.reject(503, { headers });
      else session.hangUp(headers);
    }
    for (const call of this.#dialing) call.hangUp(headers);
    if (this.callCount > 0) await this.#emptyWithin(waitMs);
    for (const session of this.#dialogs.sessions()) session.abort();
    for (const call of this.#dialing) call.abort();
  }

  #emptyWithin(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#options.clock.setTimer(waitMs, resolve);
      this.#onEmpty = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  #checkEmpty(): void {
    if (this.callCount === 0) this.#onEmpty?.();
  }

  #dispatch(transaction: ServerTransaction): void {
    const { request } = transaction;
    const refusal = checkRequest(request);
    const handler = this.#methods.get(request.method);
    if (refusal !== undefined) {
      this.#refuse(transaction, refusal);
    } else if (
      request.toTag !== undefined &&
      (handler === undefined || this.#dialogs.find(request) !== undefined)
    ) {
      this.#dialogs.receive(transaction);
    } else if (handler !== undefined) {
      handler(transaction, undefined);
    } else if (request.method === 'INVITE') {
      this.#receiveInvite(transaction);
    } else if (request.method === 'OPTIONS') {
      this.#answerOptions(transaction);
    } else if (request.method === 'REGISTER') {
      this.#register(transaction);
    } else {
      // "nobody sends BYE outside a dialog" (15): there is no such call.
      this.#refuse(transaction, { status: 481 });
    }
  }

  #register(transaction: ServerTransaction): void {
    const { registrar } = this.#options;
    if (registrar === undefined) this.#refuse(transaction, { status: 405, headers: [ALLOW] });
    else registrar(transaction);
  }

  #receiveInvite(transaction: ServerTransaction): void {
    const { request } = transaction;
    if (this.#isFull) {
      this.#refuse(transaction, { status: 503, headers: [['Retry-After', '10']] });
      return;
    }
    if (isIntervalTooSmall(request, this.#sessionTimer)) {
      const minimum = String(this.#sessionTimer.minimum);
      this.#refuse(transaction, { status: 422, headers: [['Min-SE', minimum]] });
      return;
    }
    const text = sdpBody(request);
    const offer = text === undefined ? undefined : parseSdp(text);
    if (offer instanceof SdpError) {
      const options = malformedSdp(offer);
      this.#refuse(transaction, { status: 400, headers: rejectHeaders(options) }, options.reason);
      return;
    }
    const replaced = findReplaced(request, this.#dialogs);
    if (replaced !== undefined && 'refusal' in replaced) {
      this.#refuse(transaction, replaced.refusal);
      return;
    }
    this.#openCall(transaction, offer, replaced && this.#calls.get(replaced.session));
  }

  #openCall(
    transaction: ServerTransaction,
    offer: SdpSession | undefined,
    replaces: SessionCall | undefined,
  ): void {
    const { request } = transaction;
    const { logger, handler } = this.#options;
    const target = flowTarget(transaction.info.flow);
    const conference = handler.conferenceFor?.(request);
    const refusal = conference === undefined ? joinRefusal(request, this.#dialogs) : undefined;
    if (refusal !== undefined) {
      this.#refuse(transaction, refusal);
      return;
    }
    const answerRequest: MethodHandler = (inDialog, inCall) => this.#answerInCall(inDialog, inCall);
    const call = new IncomingCall(transaction, offer, logger, answerRequest, replaces, conference);
    const session = new InviteSession(
      this.#context(
        conference ?? userPart(request.uri),
        target,
        conference !== undefined,
        wantsSips(request),
      ),
      Dialog.fromRequest(request, newTag(), transaction.info.flow),
      call,
      () => {
        this.#dialogs.remove(session);
        this.#invites.delete(transaction);
        this.#checkEmpty();
      },
      transaction,
    );
    call.bind(session);
    this.#invites.set(transaction, session);
    this.#calls.set(session, call);
    this.#dialogs.add(session);
    try {
      handler.incomingCall(call);
    } catch (error) {
      logger.error({ err: toError(error), callId: request.callId }, 'incoming call failed');
      if (!call.reject(500)) call.hangUp();
    }
  }

  get #isFull(): boolean {
    return this.#isClosing || this.callCount >= (this.#options.maxCalls ?? Infinity);
  }

  #answerInCall(transaction: ServerTransaction, call: SessionCall | undefined): void {
    const handler = this.#methods.get(transaction.request.method);
    if (handler === undefined) this.#answerOptions(transaction);
    else handler(transaction, call);
  }

  #answerOptions(transaction: ServerTransaction): void {
    const { request, info } = transaction;
    const { handler } = this.#options;
    if (this.#isClosing) {
      this.#refuse(transaction, { status: 503 });
    } else if (request.toTag !== undefined || handler.optionsRefusal === undefined) {
      this.#tellOptions(transaction);
    } else {
      const judge = async (): Promise<void> => {
        const refusal = await handler.optionsRefusal?.(request, info.flow);
        if (refusal === undefined) this.#tellOptions(transaction);
        else this.#refuse(transaction, refusal);
      };
      judge().catch((error: unknown) => {
        this.#failed(transaction, error);
      });
    }
  }

  #tellOptions(transaction: ServerTransaction): void {
    const { request } = transaction;
    const target = flowTarget(transaction.info.flow);
    const conference = this.#options.handler.conferenceFor?.(request);
    const isFocus = conference !== undefined;
    const user = conference ?? userPart(request.uri);
    const contact = this.#contact(user, target, isFocus, wantsSips(request));
    const headers = [...OPTIONS_HEADERS, this.#server];
    transaction.respond(buildResponse(request, 200, { contact, headers }));
  }

  #refuse(transaction: ServerTransaction, { status, headers }: Refusal, reason?: string): void {
    const all = [...(headers ?? []), this.#server];
    transaction.respond(buildResponse(transaction.request, status, { reason, headers: all }));
  }

  get #server(): readonly [string, string] {
    return ['Server', this.#options.product];
  }

  get #sessionTimer(): SessionTimerPolicy {
    return this.#options.sessionTimer ?? DEFAULT_SESSION_TIMER;
  }

  /** `user` is what a peer dials us by: it goes into Contact. */
  #context(
    user: string | undefined,
    target: SendTarget | undefined,
    isFocus: boolean,
    isSecure: boolean,
  ): SessionContext {
    const { clock, logger, timers, sender, product, random } = this.#options;

    return {
      clock,
      logger,
      times: timers,
      sessionTimer: this.#sessionTimer,
      sender,
      contact: this.#contact(user, target, isFocus, isSecure),
      responseHeaders: [ALLOW, SUPPORTED, ALLOW_EVENTS, RECV_INFO, this.#server],
      requestHeaders: [ALLOW, SUPPORTED, ALLOW_EVENTS, RECV_INFO, ['User-Agent', product]],
      ackHeaders: [RECV_INFO],
      random: random ?? Math.random,
    };
  }

  #contact(
    user: string | undefined,
    target: SendTarget | undefined,
    isFocus: boolean,
    isSecure: boolean,
  ): string {
    return contactOf(this.#options.localAddressFor, user, target, isFocus, isSecure);
  }
}
