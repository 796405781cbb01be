import type { SipRequest } from '../message/index.ts';
import { formatVia, serializeMessage, type Params } from '../message/index.ts';
import type { OutgoingRequest } from './message-sender.ts';
import { isReliable, type Endpoint, type SendErrorHandler, type SendTarget } from './transport.ts';

/** The part of the transport layer that an outgoing request needs. */
interface RequestTransmitter {
  localAddressFor(target: SendTarget): Endpoint | undefined;
  transmit(bytes: Uint8Array, method: string, target: SendTarget, onError: SendErrorHandler): void;
  /** The peer takes no stream. */
  onFallBack(target: SendTarget): void;
}

/** A request with its Via for one hop; serialised once, however often it is sent. */
export class Outgoing implements OutgoingRequest {
  readonly #transmitter: RequestTransmitter;
  readonly #original: SipRequest;
  readonly #branch: string;
  #alternative: SendTarget | undefined;
  #target: SendTarget;
  #request: SipRequest;
  #bytes: Uint8Array;

  constructor(
    transmitter: RequestTransmitter,
    original: SipRequest,
    target: SendTarget,
    branch: string,
    alternative?: SendTarget,
  ) {
    this.#transmitter = transmitter;
    this.#original = original;
    this.#target = target;
    this.#branch = branch;
    this.#alternative = alternative;
    this.#request = this.#withVia(target);
    this.#bytes = serializeMessage(this.#request);
  }

  get request(): SipRequest {
    return this.#request;
  }

  get target(): SendTarget {
    return this.#target;
  }

  get reliable(): boolean {
    return isReliable(this.#target.protocol);
  }

  /** Octets on the wire. */
  get size(): number {
    return this.#bytes.length;
  }

  send(onError: SendErrorHandler): void {
    this.#transmitter.transmit(this.#bytes, this.#request.method, this.#target, onError);
  }

  fallBack(): boolean {
    if (this.#alternative === undefined) return false;
    this.#transmitter.onFallBack(this.#alternative);
    this.#target = this.#alternative;
    this.#alternative = undefined;
    this.#request = this.#withVia(this.#target);
    this.#bytes = serializeMessage(this.#request);

    return true;
  }

  #withVia(target: SendTarget): SipRequest {
    const local = this.#transmitter.localAddressFor(target);
    const params: Params = new Map([
      ['branch', this.#branch],
      // RFC 3581 3: "the client … MUST insert an rport parameter" with no value.
      ['rport', undefined],
    ]);
    const request = this.#original.clone();
    const via = {
      version: '2.0',
      transport: target.protocol,
      host: local?.address ?? 'invalid',
      port: local?.port,
      params,
    };
    request.headers.prepend('Via', formatVia(via));

    return request;
  }
}
