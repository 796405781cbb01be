import { TypedEmitter, toError, type Logger } from '../../../base/index.ts';
import { parseSdp, SdpError, writeSdp, type SdpSession } from '../../sdp/index.ts';
import type { SipMessage, SipRequest } from '../message/index.ts';
import type { ClientTransactionUser, ServerTransaction } from '../transaction/index.ts';
import type {
  ChangeMethod,
  DialogId,
  DialogRequestParts,
  InviteSession,
  ReinviteOutcome,
  ReofferOutcome,
  SessionEnd,
  SessionUser,
} from '../dialog/index.ts';
import {
  rejectHeaders,
  type CallEvents,
  type RejectOptions,
  type ReofferAnswer,
  type ReofferHandler,
} from './call.ts';
import { receiveInfo } from './info.ts';

/** How our own change of a call ended: the answer, or the status that refused it. */
export type ReofferResult = { readonly answer: SdpSession } | { readonly status: number };

/**
 * Takes the requests of a method that the user agent itself knows nothing of, and answers them. `call`
 * is the one in whose dialog a request came.
 */
export type MethodHandler = (transaction: ServerTransaction, call: SessionCall | undefined) => void;

/** What calls in both directions share once there is a session: SDP as a model instead of text. */
export abstract class SessionCall implements SessionUser {
  readonly events = new TypedEmitter<CallEvents>();
  readonly #logger: Logger;
  readonly #answerRequest: MethodHandler;
  #reofferHandler: ReofferHandler = () => ({ status: 488 });

  constructor(logger: Logger, answerRequest: MethodHandler) {
    this.#logger = logger;
    this.#answerRequest = answerRequest;
    this.events.handleListenerErrors((event, error) => {
      const callId = this.dialogId?.callId;
      logger.error({ err: toError(error), event, callId }, 'call listener failed');
    });
  }

  /** Who answers re-INVITEs; without one they are refused with 488 and the session stays. */
  handleReoffers(handler: ReofferHandler): void {
    this.#reofferHandler = handler;
  }

  /** BYE, or 487 before the answer; `headers` for Reason. Without effect on a call that is over. */
  abstract hangUp(headers?: Iterable<readonly [string, string]>): void;

  /** What the far end can do stands in it: its INVITE, or its 2xx once there is one. */
  abstract get introduction(): SipMessage | undefined;

  protected abstract get session(): InviteSession | undefined;

  /**
   * Our re-INVITE, or UPDATE. `offer` is called for each attempt: after glare the far end's change may
   * have come first. Only on a confirmed call (else 481); a second one waits for the first.
   */
  async reoffer(offer: () => SdpSession, method: ChangeMethod = 'INVITE'): Promise<ReofferResult> {
    const change = this.session?.change(method, () => writeSdp(offer()));
    const outcome: ReinviteOutcome = (await change) ?? { status: 481 };
    if ('status' in outcome) return outcome;
    const answer = parseSdp(outcome.answer);
    if (!(answer instanceof SdpError)) return { answer };
    const callId = this.dialogId?.callId;
    this.#logger.info(
      { reason: answer.message, callId },
      'the answer to our re-INVITE is malformed',
    );
    this.#hangUpBadAnswer();

    return { status: 488 };
  }

  /** Undefined before there is a dialog. */
  get dialogId(): DialogId | undefined {
    return this.session?.dialog.id;
  }

  /** A request that leaves the session as it is; false when there is no dialog to send it in. */
  send(method: string, parts: DialogRequestParts, user: ClientTransactionUser): boolean {
    return this.session?.request(method, parts, user) ?? false;
  }

  /** The same for what the call's end does not end. */
  sendBeside(method: string, parts: DialogRequestParts, user: ClientTransactionUser): boolean {
    return this.session?.requestBeside(method, parts, user) ?? false;
  }

  onEstablished(text: string | undefined): void {
    const answer = text === undefined ? undefined : parseSdp(text);
    if (answer instanceof SdpError) this.#hangUpBadAnswer();
    else this.events.emit('established', answer);
  }

  onReoffer(
    text: string | undefined,
    request: SipRequest,
  ): ReofferOutcome | Promise<ReofferOutcome> {
    const offer = text === undefined ? undefined : parseSdp(text);
    if (offer instanceof SdpError) return toOutcome({ status: 400, ...malformedSdp(offer) });
    const answer = this.#reofferHandler(offer, request);

    return answer instanceof Promise ? answer.then(toOutcome) : toOutcome(answer);
  }

  onReofferAnswered(text: string): void {
    const answer = parseSdp(text);
    if (answer instanceof SdpError) this.#hangUpBadAnswer();
    else this.events.emit('answered', answer);
  }

  onRequest(transaction: ServerTransaction): void {
    if (transaction.request.method === 'INFO') receiveInfo(transaction, this.events);
    else this.#answerRequest(transaction, this);
  }

  onEnded(end: SessionEnd): void {
    this.events.emit('ended', end);
  }

  #hangUpBadAnswer(): void {
    this.session?.hangUp(undefined, { by: 'local', cause: 'bad-answer' });
  }
}

export function malformedSdp(error: SdpError): RejectOptions {
  return {
    reason: 'Malformed Session Description',
    warning: { code: 399, text: error.message },
  };
}

function toOutcome(answer: ReofferAnswer): ReofferOutcome {
  if ('sdp' in answer) return { sdp: writeSdp(answer.sdp) };
  const { status, reason } = answer;

  return { status, ...(reason !== undefined && { reason }), headers: rejectHeaders(answer) };
}
