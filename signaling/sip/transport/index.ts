export { defaultPort, isReliable, sameEndpoint } from './transport.ts';
export type {
  Endpoint,
  RemoteFlow,
  SendTarget,
  Transport,
  TransportEvents,
  TransportProtocol,
} from './transport.ts';
