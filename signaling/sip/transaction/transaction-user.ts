import type { SipRequest, SipResponse } from '../message/index.ts';
import type { RequestInfo, ServerTransaction } from './transaction.ts';

/** Why a client transaction ended without a final response (RFC 3261 8.1.3.1). */
export type ClientFailure = 'timeout' | 'transport-error';

/** Who sent a request: told what became of it. */
export interface ClientTransactionUser {
  /**
   * A response: provisional ones, one final one, and, to an INVITE, every further 2xx within 64*T1.
   * The ACK for a 2xx is the user's to send; that for 300–699 the transaction sends.
   */
  onResponse(response: SipResponse): void;
  /**
   * No final response came, or the request could not be sent, `cause` says why (a refused connection, a certificate).
   * Called once, and nothing after it.
   */
  onFailure(failure: ClientFailure, cause?: Error): void;
  /** The transaction is gone; no callback follows. */
  onTerminated?(): void;
}

/** The one above the transaction layer, who takes what peers ask. */
export interface TransactionUser {
  /** A new request. Answer it by `transaction.respond`, now or later. */
  onRequest(transaction: ServerTransaction): void;
  /** A CANCEL found this INVITE (its own 200 is sent already); answer the INVITE with 487. */
  onCancel(transaction: ServerTransaction, cancel: SipRequest): void;
  /** An ACK to a 2xx, which belongs to no transaction; never answered. */
  onAck(ack: SipRequest, info: RequestInfo): void;
}
