import type { SipRequest, SipResponse } from '../message/index.ts';
import { isReliable, type SendErrorHandler } from '../transport/index.ts';
import { StateMachine, type TransactionContext, type TransitionTable } from './state-machine.ts';
import type { RequestInfo, ServerTransactionUser } from './transaction.ts';
import type { ServerTransaction } from './transaction.ts';

/** What a server transaction calls in its layer. */
export interface ServerOwner {
  sendResponse(response: SipResponse, info: RequestInfo, onError: SendErrorHandler): void;
  onServerTerminated(transaction: ServerMachine): void;
}

/** The layer's view of both server machines. */
export interface ServerMachine extends ServerTransaction {
  readonly key: string;
  /** What was sent last. */
  readonly lastResponse: SipResponse | undefined;
  start(): void;
  /** The same request again. */
  receiveRetransmission(): void;
  terminate(): void;
}

export interface ServerParts {
  readonly key: string;
  readonly request: SipRequest;
  readonly info: RequestInfo;
  readonly owner: ServerOwner;
}

/** What INVITE and non-INVITE server transactions have in common. */
export abstract class ServerTransactionMachine<
  State extends string,
  Event extends string,
  Action extends string,
  Timer extends string,
>
  extends StateMachine<State, Event | 'transport error', Action, Timer>
  implements ServerMachine
{
  readonly key: string;
  readonly request: SipRequest;
  readonly info: RequestInfo;
  user: ServerTransactionUser | undefined = undefined;
  lastResponse: SipResponse | undefined = undefined;
  protected readonly reliable: boolean;
  readonly #owner: ServerOwner;

  constructor(
    context: TransactionContext,
    name: string,
    table: TransitionTable<State, Event | 'transport error', Action>,
    initial: State,
    parts: ServerParts,
  ) {
    super(context, name, table, initial);
    this.key = parts.key;
    this.request = parts.request;
    this.info = parts.info;
    this.reliable = isReliable(parts.info.flow.protocol);
    this.#owner = parts.owner;
  }

  abstract get isPending(): boolean;
  abstract start(): void;
  abstract respond(response: SipResponse): void;
  abstract receiveRetransmission(): void;

  /** Sends the last response, for the first time or again. */
  protected transmit(): void {
    if (this.lastResponse === undefined) return;
    this.#owner.sendResponse(this.lastResponse, this.info, this.#onSendError);
  }

  protected override onTerminated(): void {
    this.#owner.onServerTerminated(this);
    this.user?.onTerminated?.();
  }

  readonly #onSendError = (error: Error): void => {
    if (this.isTerminated) return;
    this.context.logger.debug(
      { err: error, method: this.request.method, remote: this.info.flow.remote },
      'SIP response could not be sent',
    );
    this.fire('transport error');
  };
}
