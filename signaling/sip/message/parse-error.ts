import type { SipRequest } from './sip-message.ts';

/** Why bytes are no SIP message: a value, never thrown. */
export class ParseError {
  readonly kind = 'parse-error';
  /** In words, fit for a reason phrase and the log. */
  readonly reason: string;
  /** What a request of this kind is answered with. */
  readonly status: number;
  /** The request as far as it was understood, when it has enough to be answered. */
  readonly request: SipRequest | undefined;

  constructor(reason: string, status = 400, request?: SipRequest) {
    this.reason = reason;
    this.status = status;
    this.request = request;
  }
}
