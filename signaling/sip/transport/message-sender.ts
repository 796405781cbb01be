import type { SipRequest, SipResponse } from '../message/index.ts';
import type {
  Endpoint,
  RemoteFlow,
  SendErrorHandler,
  SendTarget,
  TransportProtocol,
} from './transport.ts';

/** What is counted on the wire; the metrics implement it. */
export interface SipCounters {
  requestIn(method: string): void;
  requestOut(method: string): void;
  responseIn(code: number): void;
  responseOut(code: number): void;
  malformed(transport: TransportProtocol): void;
  /** A new request that was not served, for want of time or because its source sends too many. */
  refused?(reason: 'rate' | 'overload'): void;
}

/** Sees all bytes that come and go, after and before any change. */
export type TraceHook = (
  direction: 'in' | 'out',
  protocol: TransportProtocol,
  remote: Endpoint,
  bytes: Uint8Array,
) => void;

/** The layer above. */
export interface TransportUser {
  onRequest(request: SipRequest, flow: RemoteFlow): void;
  onResponse(response: SipResponse, flow: RemoteFlow): void;
}

/** A request bound to its next hop, to be sent as often as the transaction wants. */
export interface OutgoingRequest {
  /** With its Via. */
  readonly request: SipRequest;
  readonly target: SendTarget;
  readonly reliable: boolean;
  send(onError: SendErrorHandler): void;
  /**
   * RFC 3261 18.1.1: a request that went to TCP for its size alone goes over UDP when TCP is refused.
   * True when there is such a way; request, target and reliable are those of UDP then.
   */
  fallBack(): boolean;
}

/** A response on its way back, to be sent as often as the transaction wants. */
export interface OutgoingResponse {
  send(onError: SendErrorHandler): void;
}

/** What the transaction layer needs of this one. */
export interface MessageSender {
  user: TransportUser | undefined;
  /** Without a target the request goes where its Route or Request-URI says. */
  prepareRequest(
    request: SipRequest,
    target: SendTarget | undefined,
    branch: string,
  ): OutgoingRequest;
  prepareResponse(response: SipResponse, flow: RemoteFlow): OutgoingResponse;
  sendResponse(response: SipResponse, flow: RemoteFlow, onError: SendErrorHandler): void;
}
