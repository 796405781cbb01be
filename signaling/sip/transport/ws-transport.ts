import { isUtf8 } from 'node:buffer';
import { STATUS_CODES, type IncomingMessage, type Server as HttpServer } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type RawData, type WebSocket } from 'ws';
import { TimerSet, type Clock } from '../../../base/index.ts';
import { MAX_MESSAGE_BYTES } from '../message/index.ts';
import { normaliseAddress } from './address.ts';
import type {
  Endpoint,
  RemoteFlow,
  SendErrorHandler,
  SendTarget,
  Transport,
  TransportEvents,
} from './transport.ts';
import { isSipPath, refuseHandshake, SUBPROTOCOL } from './ws-handshake.ts';

export interface WsLimits {
  readonly maxConnections: number;
  /** Of one address; many phones may sit behind one translator. */
  readonly maxPerAddress: number;
  /** A client that answers no ping for so long is gone. */
  readonly pingMs: number;
}

const DEFAULT_WS_LIMITS: WsLimits = {
  maxConnections: 4_096,
  maxPerAddress: 1_024,
  pingMs: 25_000,
};
/** A client that does not read is let go once this much waits for it. */
const MAX_UNSENT_BYTES = 1_048_576;
const PONG = Buffer.from('\r\n');

export interface WsOptions {
  readonly server: HttpServer | HttpsServer;
  /** The server speaks TLS: WSS. */
  readonly secure: boolean;
  readonly clock: Clock;
  /** Origins of pages elsewhere that may connect; "*" for all. */
  readonly allowedOrigins?: readonly string[];
  readonly limits?: Partial<WsLimits>;
}

interface Client {
  readonly socket: WebSocket;
  readonly flow: RemoteFlow & { readonly connectionId: string };
  isAlive: boolean;
}

let lastId = 0;

/**
 * SIP over WebSocket (RFC 7118) on the HTTP server, beside whatever else takes upgrades there. Clients
 * come to us and cannot be called, so a message goes by its connection or not at all.
 */
export class WsTransport implements Transport {
  readonly protocol: 'WS' | 'WSS';
  readonly reliable = true;
  readonly #server: HttpServer | HttpsServer;
  readonly #events: TransportEvents;
  readonly #origins: readonly string[];
  readonly #limits: WsLimits;
  readonly #timers: TimerSet<'ping'>;
  readonly #clients = new Map<string, Client>();
  readonly #handshakes = new WebSocketServer({
    noServer: true,
    // One SIP message a WebSocket message (RFC 7118 5), so a longer one is none.
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
    handleProtocols: () => SUBPROTOCOL,
  });
  #closed = false;

  constructor(events: TransportEvents, options: WsOptions) {
    this.protocol = options.secure ? 'WSS' : 'WS';
    this.#events = events;
    this.#server = options.server;
    this.#origins = options.allowedOrigins ?? [];
    this.#limits = { ...DEFAULT_WS_LIMITS, ...options.limits };
    this.#timers = new TimerSet(options.clock);
    this.#server.on('upgrade', this.#onUpgrade);
    this.#schedulePing();
  }

  /** The HTTP server's, once it listens. */
  get local(): Endpoint {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') return { address: '0.0.0.0', port: 0 };

    return { address: normaliseAddress(address.address), port: address.port };
  }

  get connectionCount(): number {
    return this.#clients.size;
  }

  send(bytes: Uint8Array, target: SendTarget, onError: SendErrorHandler): void {
    const client = this.#clientFor(target);
    if (client === undefined || client.socket.bufferedAmount > MAX_UNSENT_BYTES) {
      client?.socket.terminate();
      queueMicrotask(() => {
        onError(new Error('the WebSocket is closed or does not read'));
      });

      return;
    }
    // JsSIP and others read text frames alone; what is no UTF-8 can only go as octets.
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    const binary = !isUtf8(text);
    client.socket.send(text, { binary }, (error) => {
      if (error !== undefined && error !== null) onError(error);
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#timers.close();
    this.#server.off('upgrade', this.#onUpgrade);
    // 1001: "going away".
    for (const { socket } of this.#clients.values()) socket.close(1001);
    await new Promise<void>((resolve) => {
      setImmediate(() => {
        for (const { socket } of this.#clients.values()) socket.terminate();
        resolve();
      });
    });
  }

  #clientFor({ connectionId, address, port }: SendTarget): Client | undefined {
    if (connectionId !== undefined) return this.#clients.get(connectionId);
    for (const client of this.#clients.values()) {
      const { remote } = client.flow;
      if (remote.address === address && remote.port === port) return client;
    }

    return undefined;
  }

  readonly #onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    if (!isSipPath(request.url)) return;
    socket.on('error', () => undefined);
    const address = normaliseAddress(request.socket.remoteAddress ?? '');
    const status = this.#isFull(address) ? 503 : refuseHandshake(request, this.#origins);
    if (status !== undefined) {
      refuse(socket, status);

      return;
    }
    const remote = { address, port: request.socket.remotePort ?? 0 };
    this.#handshakes.handleUpgrade(request, socket, head, (webSocket) => {
      this.#adopt(webSocket, remote);
    });
  };

  #isFull(address: string): boolean {
    const { maxConnections, maxPerAddress } = this.#limits;
    if (this.#clients.size >= maxConnections) return true;
    let count = 0;
    for (const { flow } of this.#clients.values()) if (flow.remote.address === address) count++;

    return count >= maxPerAddress;
  }

  #adopt(socket: WebSocket, remote: Endpoint): void {
    lastId += 1;
    const connectionId = `${this.protocol.toLowerCase()}-${String(lastId)}`;
    const flow = { protocol: this.protocol, remote, local: this.local, connectionId };
    const client: Client = { socket, flow, isAlive: true };
    this.#clients.set(connectionId, client);
    socket.on('message', (data) => {
      client.isAlive = true;
      this.#onMessage(bytesOf(data), client);
    });
    socket.on('pong', () => {
      client.isAlive = true;
    });
    // Too long a frame, bad UTF-8 in a text frame: `ws` closes it by itself.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#clients.delete(connectionId);
    });
  }

  #onMessage(bytes: Buffer, { socket, flow }: Client): void {
    // RFC 5626 3.5.1, which RFC 7118 6 allows here too.
    if (bytes.length === 4 && bytes.toString('latin1') === '\r\n\r\n') socket.send(PONG);
    else this.#events.onBytes(bytes, flow);
  }

  #schedulePing(): void {
    this.#timers.start('ping', this.#limits.pingMs, () => {
      for (const client of this.#clients.values()) {
        if (!client.isAlive) client.socket.terminate();
        else {
          client.isAlive = false;
          client.socket.ping();
        }
      }
      this.#schedulePing();
    });
  }
}

function refuse(socket: Duplex, status: number): void {
  const phrase = STATUS_CODES[status] ?? '';
  socket.end(
    `HTTP/1.1 ${String(status)} ${phrase}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
  );
}

function bytesOf(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data;

  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}
