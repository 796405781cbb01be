import { isIP } from 'node:net';
import { isSipUri, type SipRequest, type SipResponse, type SipUri } from '../message/index.ts';
import type {
  ClientFailure,
  ClientTransaction,
  ClientTransactionUser,
} from '../transaction/index.ts';
import type { OutgoingRequest, SendTarget } from '../transport/index.ts';
import type { Locator } from './locator.ts';

type Headers = readonly (readonly [name: string, value: string])[];

/** The transaction layer, as far as requests of ours go. */
export interface Requester {
  request(
    request: SipRequest,
    target: SendTarget | undefined,
    user: ClientTransactionUser,
  ): ClientTransaction;
  sendAck(
    ack: SipRequest,
    target: SendTarget | undefined,
    onFailure?: () => void,
  ): Pick<OutgoingRequest, 'send'>;
  cancel(invite: ClientTransaction, headers?: Headers): void;
}

/**
 * Between who sends requests and the transactions: finds the way of those that go to a name, and of those in
 * a dialog whose connection is no more. Peers close idle ones after half a minute, and are where their
 * Contact or Route says all the same.
 */
export class LocatingSender implements Requester {
  readonly #inner: Requester;
  readonly #locator: Pick<Locator, 'locate'>;

  constructor(inner: Requester, locator: Pick<Locator, 'locate'>) {
    this.#inner = inner;
    this.#locator = locator;
  }

  request(
    request: SipRequest,
    target: SendTarget | undefined,
    user: ClientTransactionUser,
  ): ClientTransaction {
    const uri = wayBeside(request, target);
    if (uri === undefined) return this.#inner.request(request, target, user);
    const locate = (): Promise<SendTarget[]> => this.#locator.locate(uri);

    return new LocatedRequest(this.#inner, locate, request, user, target);
  }

  /** An ACK is sent once and hears of no failure of the far end: it goes to the first place there is. */
  sendAck(ack: SipRequest, target: SendTarget | undefined): Pick<OutgoingRequest, 'send'> {
    const uri = wayBeside(ack, target);
    if (uri === undefined) return this.#inner.sendAck(ack, target);
    const locate = (): void => {
      void this.#locator.locate(uri).then(([first]) => {
        if (first !== undefined) sent = this.#inner.sendAck(ack, first);
      });
    };
    let sent = target && this.#inner.sendAck(ack, target, locate);
    if (target === undefined) locate();

    return {
      send: (onError) => {
        sent?.send(onError);
      },
    };
  }

  cancel(invite: ClientTransaction, headers: Headers = []): void {
    if (invite instanceof LocatedRequest) invite.cancel(headers);
    else this.#inner.cancel(invite, headers);
  }
}

/**
 * The next hop of a request, where that has to be located: a name; or anything, should the connection that
 * its dialog began with be gone. (A WebSocket client is nowhere else; without a dialog the connection is
 * the one that a registration said, and the only way: RFC 5626 5.3.)
 */
function wayBeside(request: SipRequest, target: SendTarget | undefined): SipUri | undefined {
  const uri = request.routes[0]?.uri ?? request.uri;
  if (!isSipUri(uri)) return undefined;
  if (target !== undefined) {
    const isStream = target.protocol === 'TCP' || target.protocol === 'TLS';
    const mayBeGone = isStream && target.connectionId !== undefined;

    return mayBeGone && request.toTag !== undefined ? uri : undefined;
  }
  const host = uri.params.get('maddr')?.replace(/^\[(.*)\]$/, '$1') ?? uri.host;

  return isIP(host) === 0 ? uri : undefined;
}

/**
 * One request that tries one place after the other (RFC 3263 4.3): "failure occurs if the transaction
 * layer reports a 503 error response or a transport failure of some sort", or a timeout. Each try is a
 * transaction, and so a branch, of its own.
 */
class LocatedRequest implements ClientTransaction {
  readonly #inner: Requester;
  readonly #original: SipRequest;
  readonly #user: ClientTransactionUser;
  readonly #locate: () => Promise<SendTarget[]>;
  #isLocated = false;
  #targets: SendTarget[] = [];
  #current: ClientTransaction | undefined;
  #isCancelled = false;
  #isOver = false;

  constructor(
    inner: Requester,
    locate: () => Promise<SendTarget[]>,
    request: SipRequest,
    user: ClientTransactionUser,
    connection: SendTarget | undefined,
  ) {
    this.#inner = inner;
    this.#locate = locate;
    this.#original = request;
    this.#user = user;
    if (connection !== undefined) this.#targets = [connection];
    this.#tryNext('transport-error');
  }

  get request(): SipRequest {
    return this.#current?.request ?? this.#original;
  }

  get isProceeding(): boolean {
    return this.#current?.isProceeding ?? false;
  }

  get isPending(): boolean {
    return this.#current?.isPending ?? !this.#isOver;
  }

  cancel(headers: Headers): void {
    this.#isCancelled = true;
    if (this.#current !== undefined) this.#inner.cancel(this.#current, headers);
  }

  #tryNext(failure: ClientFailure, cause?: Error): void {
    const target = this.#isCancelled ? undefined : this.#targets.shift();
    // Who was heard of no more over a connection that stands is not sought elsewhere.
    if (target === undefined && !this.#isLocated && failure === 'transport-error') {
      this.#isLocated = true;
      this.#current = undefined;
      void this.#locate().then((found) => {
        this.#targets = found;
        this.#tryNext(failure, cause);
      });

      return;
    }
    if (target === undefined) {
      this.#isOver = true;
      this.#user.onFailure(failure, cause);

      return;
    }
    let isAbandoned = false;
    this.#current = this.#inner.request(this.#original, target, {
      onResponse: (response) => {
        if (isAbandoned) return;
        if (!this.#isRefusal(response)) this.#user.onResponse(response);
        else {
          isAbandoned = true;
          this.#tryNext('transport-error');
        }
      },
      onFailure: (reason, why) => {
        if (isAbandoned) return;
        isAbandoned = true;
        this.#tryNext(reason, why);
      },
      onTerminated: () => {
        if (!isAbandoned) this.#user.onTerminated?.();
      },
    });
  }

  /** A 503 for which there is another place; the last one's is the answer. */
  #isRefusal({ status }: SipResponse): boolean {
    return status === 503 && this.#targets.length > 0 && !this.#isCancelled;
  }
}
