import type { Socket } from 'node:net';
import type { Clock } from '../../../base/index.ts';
import { StreamFramer, type Frame } from '../message/index.ts';
import type { Endpoint, RemoteFlow, SendErrorHandler, TransportProtocol } from './transport.ts';

/** A peer that does not read is let go once this much waits for it. */
const MAX_UNSENT_BYTES = 1_048_576;

const CRLF = Buffer.from('\r\n');

export interface ConnectionEvents {
  onFrame(frame: Frame, connection: TcpConnection): void;
  onClosed(connection: TcpConnection): void;
}

/** One stream connection, made by us or by the peer; over TLS too. */
export class TcpConnection {
  readonly id: string;
  readonly flow: RemoteFlow;
  /** When the last whole message or keep-alive came or went. */
  lastUsedAt: number;
  /** When the first byte of a message that is still incomplete came. */
  incompleteSince: number | undefined = undefined;
  /** Whether a whole message ever came or was asked to go. */
  used = false;
  readonly #socket: Socket;
  readonly #framer = new StreamFramer();
  readonly #clock: Clock;
  readonly #events: ConnectionEvents;
  #closed = false;
  /** What the socket died of, which a failed write does not tell. */
  #cause: Error | undefined;

  constructor(
    id: string,
    socket: Socket,
    where: { protocol: TransportProtocol; remote: Endpoint; local: Endpoint },
    clock: Clock,
    events: ConnectionEvents,
  ) {
    this.id = id;
    this.flow = { ...where, connectionId: id };
    this.#socket = socket;
    this.#clock = clock;
    this.#events = events;
    this.lastUsedAt = clock.now();
    socket.setNoDelay(true);
    socket.on('data', this.#onData);
    socket.on('error', (error) => {
      this.#cause = error;
    });
    socket.on('close', this.#onClose);
    // Half-open connections have no use in SIP: answers need both ways.
    socket.on('end', () => {
      this.close();
    });
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  send(bytes: Uint8Array, onError: SendErrorHandler): void {
    if (this.#closed || this.#socket.writableLength > MAX_UNSENT_BYTES) {
      this.close();
      queueMicrotask(() => {
        onError(new Error('the connection is closed or does not read'));
      });

      return;
    }
    this.used = true;
    this.lastUsedAt = this.#clock.now();
    this.#socket.write(bytes, (error) => {
      if (error === undefined || error === null) return;
      setImmediate(() => {
        onError(this.#cause ?? error);
      });
    });
  }

  /** Sends what is queued, then closes. */
  end(): void {
    this.#socket.end();
  }

  close(): void {
    if (!this.#closed) this.#socket.destroy();
  }

  readonly #onData = (chunk: Buffer): void => {
    for (const frame of this.#framer.push(chunk)) {
      this.lastUsedAt = this.#clock.now();
      this.incompleteSince = undefined;
      if (frame.kind === 'ping') this.send(CRLF, ignoreError);
      else {
        this.used = true;
        this.#events.onFrame(frame, this);
      }
    }
    if (this.#framer.pendingBytes === 0) this.incompleteSince = undefined;
    else this.incompleteSince ??= this.#clock.now();
  };

  readonly #onClose = (): void => {
    this.#closed = true;
    this.#events.onClosed(this);
  };
}

/** The close event tells all that there is to tell. */
function ignoreError(): void {
  return undefined;
}
