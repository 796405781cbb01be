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
 * all the same (an old nonce, an SBC that asks again) goes out once more.
 */
export class AnsweringSender implements RequestSender {
  readonly #inner: RequestSender;
  readonly #answerer: ChallengeAnswerer;
  readonly #dialog: Dialog;
  /** Re-INVITEs that went out again, by the first one: a CANCEL has to find them. */
  readonly #again = new WeakMap<ClientTransaction, ClientTransaction>();
  #lastInvite: SipRequest | undefined;

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
    const first = this.#withCredentials(request, request.cseq.sequence);
    const transaction = this.#inner.request(first, target, {
      ...forward(user),
      onResponse: (response) => {
        const isChallenge = response.status === 401 || response.status === 407;
        if (!isChallenge || !this.#answerer.challenged(first, response)) {
          user.onResponse(response);
          return;
        }
        const again = this.#withCredentials(first, this.#dialog.takeSequence());
        this.#again.set(transaction, this.#inner.request(again, target, user));
      },
    });

    return transaction;
  }

  /** 22.1: "any credentials in the INVITE that were accepted … MUST be in the ACK". */
  sendAck(ack: SipRequest, target: SendTarget | undefined): Resendable {
    const invite = this.#lastInvite;
    const isItsAck = invite?.cseq.sequence === ack.cseq.sequence;
    for (const [name, value] of isItsAck ? credentialHeaders(invite) : []) {
      ack.headers.append(name, value);
    }

    return this.#inner.sendAck(ack, target);
  }

  cancel(invite: ClientTransaction, headers?: readonly (readonly [string, string])[]): void {
    this.#inner.cancel(this.#again.get(invite) ?? invite, headers);
  }

  #withCredentials(request: SipRequest, sequence: number): SipRequest {
    const next = withCredentials(request, this.#answerer, sequence);
    if (next.method === 'INVITE') this.#lastInvite = next;

    return next;
  }
}

function forward(user: ClientTransactionUser): ClientTransactionUser {
  return {
    onResponse: (response) => {
      user.onResponse(response);
    },
    onFailure: (failure, cause) => {
      user.onFailure(failure, cause);
    },
  };
}
