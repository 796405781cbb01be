import type { HostPort } from '../message/index.ts';
import type { OutgoingResponse } from './message-sender.ts';
import type { RemoteFlow, SendErrorHandler, SendTarget } from './transport.ts';

/** The part of the transport layer that an outgoing response needs. */
interface ResponseTransmitter {
  transmitResponse(outgoing: PreparedResponse, onError: SendErrorHandler): void;
}

/** A response as octets and the way back; it is kept for 64*T1 and has nothing else. */
export class PreparedResponse implements OutgoingResponse {
  readonly status: number;
  readonly bytes: Uint8Array;
  /** By its Via: where it goes when the flow of the request is no more. */
  readonly target: SendTarget;
  readonly flow: RemoteFlow;
  /** Where its sender says it is: asked for when all else has failed. */
  readonly sentBy: HostPort;
  readonly #transmitter: ResponseTransmitter;

  constructor(
    transmitter: ResponseTransmitter,
    status: number,
    bytes: Uint8Array,
    target: SendTarget,
    flow: RemoteFlow,
    sentBy: HostPort,
  ) {
    this.#transmitter = transmitter;
    this.status = status;
    this.bytes = bytes;
    this.target = target;
    this.flow = flow;
    this.sentBy = sentBy;
  }

  send(onError: SendErrorHandler): void {
    this.#transmitter.transmitResponse(this, onError);
  }
}
