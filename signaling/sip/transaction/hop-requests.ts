import { SipHeaders, SipRequest, type SipResponse } from '../message/index.ts';

/** Header fields of a CANCEL beside those that it must have: Reason (RFC 3326). */
export type CancelHeaders = readonly (readonly [name: string, value: string])[];

/**
 * RFC 3261 17.1.1.3: Call-ID, From and Request-URI of the INVITE, the To of the response, one Via,
 * the Route fields of the INVITE, CSeq number with method ACK. The Via comes with the branch. 22.1: it
 * "will duplicate all of the Authorization and Proxy-Authorization header field values" of the INVITE.
 */
export function ackFor(invite: SipRequest, response: SipResponse): SipRequest {
  const ack = siblingOf(invite, 'ACK', response.headers.get('to') ?? '');
  for (const name of ['Authorization', 'Proxy-Authorization']) {
    for (const value of invite.headers.getAll(name)) ack.headers.append(name, value);
  }

  return ack;
}

/**
 * RFC 3261 9.1: "The Request-URI, Call-ID, To, the numeric part of CSeq, and From header fields …
 * MUST be identical to those in the request being cancelled", and the Route fields.
 */
export function cancelFor(invite: SipRequest, extra: CancelHeaders): SipRequest {
  const cancel = siblingOf(invite, 'CANCEL', invite.headers.get('to') ?? '');
  for (const [name, value] of extra) cancel.headers.append(name, value);

  return cancel;
}

function siblingOf(invite: SipRequest, method: string, to: string): SipRequest {
  const headers = new SipHeaders();
  for (const route of invite.headers.getAll('route')) headers.append('Route', route);
  headers.append('Max-Forwards', '70');
  headers.append('From', invite.headers.get('from') ?? '');
  headers.append('To', to);
  headers.append('Call-ID', invite.callId);
  headers.append('CSeq', `${String(invite.cseq.sequence)} ${method}`);

  return new SipRequest(method, invite.uri, headers);
}
