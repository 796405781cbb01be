export { WebSocketGateway } from './gateway.ts';
export type {
  WebSocketGatewayCounters,
  WebSocketGatewayLimits,
  WebSocketGatewayOptions,
} from './gateway.ts';
export { PROTOCOL_VERSION, SOCKET_PATH } from './protocol.ts';
