import { buildResponse, type SipRequest, type SipResponse } from '../message/index.ts';
import { isReliable, type OutgoingResponse } from '../transport/index.ts';
import {
  StateMachine,
  type TimerEvent,
  type TransactionContext,
  type TransitionTable,
} from './state-machine.ts';
import type { RequestInfo, ServerTransactionUser } from './transaction.ts';
import type { ServerTransaction } from './transaction.ts';

/** What a server transaction calls in its layer. */
export interface ServerOwner {
  prepareResponse(response: SipResponse, info: RequestInfo): OutgoingResponse;
  onServerTerminated(transaction: ServerMachine): void;
}

/** The layer's view of both server machines. */
export interface ServerMachine {
  readonly key: string;
  /** Undefined for a request inside a dialog. */
  readonly mergeKey: string | undefined;
  /** Of the request that made it. */
  readonly requestToTag: string | undefined;
  /** Of what was sent last. */
  readonly responseToTag: string | undefined;
  readonly isPending: boolean;
  /** What was sent last is a final response other than 2xx. */
  readonly isRefused: boolean;
  /** What the user has of it; undefined once it has its final response. */
  readonly handle: ServerTransaction | undefined;
  start(): void;
  /** The same request again. */
  receiveRetransmission(): void;
  terminate(): void;
}

export interface ServerParts {
  readonly key: string;
  readonly mergeKey: string | undefined;
  readonly request: SipRequest;
  readonly info: RequestInfo;
  readonly owner: ServerOwner;
}

export type ServerAction = 'send' | 'send again' | 'send 100' | 'failure';

/** A figure of RFC 3261 17.2. */
export type ServerTable<
  State extends string,
  Event extends string,
  Action extends string,
  Timer extends string,
> = TransitionTable<State, Event | 'transport error' | TimerEvent<Timer>, Action | ServerAction>;

/**
 * What INVITE and non-INVITE server transactions have in common. A machine lives for 64*T1 after its
 * final response, in thousands: from then on it has no more than retransmissions need, the octets of
 * the response. The request, and all that hangs on it, is the user's to keep or to forget.
 */
export abstract class ServerTransactionMachine<
  State extends string,
  Event extends string,
  Action extends string,
  Timer extends string,
>
  extends StateMachine<State, Event | 'transport error', Action | ServerAction, Timer>
  implements ServerMachine
{
  readonly key: string;
  readonly mergeKey: string | undefined;
  readonly requestToTag: string | undefined;
  protected readonly reliable: boolean;
  readonly #owner: ServerOwner;
  #handle: ServerHandle | undefined;
  #user: ServerTransactionUser | undefined;
  #outgoing: OutgoingResponse | undefined;
  #responseToTag: string | undefined;
  #isRefused = false;

  constructor(
    context: TransactionContext,
    name: string,
    table: ServerTable<State, Event, Action, Timer>,
    initial: State,
    { key, mergeKey, request, info, owner }: ServerParts,
  ) {
    super(context, name, table, initial);
    this.key = key;
    this.mergeKey = mergeKey;
    this.requestToTag = request.toTag;
    this.reliable = isReliable(info.flow.protocol);
    this.#owner = owner;
    this.#handle = new ServerHandle(this, request, info);
  }

  get handle(): ServerTransaction | undefined {
    return this.#handle;
  }

  get responseToTag(): string | undefined {
    return this.#responseToTag;
  }

  get isRefused(): boolean {
    return this.#isRefused;
  }

  /** Told of the machine's fate, to the end. */
  get user(): ServerTransactionUser | undefined {
    return this.#user;
  }

  set user(user: ServerTransactionUser | undefined) {
    this.#user = user;
  }

  abstract get isPending(): boolean;
  abstract start(): void;
  abstract respond(response: SipResponse, request: SipRequest, info: RequestInfo): void;
  abstract receiveRetransmission(): void;

  /** This is to be sent from now on. */
  protected hold(response: SipResponse, info: RequestInfo): void {
    this.#outgoing = this.#owner.prepareResponse(response, info);
    this.#responseToTag = response.toTag;
    this.#isRefused = response.status >= 300;
  }

  /** What only one of both figures has. */
  protected abstract performOwn(action: Action): void;

  protected perform(action: Action | ServerAction): void {
    if (action === 'send' || action === 'send again') this.transmit();
    else if (action === 'send 100') this.#sendTrying();
    else if (action === 'failure') this.#user?.onTransportError?.();
    else this.performOwn(action);
  }

  /** Sends the response held, for the first time or again. */
  protected transmit(): void {
    this.#outgoing?.send((error) => {
      this.#onSendError(error);
    });
  }

  /** The final response is on its way: what only answering needs is let go. */
  protected release(): void {
    this.#handle = undefined;
  }

  /** Nothing is left to be sent again by the transaction itself. */
  protected forgetResponse(): void {
    this.#outgoing = undefined;
  }

  protected override onTerminated(): void {
    this.#handle = undefined;
    this.#outgoing = undefined;
    this.#owner.onServerTerminated(this);
    this.#user?.onTerminated?.();
  }

  /** RFC 3261 17.2.1 and RFC 4320 4.1: the TU takes long. */
  #sendTrying(): void {
    if (this.#handle === undefined) return;
    const { request, info } = this.#handle;
    this.hold(buildResponse(request, 100), info);
    this.transmit();
  }

  #onSendError(error: Error): void {
    if (this.isTerminated) return;
    this.context.logger.debug(
      { err: error, transaction: this.key },
      'SIP response could not be sent',
    );
    this.fire('transport error');
  }
}

/** The user's side of a server transaction. */
class ServerHandle implements ServerTransaction {
  readonly request: SipRequest;
  readonly info: RequestInfo;
  readonly #machine: Answerable;

  constructor(machine: Answerable, request: SipRequest, info: RequestInfo) {
    this.#machine = machine;
    this.request = request;
    this.info = info;
  }

  get user(): ServerTransactionUser | undefined {
    return this.#machine.user;
  }

  set user(user: ServerTransactionUser | undefined) {
    this.#machine.user = user;
  }

  get isPending(): boolean {
    return this.#machine.isPending;
  }

  respond(response: SipResponse): void {
    this.#machine.respond(response, this.request, this.info);
  }
}

interface Answerable {
  user: ServerTransactionUser | undefined;
  readonly isPending: boolean;
  respond(response: SipResponse, request: SipRequest, info: RequestInfo): void;
}
