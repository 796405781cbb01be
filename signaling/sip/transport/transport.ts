/** What a Via names (RFC 3261 7.1.1, 7118 5.1), in upper case. */
export type TransportProtocol = 'UDP' | 'TCP' | 'TLS' | 'WS' | 'WSS';

/** A place to send to: always a numeric address, and compared with its port. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** Where a message came from and how to answer there: a connection, or a socket and a peer. */
export interface RemoteFlow {
  readonly protocol: TransportProtocol;
  readonly remote: Endpoint;
  readonly local: Endpoint;
  /** The stream connection that it came on; undefined for UDP. */
  readonly connectionId: string | undefined;
}

/** Where a request goes. */
export interface SendTarget extends Endpoint {
  readonly protocol: TransportProtocol;
  /** Only by this connection (RFC 5626 flows, WebSocket clients); when it is gone, sending fails. */
  readonly connectionId?: string | undefined;
  /** Over TLS: the SIP domain that the peer must prove to be (RFC 5922); by default its address. */
  readonly domain?: string | undefined;
  /** The socket of ours to send from, where there are several; else whichever reaches the peer. */
  readonly local?: Endpoint | undefined;
}

export type SendErrorHandler = (error: Error) => void;

/** What a transport calls above it. Neither may throw. */
export interface TransportEvents {
  /** One datagram or one framed message. */
  onBytes(bytes: Uint8Array, flow: RemoteFlow): void;
  /** The stream cannot be read any further (it is closed after this); `bytes` is its last head. */
  onFramingFault(reason: string, bytes: Uint8Array | undefined, flow: RemoteFlow): void;
}

export interface Transport {
  readonly protocol: TransportProtocol;
  /** Reliable transports carry no retransmissions. */
  readonly reliable: boolean;
  /** The address that it listens on. */
  readonly local: Endpoint;
  /** Never throws: what goes wrong, now or later, is told to `onError`, at most once. */
  send(bytes: Uint8Array, target: SendTarget, onError: SendErrorHandler): void;
  close(): Promise<void>;
}

export function isReliable(protocol: TransportProtocol): boolean {
  return protocol !== 'UDP';
}

export function sameEndpoint(a: Endpoint, b: Endpoint): boolean {
  return a.port === b.port && a.address === b.address;
}

/** RFC 3261 19.1.2: 5060, and 5061 over TLS; RFC 7118 5.3: 80 and 443. */
export function defaultPort(protocol: TransportProtocol): number {
  switch (protocol) {
    case 'TLS':
      return 5061;
    case 'WS':
      return 80;
    case 'WSS':
      return 443;
    case 'UDP':
    case 'TCP':
      return 5060;
  }
}
