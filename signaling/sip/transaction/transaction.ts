import type { SipRequest, SipResponse } from '../message/index.ts';
import type { RequestInfo, ServerTransactionUser } from './transaction-user.ts';

/** A request that came in, and its answers. */
export interface ServerTransaction {
  readonly request: SipRequest;
  readonly info: RequestInfo;
  /** Who is told of the transaction's fate. */
  user: ServerTransactionUser | undefined;
  /** No final response was sent yet. */
  readonly isPending: boolean;
  /** Sends a response; for an INVITE with a 2xx also its retransmissions, which are the user's. */
  respond(response: SipResponse): void;
}

/** A request of ours on its way. */
export interface ClientTransaction {
  /** As sent: with Via and branch. */
  readonly request: SipRequest;
  /** A provisional response came, so CANCEL may be sent (RFC 3261 9.1). */
  readonly isProceeding: boolean;
  /** No final response came yet. */
  readonly isPending: boolean;
}
