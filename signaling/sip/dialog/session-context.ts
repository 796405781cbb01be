import type { Clock, Logger } from '../../../base/index.ts';
import {
  bodyParts,
  buildResponse,
  type ExtraHeaders,
  type SipMessage,
  type SipRequest,
  type SipResponse,
} from '../message/index.ts';
import type {
  ClientTransaction,
  ClientTransactionUser,
  ServerTransaction,
} from '../transaction/index.ts';
import type { SendTarget } from '../transport/index.ts';
import type { Dialog } from './dialog.ts';
import type { SessionTimerPolicy } from './session-timer.ts';
import type { RetransmissionTimes } from './success-sender.ts';

/** What sessions and calls need of the layer below; the transaction layer is it. */
export interface RequestSender {
  /** Without a target the layer below finds the way from the request itself. */
  request(
    request: SipRequest,
    target: SendTarget | undefined,
    user: ClientTransactionUser,
  ): ClientTransaction;
  /** The ACK of a 2xx belongs to no transaction (RFC 3261 13.2.2.4); `send` repeats it. */
  sendAck(ack: SipRequest, target: SendTarget | undefined): Resendable;
  cancel(invite: ClientTransaction, headers?: readonly (readonly [string, string])[]): void;
}

export interface Resendable {
  send(onError: (error: Error) => void): void;
}

/** What all sessions of one user agent share, and the Contact of this one. */
export interface SessionContext {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly times: RetransmissionTimes;
  readonly sessionTimer: SessionTimerPolicy;
  readonly sender: RequestSender;
  readonly contact: string;
  /** Server, Allow, Supported …: what 2xx answers to INVITE say of us. */
  readonly responseHeaders: ExtraHeaders;
  /** Said in our own re-INVITEs. */
  readonly requestHeaders: ExtraHeaders;
  /** What an ACK says of us (RFC 6086 5.2). */
  readonly ackHeaders: ExtraHeaders;
  /** 0 ≤ value < 1; random delays are drawn from it. */
  readonly random: () => number;
}

export type EndCause =
  /** BYE, ours or theirs. */
  | 'bye'
  /** CANCEL before the answer. */
  | 'cancel'
  /** A final status of 300 or more to the INVITE. */
  | 'rejected'
  /** Our 2xx was never acknowledged. */
  | 'no-ack'
  /** Their SDP answer was none, or useless. */
  | 'bad-answer'
  /** 481, 408 or silence to a request of ours. */
  | 'lost'
  /** Nobody refreshed the session in time (RFC 4028). */
  | 'expired';

export interface SessionEnd {
  readonly by: 'remote' | 'local';
  readonly cause: EndCause;
  /** What ended it, when that came from the far end: for its Reason or status. */
  readonly message?: SipMessage;
}

/** What a session's user makes of a re-INVITE, or of an offer in an UPDATE or PRACK. */
export type ReofferOutcome =
  /** The answer; or the offer, when the re-INVITE had none. */
  | { readonly sdp: string }
  | { readonly status: number; readonly reason?: string; readonly headers?: ExtraHeaders };

/** Who is told of a session's course. Bodies are SDP text; undefined when the message had none. */
export interface SessionUser {
  /** The ACK came; `answer` when our 2xx carried the offer. */
  onEstablished(answer: string | undefined): void;
  onReoffer(
    offer: string | undefined,
    request: SipRequest,
  ): ReofferOutcome | Promise<ReofferOutcome>;
  /** The answer to an offer of ours that came in the ACK of a re-INVITE, in a PRACK or to a refresh. */
  onReofferAnswered(answer: string): void;
  /** A request in the dialog that leaves the session as it is (OPTIONS …); to be answered. */
  onRequest(transaction: ServerTransaction): void;
  /** Once, and nothing after it. */
  onEnded(end: SessionEnd): void;
}

export const SDP_TYPE = 'application/sdp';

/** The SDP of a message, be it among other parts; undefined when there is none. */
export function sdpBody(message: SipMessage): string | undefined {
  if (message.body.length === 0) return undefined;
  if (message.contentType?.type === SDP_TYPE) return message.bodyText;
  const part = bodyParts(message)?.find(({ type }) => type === SDP_TYPE);

  return part && Buffer.from(part.content).toString('utf8');
}

/** What a final answer may add to its status. */
export interface FinalParts {
  readonly reason?: string | undefined;
  readonly headers?: ExtraHeaders | undefined;
}

/** A 200 to an INVITE or another request that may change the session. */
export function successResponse(
  { contact, responseHeaders }: SessionContext,
  dialog: Dialog,
  request: SipRequest,
  headers: ExtraHeaders,
  sdp: string | undefined,
): SipResponse {
  return buildResponse(request, 200, {
    toTag: dialog.id.localTag,
    contact,
    headers: [...responseHeaders, ...headers],
    body: sdp === undefined ? undefined : { type: SDP_TYPE, content: sdp },
  });
}
