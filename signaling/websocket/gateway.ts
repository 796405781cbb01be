import type { IncomingMessage, Server as HttpServer } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import { Server, type Socket } from 'socket.io';
import type { Clock, Logger, RateLimit } from '../../base/index.ts';
import { Connection, type ConnectionCounters, type ConnectionLimits } from './connection.ts';
import { mediaHandlers } from './media-handlers.ts';
import { MemberRegistry } from './member-registry.ts';
import { SOCKET_PATH } from './protocol.ts';
import { KeyedRateLimiter, addressKey } from './rate-limiter.ts';
import { roomHandlers, type RoomDoor } from './room-handlers.ts';

export interface WebSocketGatewayLimits extends ConnectionLimits {
  /** New sockets of one address. */
  connections: RateLimit;
  /** Sockets open at once, of all addresses. */
  maxSockets: number;
  /** Octets of one message. */
  maxMessageSize: number;
}

export interface WebSocketGatewayOptions {
  httpServer: HttpServer | HttpsServer;
  rooms: RoomDoor;
  clock: Clock;
  logger: Logger;
  /** Milliseconds that a page which lost its socket keeps its place. */
  reconnectTimeout?: number;
  /** Origins besides our own, as `https://host:port`. */
  allowedOrigins?: readonly string[];
  limits?: Partial<WebSocketGatewayLimits>;
}

export interface WebSocketGatewayCounters extends ConnectionCounters {
  connections: number;
  connectionsRefused: number;
  /** Open now. */
  sockets: number;
  /** In rooms now, those between two sockets included. */
  members: number;
}

const RECONNECT_TIMEOUT = 15_000;

const LIMITS: WebSocketGatewayLimits = {
  // A page opens one socket; an office or a test house behind one address opens many.
  connections: { perSecond: 20, burst: 200 },
  maxSockets: 5000,
  // An RtpCapabilities of a browser takes some 10 kB.
  maxMessageSize: 100_000,
  // Entering a room with a hundred others takes two requests for each of their streams.
  requests: { perSecond: 50, burst: 600 },
  maxPending: 600,
  maxHeld: 4096,
  joinTimeout: 30_000,
  maxAnswers: 128,
};

/** The socket.io front end: lets sockets in and makes a Connection of each. */
export class WebSocketGateway {
  readonly #options: WebSocketGatewayOptions;
  readonly #limits: WebSocketGatewayLimits;
  readonly #logger: Logger;
  readonly #io: Server;
  readonly #members = new MemberRegistry();
  readonly #connections = new Set<Connection>();
  readonly #arrivals: KeyedRateLimiter;
  readonly #handlers;
  readonly #counters = {
    connections: 0,
    connectionsRefused: 0,
    requests: 0,
    failed: 0,
    malformed: 0,
    rateLimited: 0,
  };
  #closed = false;

  constructor(options: WebSocketGatewayOptions) {
    this.#options = options;
    this.#limits = { ...LIMITS, ...options.limits };
    this.#logger = options.logger.child({ tag: 'websocket' });
    this.#arrivals = new KeyedRateLimiter(this.#limits.connections, options.clock);
    this.#handlers = {
      ...roomHandlers({
        rooms: options.rooms,
        members: this.#members,
        clock: options.clock,
        logger: this.#logger,
        reconnectTimeout: options.reconnectTimeout ?? RECONNECT_TIMEOUT,
      }),
      ...mediaHandlers(),
    };
    this.#io = new Server(options.httpServer, {
      path: SOCKET_PATH,
      serveClient: false,
      maxHttpBufferSize: this.#limits.maxMessageSize,
      pingInterval: 10_000,
      pingTimeout: 10_000,
      allowRequest: (request, decide) => {
        const refusal = this.#refuse(request);
        if (refusal !== undefined) this.#counters.connectionsRefused += 1;
        decide(refusal, refusal === undefined);
      },
    });
    this.#io.on('connection', (socket) => {
      this.#accept(socket);
    });
  }

  counters(): WebSocketGatewayCounters {
    return {
      ...this.#counters,
      sockets: this.#connections.size,
      members: this.#members.size,
    };
  }

  /** Tells every page that the server is about to go. */
  announceClosing(): void {
    for (const connection of this.#connections) connection.notify('server-closing', {});
  }

  /** Closes every socket; the http server is left to its owner. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const connection of [...this.#connections]) connection.disconnect();
    this.#io.engine.close();
  }

  #refuse(request: IncomingMessage): string | undefined {
    if (this.#closed) return 'closing';
    if (!isAllowedOrigin(request, this.#options.allowedOrigins ?? [])) return 'origin not allowed';
    if (this.#connections.size >= this.#limits.maxSockets) return 'too many connections';
    const address = addressKey(request.socket.remoteAddress ?? '');

    return this.#arrivals.take(address) ? undefined : 'too many connections';
  }

  #accept(socket: Socket): void {
    this.#counters.connections += 1;
    const address = socket.conn.remoteAddress.replace(/^::ffff:/, '');
    const connection = new Connection({
      socket,
      address,
      handlers: this.#handlers,
      limits: this.#limits,
      counters: this.#counters,
      clock: this.#options.clock,
      logger: this.#logger.child({ socket: socket.id, address }),
      onClosed: (closed) => {
        this.#connections.delete(closed);
      },
    });
    this.#connections.add(connection);
  }
}

/**
 * A page of another site may open a WebSocket to us, as CORS does not hold for those; what tells is
 * the Origin header, which pages cannot forge. Programs that are no browsers send none.
 */
export function isAllowedOrigin(
  request: Pick<IncomingMessage, 'headers'>,
  allowedOrigins: readonly string[],
): boolean {
  const { origin, host } = request.headers;
  if (origin === undefined || allowedOrigins.includes(origin)) return true;
  if (host === undefined || !URL.canParse(origin)) return false;

  // The scheme is left out: behind a proxy that ends TLS ours is http where the page's is https.
  return new URL(origin).host === host || new URL(origin).host === host.replace(/:(?:80|443)$/, '');
}
