import {
  BRANCH_COOKIE,
  formatVia,
  viaBranch,
  type SipRequest,
  type SipResponse,
  type Via,
} from '../message/index.ts';

/** RFC 3261 17.1.3: the branch and, as ACK and CANCEL share it, the method of the CSeq. */
export function clientKey(branch: string, method: string): string {
  return `${branch} ${method}`;
}

export function clientKeyOf(response: SipResponse): string | undefined {
  const branch = viaBranch(response.via);

  return branch === undefined ? undefined : clientKey(branch, response.cseq.method);
}

/** Whether the branch identifies the transaction by itself; a bare cookie does not. */
export function hasUniqueBranch(via: Via): boolean {
  const branch = viaBranch(via);

  return (
    branch !== undefined && branch.length > BRANCH_COOKIE.length && branch.startsWith(BRANCH_COOKIE)
  );
}

/**
 * RFC 3261 17.2.3: branch, sent-by and method, an ACK being that of its INVITE; for peers that know
 * RFC 2543 only, what identifies the request there. (The To tag is compared by the layer, as for an
 * ACK it is that of the response.)
 */
export function serverKey(request: SipRequest, method = request.method): string {
  const { via } = request;
  const keyMethod = method === 'ACK' ? 'INVITE' : method;
  if (hasUniqueBranch(via)) {
    // Joined, not concatenated: a text that refers to its parts would keep the message with them.
    return [viaBranch(via)!, via.host, String(via.port ?? ''), keyMethod].join(' ');
  }
  const { sequence } = request.cseq;
  const parts = [
    request.uri.text,
    request.fromTag ?? '',
    request.callId,
    String(sequence),
    formatVia(via),
  ];

  return `2543 ${JSON.stringify(parts)} ${keyMethod}`;
}
