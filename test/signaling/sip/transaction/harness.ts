import { silentLogger } from '../../../../base/index.ts';
import type { SipRequest } from '../../../../signaling/sip/message/index.ts';
import {
  buildResponse,
  type ResponseParts,
  type SipResponse,
} from '../../../../signaling/sip/message/index.ts';
import {
  TransactionLayer,
  type ClientTransactionUser,
  type ServerTransaction,
  type TransactionLayerOptions,
  type TransactionUser,
} from '../../../../signaling/sip/transaction/index.ts';
import {
  isReliable,
  type MessageSender,
  type OutgoingRequest,
  type OutgoingResponse,
  type RemoteFlow,
  type SendErrorHandler,
  type SendTarget,
  type TransportProtocol,
  type TransportUser,
} from '../../../../signaling/sip/transport/index.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { parsedRequest, textOf } from '../../../support/message-builder.ts';

export interface Sent<T> {
  at: number;
  message: T;
}

/** A wire that only notes what goes out, and when. */
export class FakeSender implements MessageSender {
  user: TransportUser | undefined = undefined;
  readonly requests: Sent<SipRequest>[] = [];
  readonly responses: Sent<SipResponse>[] = [];
  /** Every send fails with this while set. */
  failure: Error | undefined;
  /** As after a message over 1300 octets: TCP first, UDP when refused. */
  withFallback = false;
  readonly #clock: FakeClock;
  readonly #protocol: TransportProtocol;

  constructor(clock: FakeClock, protocol: TransportProtocol) {
    this.#clock = clock;
    this.#protocol = protocol;
  }

  prepareRequest(
    request: SipRequest,
    target: SendTarget | undefined,
    branch: string,
  ): OutgoingRequest {
    const copy = request.clone();
    copy.headers.prepend('Via', `SIP/2.0/${this.#protocol} 192.0.2.9:5060;branch=${branch};rport`);
    let reliable = isReliable(this.#protocol);
    let { withFallback } = this;

    return {
      request: copy,
      target: target ?? { protocol: this.#protocol, address: '192.0.2.1', port: 5062 },
      get reliable() {
        return reliable;
      },
      send: (onError) => {
        this.requests.push({ at: this.#clock.now(), message: copy });
        this.#fail(onError);
      },
      fallBack: () => {
        const could = withFallback;
        withFallback = false;
        if (could) reliable = false;
        if (could) this.failure = undefined;

        return could;
      },
    };
  }

  prepareResponse(response: SipResponse, flow: RemoteFlow): OutgoingResponse {
    return {
      send: (onError) => {
        this.sendResponse(response, flow, onError);
      },
    };
  }

  sendResponse(response: SipResponse, _flow: RemoteFlow, onError: SendErrorHandler): void {
    this.responses.push({ at: this.#clock.now(), message: response });
    this.#fail(onError);
  }

  #fail(onError: SendErrorHandler): void {
    const { failure } = this;
    if (failure !== undefined) this.#clock.setTimer(0, () => onError(failure));
  }
}

export class Harness {
  readonly clock = new FakeClock();
  readonly sender: FakeSender;
  readonly layer: TransactionLayer;
  readonly flow: RemoteFlow;
  /** What the users were told, as words. */
  readonly told: string[] = [];
  readonly servers: ServerTransaction[] = [];
  readonly illegal: string[] = [];

  constructor(protocol: TransportProtocol, options: Partial<TransactionLayerOptions> = {}) {
    this.sender = new FakeSender(this.clock, protocol);
    this.flow = {
      protocol,
      remote: { address: '192.0.2.1', port: 5062 },
      local: { address: '192.0.2.9', port: 5060 },
      connectionId: isReliable(protocol) ? 'c1' : undefined,
    };
    this.layer = new TransactionLayer({
      sender: this.sender,
      clock: this.clock,
      logger: silentLogger,
      ...options,
    });
    const user: TransactionUser = {
      onRequest: (transaction) => {
        this.told.push(transaction.request.method);
        this.servers.push(transaction);
        transaction.user = {
          onAckTimeout: () => this.told.push('ack timeout'),
          onTransportError: () => this.told.push('transport error'),
          onTerminated: () => this.told.push('terminated'),
        };
      },
      onCancel: () => this.told.push('cancelled'),
      onAck: () => this.told.push('ACK'),
    };
    this.layer.user = user;
  }

  get clientUser(): ClientTransactionUser {
    return {
      onResponse: (response) => this.told.push(String(response.status)),
      onFailure: (failure) => this.told.push(failure),
      onTerminated: () => this.told.push('terminated'),
    };
  }

  /** A request from the peer. */
  receive(request: SipRequest): void {
    // A fresh copy each time, as the parser makes it.
    this.layer.onRequest(parsedRequest(textOf(request)), this.flow);
  }

  /** A response to what was sent first with that method. */
  answer(method: string, status: number, parts: ResponseParts = { toTag: 'peer' }): void {
    this.layer.onResponse(buildResponse(this.sentRequest(method), status, parts));
  }

  sentRequest(method: string): SipRequest {
    const sent = this.sender.requests.find(({ message }) => message.method === method);
    if (sent === undefined) throw new Error(`no ${method} was sent`);

    return sent.message;
  }

  timesOf(method: string): number[] {
    return this.sender.requests
      .filter(({ message }) => message.method === method)
      .map(({ at }) => at);
  }

  /** "180@0" for each response sent. */
  get responses(): string[] {
    return this.sender.responses.map(
      ({ at, message }) => `${String(message.status)}@${String(at)}`,
    );
  }
}
