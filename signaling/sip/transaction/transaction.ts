import type { SipRequest, SipResponse } from '../message/index.ts';
import type { RemoteFlow } from '../transport/index.ts';

/** What is known about a request beside its text. */
export interface RequestInfo {
  /** How it came, and the way back. */
  readonly flow: RemoteFlow;
}

/** Told what happens to one server transaction; set by who answers it. */
export interface ServerTransactionUser {
  /** 64*T1 went by after a 300–699 and no ACK came. */
  onAckTimeout?(): void;
  /** A response could not be sent. */
  onTransportError?(): void;
  /** The transaction is gone; for an INVITE with a 2xx, its Timer L ran out. */
  onTerminated?(): void;
}

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

/** Live transactions, for the gauges. */
export interface TransactionCounts {
  readonly inviteClient: number;
  readonly nonInviteClient: number;
  readonly inviteServer: number;
  readonly nonInviteServer: number;
  readonly total: number;
}
