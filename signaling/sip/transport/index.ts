export { defaultPort, isReliable, sameEndpoint } from './transport.ts';
export type {
  Endpoint,
  RemoteFlow,
  SendErrorHandler,
  SendTarget,
  Transport,
  TransportEvents,
  TransportProtocol,
} from './transport.ts';
export type {
  MessageSender,
  OutgoingRequest,
  OutgoingResponse,
  SipCounters,
  TraceHook,
  TransportUser,
} from './message-sender.ts';
export { TransportLayer } from './transport-layer.ts';
export type { TransportLayerOptions } from './transport-layer.ts';
export { UdpTransport } from './udp-transport.ts';
export { DEFAULT_TCP_LIMITS, TcpTransport } from './tcp-transport.ts';
export type { TcpLimits } from './tcp-transport.ts';
export { flowTarget, requestTarget, responseTarget } from './routing.ts';
export type { TlsSettings } from './stream-kind.ts';
export { WsTransport } from './ws-transport.ts';
export type { WsLimits, WsOptions } from './ws-transport.ts';
export { AdmissionControl } from './admission.ts';
export type { Admission, AdmissionOptions, RefusalReason } from './admission.ts';
export { sourceOf } from './token-buckets.ts';
