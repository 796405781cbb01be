import type { Server, Socket } from 'node:net';
import { TimerSet, type Clock } from '../../../base/index.ts';
import type { Frame } from '../message/index.ts';
import { isWildcard, normaliseAddress } from './address.ts';
import { TCP, type StreamKind } from './stream-kind.ts';
import { TcpConnection } from './tcp-connection.ts';
import type {
  Endpoint,
  SendErrorHandler,
  SendTarget,
  Transport,
  TransportEvents,
} from './transport.ts';

export interface TcpLimits {
  readonly maxConnections: number;
  /** Nothing went or came. Long: a call may be quiet for hours, and its BYE needs the connection. */
  readonly idleMs: number;
  /** A message that was begun and not completed, and a connection on which none ever came. */
  readonly incompleteMs: number;
  readonly connectMs: number;
}

export const DEFAULT_TCP_LIMITS: TcpLimits = {
  maxConnections: 4_096,
  idleMs: 7_200_000,
  incompleteMs: 32_000,
  connectMs: 5_000,
};

const SWEEP_MS = 4_000;

/** Unique among all transports: a flow names its connection by it alone. */
let lastId = 0;

/** SIP over TCP or TLS: connections from peers and to them, reused in both directions. */
export class TcpTransport implements Transport {
  readonly protocol: StreamKind['protocol'];
  readonly reliable = true;
  readonly local: Endpoint;
  readonly #kind: StreamKind;
  readonly #server: Server;
  readonly #clock: Clock;
  readonly #events: TransportEvents;
  readonly #limits: TcpLimits;
  readonly #timers: TimerSet<'sweep'>;
  readonly #byId = new Map<string, TcpConnection>();
  /** The newest connection to each peer, by address and port. */
  readonly #byPeer = new Map<string, TcpConnection>();
  #closed = false;

  private constructor(
    kind: StreamKind,
    server: Server,
    events: TransportEvents,
    clock: Clock,
    limits: Partial<TcpLimits>,
  ) {
    const bound = server.address();
    if (bound === null || typeof bound === 'string') throw new TypeError('not a TCP address');
    this.local = { address: normaliseAddress(bound.address), port: bound.port };
    this.protocol = kind.protocol;
    this.#kind = kind;
    this.#server = server;
    this.#events = events;
    this.#clock = clock;
    this.#limits = { ...DEFAULT_TCP_LIMITS, ...limits };
    this.#timers = new TimerSet(clock);
    server.on(kind.accepted, this.#onConnection);
    // Handshakes that do not end must not be without bound either.
    server.maxConnections = 2 * this.#limits.maxConnections;
    server.on('error', () => undefined);
    this.#startSweep();
  }

  static async listen(
    at: Endpoint,
    events: TransportEvents,
    clock: Clock,
    limits: Partial<TcpLimits> = {},
    kind: StreamKind = TCP,
  ): Promise<TcpTransport> {
    const server = kind.createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(at.port, at.address, () => {
        server.off('error', reject);
        resolve();
      });
    });

    return new TcpTransport(kind, server, events, clock, limits);
  }

  get connectionCount(): number {
    return this.#byId.size;
  }

  send(bytes: Uint8Array, target: SendTarget, onError: SendErrorHandler): void {
    const connection = this.#closed ? undefined : this.#connectionFor(target);
    if (connection === undefined) {
      queueMicrotask(() => {
        onError(new Error('no connection'));
      });

      return;
    }
    connection.send(bytes, onError);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#timers.close();
    // What was written last (a BYE, a 503) still goes out; who does not close is closed.
    for (const connection of this.#byId.values()) connection.end();
    await new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
      setImmediate(() => {
        for (const connection of this.#byId.values()) connection.close();
      });
    });
  }

  #connectionFor(target: SendTarget): TcpConnection | undefined {
    if (target.connectionId !== undefined) return this.#byId.get(target.connectionId);
    const known = this.#byPeer.get(peerKey(target, target.domain));
    if (known !== undefined && !known.isClosed) return known;
    if (this.#byId.size >= this.#limits.maxConnections) return undefined;

    return this.#open(target);
  }

  #open(target: SendTarget): TcpConnection | undefined {
    let socket: Socket;
    try {
      const { address } = this.local;
      socket = this.#kind.connect(target, isWildcard(address) ? undefined : address);
    } catch {
      return undefined;
    }
    socket.setTimeout(this.#limits.connectMs, () => {
      socket.destroy(new Error('no answer to the connection attempt'));
    });
    socket.once(this.#kind.connected, () => socket.setTimeout(0));

    return this.#adopt(socket, { address: target.address, port: target.port }, target.domain);
  }

  readonly #onConnection = (socket: Socket): void => {
    if (this.#closed || this.#byId.size >= this.#limits.maxConnections) {
      socket.destroy();

      return;
    }
    const remote = {
      address: normaliseAddress(socket.remoteAddress ?? ''),
      port: socket.remotePort ?? 0,
    };
    this.#adopt(socket, remote);
  };

  /** `domain`: whose certificate the peer has shown, for a connection of ours. */
  #adopt(socket: Socket, remote: Endpoint, domain?: string): TcpConnection {
    lastId += 1;
    const id = `${this.protocol.toLowerCase()}-${String(lastId)}`;
    const where = { protocol: this.protocol, remote, local: this.local };
    const connection = new TcpConnection(id, socket, where, this.#clock, {
      onFrame: this.#onFrame,
      onClosed: this.#onClosed,
    });
    this.#byId.set(id, connection);
    const key = peerKey(remote, domain);
    this.#byPeer.set(key, connection);
    socket.once('close', () => {
      if (this.#byPeer.get(key) === connection) this.#byPeer.delete(key);
    });

    return connection;
  }

  readonly #onFrame = (frame: Frame, connection: TcpConnection): void => {
    if (frame.kind === 'message') this.#events.onBytes(frame.bytes, connection.flow);
    else if (frame.kind === 'fault') {
      this.#events.onFramingFault(frame.reason, frame.bytes, connection.flow);
      // RFC 3261 18.3 and 20.14: where the next message starts cannot be known any more.
      connection.end();
    }
  };

  readonly #onClosed = (connection: TcpConnection): void => {
    this.#byId.delete(connection.id);
  };

  #startSweep(): void {
    this.#timers.start('sweep', SWEEP_MS, () => {
      const now = this.#clock.now();
      for (const connection of this.#byId.values()) {
        if (this.#isOverdue(connection, now)) connection.close();
      }
      this.#startSweep();
    });
  }

  #isOverdue(connection: TcpConnection, now: number): boolean {
    const { idleMs, incompleteMs } = this.#limits;
    const since = connection.incompleteSince;
    if (since !== undefined && now - since >= incompleteMs) return true;

    return now - connection.lastUsedAt >= (connection.used ? idleMs : incompleteMs);
  }
}

/** RFC 5922 7.4: a connection that proved one domain is not used for another one. */
function peerKey(peer: Endpoint, domain = ''): string {
  return `${peer.address}|${String(peer.port)}|${domain}`;
}
