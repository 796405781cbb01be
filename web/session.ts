import { io, type Socket } from 'socket.io-client';
import type {
  Ack,
  JoinAnswer,
  NotificationName,
  NotificationPayload,
  RequestAnswers,
  RequestName,
  RequestPayload,
} from '../signaling/websocket/protocol.ts';
import { PROTOCOL_VERSION } from './protocol-version.ts';

/** The server said no, or said nothing. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** The stream or the session ended while we asked for something of it: that shows elsewhere. */
export function isExpected(error: unknown): boolean {
  return (
    error instanceof RequestError && ['NOT_FOUND', 'CLOSED', 'SESSION_LOST'].includes(error.code)
  );
}

export interface SessionEvents {
  /** In the room. `resumed`: as before; otherwise all media has to be set up. */
  joined: (answer: JoinAnswer) => void;
  /** The connection broke; the session tries to come back by itself. */
  interrupted: () => void;
  /** The server does not let us in (any more). */
  refused: (error: RequestError) => void;
  notification: <N extends NotificationName>(name: N, payload: NotificationPayload<N>) => void;
}

export interface SessionOptions {
  room: string;
  name: string;
  pin?: string;
  events: SessionEvents;
  /** Another server than the one the page came from: for tests. */
  url?: string;
}

interface PendingRequest {
  name: RequestName;
  message: { requestId: string };
  resolve: (data: never) => void;
  reject: (error: RequestError) => void;
  timer: ReturnType<typeof setTimeout>;
}

const REQUEST_TIMEOUT = 30_000;
/** The server is restarting or full of news for us: come back, but not at once. */
const RETRY_DELAY = 2000;

/**
 * The connection to the server: typed requests, notifications, and the way back after it broke.
 * Requests that wait for an answer meanwhile are repeated under their old id, so none is done twice.
 */
export class Session {
  readonly #options: SessionOptions;
  readonly #socket: Socket;
  readonly #pending = new Map<string, PendingRequest>();
  #resumeToken: string | undefined;
  #joinId = newRequestId();
  #joined = false;
  #over = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    const settings = {
      transports: ['websocket', 'polling'],
      tryAllTransports: true,
      reconnectionDelay: 500,
      reconnectionDelayMax: 3000,
      autoConnect: false,
      forceNew: true,
    };
    this.#socket = options.url === undefined ? io(settings) : io(options.url, settings);
    this.#socket.on('connect', () => {
      this.#join();
    });
    this.#socket.on('disconnect', (reason) => {
      this.#onDisconnect(reason);
    });
    this.#socket.onAny((name: NotificationName, payload: NotificationPayload<NotificationName>) => {
      if (name === 'ended') this.#stop();
      options.events.notification(name, payload);
    });
  }

  open(): void {
    this.#socket.connect();
  }

  request<N extends RequestName>(name: N, payload: RequestPayload<N>): Promise<RequestAnswers[N]> {
    return new Promise((resolve, reject) => {
      if (this.#over) {
        reject(new RequestError('CLOSED', 'the session is over'));

        return;
      }
      const requestId = newRequestId();
      const timer = setTimeout(() => {
        this.#pending.delete(requestId);
        reject(new RequestError('TIMEOUT', 'the server did not answer'));
      }, REQUEST_TIMEOUT);
      const message = { ...payload, requestId };
      this.#pending.set(requestId, { name, message, resolve, reject, timer });
      if (this.#joined) this.#send(requestId);
    });
  }

  /** For good. Also used while the page goes away, when no answer can be waited for. */
  leave(): void {
    if (this.#over) return;
    if (this.#socket.connected) this.#socket.emit('leave', { requestId: newRequestId() });
    this.#stop();
  }

  #join(): void {
    const { room, name, pin } = this.#options;
    const message = {
      requestId: this.#joinId,
      version: PROTOCOL_VERSION,
      room,
      name,
      ...(pin !== undefined && { pin }),
      ...(this.#resumeToken !== undefined && { resumeToken: this.#resumeToken }),
    };
    this.#socket.emit('join', message, (ack: Ack<'join'>) => {
      if (this.#over) return;
      if (ack.ok) {
        this.#onJoined(ack.data);
      } else if (ack.code === 'SHUTTING_DOWN' || ack.code === 'RATE_LIMITED') {
        this.#retryLater();
      } else {
        this.#stop();
        this.#options.events.refused(new RequestError(ack.code, ack.message));
      }
    });
  }

  #onJoined(answer: JoinAnswer): void {
    this.#resumeToken = answer.resumeToken;
    this.#joinId = newRequestId();
    this.#joined = true;
    if (!answer.resumed) {
      // What they asked for concerned streams that are gone with the earlier stay.
      this.#rejectAll(new RequestError('SESSION_LOST', 'the session was lost'));
    }
    const waiting = [...this.#pending.keys()];
    this.#options.events.joined(answer);
    for (const requestId of waiting) this.#send(requestId);
  }

  #onDisconnect(reason: Socket.DisconnectReason): void {
    if (this.#over) return;
    this.#joined = false;
    this.#options.events.interrupted();
    // socket.io comes back by itself unless the server closed the socket.
    if (reason === 'io server disconnect') this.#retryLater();
  }

  #retryLater(): void {
    this.#socket.disconnect();
    setTimeout(() => {
      if (!this.#over) this.#socket.connect();
    }, RETRY_DELAY);
  }

  #send(requestId: string): void {
    const pending = this.#pending.get(requestId);
    if (pending === undefined || !this.#socket.connected) return;
    this.#socket.emit(pending.name, pending.message, (ack: Ack<RequestName>) => {
      if (!this.#pending.delete(requestId)) return;
      clearTimeout(pending.timer);
      if (ack.ok) pending.resolve(ack.data as never);
      else pending.reject(new RequestError(ack.code, ack.message));
    });
  }

  #stop(): void {
    this.#over = true;
    this.#joined = false;
    this.#rejectAll(new RequestError('CLOSED', 'the session is over'));
    this.#socket.disconnect();
  }

  #rejectAll(error: RequestError): void {
    for (const { reject, timer } of this.#pending.values()) {
      clearTimeout(timer);
      reject(error);
    }
    this.#pending.clear();
  }
}

/** 128 random bits. `crypto.randomUUID` is missing where a page came over plain HTTP. */
function newRequestId(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))]
    .map((octet) => octet.toString(16).padStart(2, '0'))
    .join('');
}
