/** Requests of ours that are challenged, sent again with credentials (RFC 3261 22.2, 22.3). */
import { formatCSeq, type SipRequest, type SipResponse } from '../message/index.ts';
import type { ClientTransaction, ClientTransactionUser } from '../transaction/index.ts';
import type { SendTarget } from '../transport/index.ts';
import type { Dialog, RequestSender, Resendable } from '../dialog/index.ts';

/** Who knows the password; the digest client is it. */
export interface ChallengeAnswerer {
  /** Takes a 401 or 407; false when the request cannot be mended. */
  challenged(request: SipRequest, response: SipResponse): boolean;
  /** What to add to a request; nothing before the first challenge. */
  headersFor(request: SipRequest): [string, string][];
}

const CREDENTIAL_HEADERS = ['Authorization', 'Proxy-Authorization'] as const;

/** The same request with another CSeq and the credentials of now. */
export function withCredentials(
  request: SipRequest,
  answerer: ChallengeAnswerer,
  sequence: number,
): SipRequest {
  const next = request.clone();
  next.headers.set('CSeq', formatCSeq({ sequence, method: request.method }));
  for (const name of CREDENTIAL_HEADERS) next.headers.delete(name);
  for (const [name, value] of answerer.headersFor(next)) next.headers.append(name, value);

  return next;
}

export function credentialHeaders(request: SipRequest): [string, string][] {
  return CREDENTIAL_HEADERS.flatMap((name) =>
    request.headers.getAll(name).map((value): [string, string] => [name, value]),
  );
}

/**
 * Sends the requests of one dialog with the credentials that its INVITE needed. One that is challenged
 * all the same (an old nonce) goes out again; an INVITE does not, as its ACK is bound to its CSeq.
 */
export class AnsweringSender implements RequestSender {
  readonly #inner: RequestSender;
  readonly #answerer: ChallengeAnswerer;
  readonly #dialog: Dialog;

  constructor(inner: RequestSender, answerer: ChallengeAnswerer, dialog: Dialog) {
    this.#inner = inner;
    this.#answerer = answerer;
    this.#dialog = dialog;
  }

  request(
    request: SipRequest,
    target: SendTarget | undefined,
    user: ClientTransactionUser,
  ): ClientTransaction {
    const first = withCredentials(request, this.#answerer, request.cseq.sequence);
    if (request.method === 'INVITE') return this.#inner.request(first, target, user);

    return this.#inner.request(first, target, {
      ...forward(user),
      onResponse: (response) => {
        const isChallenge = response.status === 401 || response.status === 407;
        if (!isChallenge || !this.#answerer.challenged(first, response)) {
          user.onResponse(response);
          return;
        }
        const sequence = this.#dialog.takeSequence();
        const again = withCredentials(first, this.#answerer, sequence);
        this.#inner.request(again, target, user);
      },
    });
  }

  sendAck(ack: SipRequest, target: SendTarget | undefined): Resendable {
    return this.#inner.sendAck(ack, target);
  }

  cancel(...args: Parameters<RequestSender['cancel']>): void {
    this.#inner.cancel(...args);
  }
}

function forward(user: ClientTransactionUser): ClientTransactionUser {
  return {
    onResponse: (response) => {
      user.onResponse(response);
    },
    onFailure: (failure) => {
      user.onFailure(failure);
    },
  };
}
