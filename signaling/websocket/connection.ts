import type { Socket } from 'socket.io';
import { AppError, RateLimiter, TimerSet, toError } from '../../base/index.ts';
import type { Clock, Logger, RateLimit } from '../../base/index.ts';
import { AnswerCache } from './answer-cache.ts';
import type { Member, Outlet } from './member.ts';
import { parseRequest } from './parse-request.ts';
import type {
  Ack,
  NotificationName,
  NotificationPayload,
  RequestAnswers,
  RequestMessage,
  RequestName,
} from './protocol.ts';

/** What a handler comes to. A function is called in the turn in which the ack goes out. */
export type Outcome<N extends RequestName> = RequestAnswers[N] | (() => RequestAnswers[N]);

export type Handlers<Names extends RequestName = RequestName> = {
  [N in Names]: (
    connection: Connection,
    message: RequestMessage<N>,
  ) => Outcome<N> | Promise<Outcome<N>>;
};

export interface ConnectionLimits {
  requests: RateLimit;
  /** Requests that may wait for their turn. */
  maxPending: number;
  /** Notifications that may wait for an ack; above it the page must come back for a fresh picture. */
  maxHeld: number;
  /** Milliseconds that a socket may stay without joining. */
  joinTimeout: number;
  /** Answers remembered for repeated requests. */
  maxAnswers: number;
}

export interface ConnectionCounters {
  requests: number;
  failed: number;
  malformed: number;
  rateLimited: number;
}

export interface ConnectionOptions {
  socket: Socket;
  address: string;
  handlers: Handlers;
  limits: ConnectionLimits;
  counters: ConnectionCounters;
  clock: Clock;
  logger: Logger;
  onClosed: (connection: Connection) => void;
}

type SendAck = (ack: Ack<RequestName>) => void;

/** After this many refused requests in a row the socket is not a page that stumbled. */
const MAX_REFUSED = 500;

/**
 * One socket: takes requests in, one after the other, acknowledges each, and keeps notifications back
 * while a request is worked on, so that an ack always comes before what follows from it.
 */
export class Connection implements Outlet {
  readonly address: string;
  readonly #options: ConnectionOptions;
  readonly #socket: Socket;
  readonly #limiter: RateLimiter;
  readonly #timers: TimerSet<'join'>;
  readonly #held: (() => void)[] = [];
  #answers: AnswerCache;
  #queue: Promise<void> = Promise.resolve();
  #pending = 0;
  #refused = 0;
  #working = false;
  #closed = false;
  #member: Member | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#socket = options.socket;
    this.address = options.address;
    this.#limiter = new RateLimiter(options.limits.requests, options.clock);
    this.#answers = new AnswerCache(options.limits.maxAnswers);
    this.#timers = new TimerSet(options.clock);
    this.#timers.start('join', options.limits.joinTimeout, () => {
      this.disconnect();
    });
    this.#socket.onAny((name: unknown, ...args: unknown[]) => {
      this.#receive(name, args);
    });
    this.#socket.on('disconnect', (reason) => {
      options.logger.debug({ reason }, 'socket closed');
      this.#close();
    });
  }

  /** Whom this socket speaks for; asking before the join is the page's mistake. */
  get member(): Member {
    if (this.#member === undefined) throw new AppError('INVALID_STATE', 'join first');

    return this.#member;
  }

  get hasMember(): boolean {
    return this.#member !== undefined;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  get answers(): AnswerCache {
    return this.#answers;
  }

  /** This socket speaks for `member` from now on. */
  adopt(member: Member): void {
    this.#timers.stop('join');
    this.#member = member;
    this.#answers = member.answers;
    member.attach(this);
    if (this.#closed) member.detach(this);
  }

  notify<N extends NotificationName>(name: N, payload: NotificationPayload<N>): void {
    this.#afterAck(() => {
      this.#socket.emit(name, payload);
    });
  }

  end(payload: NotificationPayload<'ended'>): void {
    this.notify('ended', payload);
    this.#afterAck(() => this.disconnect());
  }

  disconnect(): void {
    this.#socket.disconnect(true);
  }

  #afterAck(action: () => void): void {
    if (this.#closed) return;
    if (!this.#working) {
      action();
    } else if (this.#held.length < this.#options.limits.maxHeld) {
      this.#held.push(action);
    } else {
      this.#options.logger.warn({}, 'too many notifications held back, closing the socket');
      this.disconnect();
    }
  }

  #receive(name: unknown, args: unknown[]): void {
    const last = args.at(-1);
    const send: SendAck = typeof last === 'function' ? (last as SendAck) : () => undefined;
    const { counters, limits } = this.#options;
    counters.requests += 1;
    if (!this.#limiter.take() || this.#pending >= limits.maxPending) {
      counters.rateLimited += 1;
      send(refusal(new AppError('RATE_LIMITED', 'too many requests')));
      if (++this.#refused > MAX_REFUSED) this.disconnect();

      return;
    }
    this.#refused = 0;
    const parsed = parseRequest(name, args[0]);
    if (!parsed.ok) {
      counters.malformed += 1;
      send(refusal(parsed.error));

      return;
    }
    this.#pending += 1;
    this.#queue = this.#queue.then(() => this.#serve(parsed.name, parsed.message, send));
  }

  /** Never rejects: the queue goes on whatever a request came to. */
  async #serve(name: RequestName, message: RequestMessage<RequestName>, send: SendAck) {
    this.#working = true;
    try {
      const known = this.#answers.find(name, message.requestId);
      if (known !== undefined) {
        send(await known);
      } else {
        const answer = this.#answer(name, message, send);
        this.#answers.put(name, message.requestId, answer);
        await answer;
      }
    } catch (error) {
      this.#options.logger.error({ err: toError(error), request: name }, 'request broke off');
    } finally {
      this.#pending -= 1;
      this.#working = false;
      this.#release();
    }
  }

  async #answer(
    name: RequestName,
    message: RequestMessage<RequestName>,
    send: SendAck,
  ): Promise<Ack<RequestName>> {
    const handle = this.#options.handlers[name];
    let ack: Ack<RequestName>;
    try {
      const outcome = await handle(this, message as never);
      // From here to `acknowledged` without a pause: nothing may happen in between that is neither
      // in the answer nor told as an event.
      ack = { ok: true, data: typeof outcome === 'function' ? outcome() : outcome };
    } catch (error) {
      this.#options.counters.failed += 1;
      if (!(error instanceof AppError)) {
        this.#options.logger.error({ err: toError(error), request: name }, 'request failed');
      }
      ack = refusal(error);
    }
    send(ack);
    if (ack.ok && !this.#closed) this.#member?.acknowledged();

    return ack;
  }

  #release(): void {
    for (const action of this.#held.splice(0)) action();
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#timers.close();
    this.#held.length = 0;
    this.#member?.detach(this);
    this.#options.onClosed(this);
  }
}

function refusal(error: unknown): Ack<never> {
  return error instanceof AppError
    ? { ok: false, code: error.code, message: error.message }
    : { ok: false, code: 'INTERNAL', message: 'something went wrong in the server' };
}
