import { toError } from '../../../base/index.ts';
import type { SipRequest, SipResponse } from '../message/index.ts';
import type { OutgoingRequest } from '../transport/index.ts';
import {
  StateMachine,
  type TimerEvent,
  type TransactionContext,
  type TransitionTable,
} from './state-machine.ts';
import type { ClientFailure, ClientTransactionUser } from './transaction-user.ts';
import type { ClientTransaction } from './transaction.ts';

/** What a client transaction calls in its layer. */
export interface ClientOwner {
  /** Sends the ACK of a 300–699, which is no transaction of its own. */
  prepareAck(ack: SipRequest, invite: OutgoingRequest): OutgoingRequest;
  onClientProceeding(transaction: ClientMachine): void;
  onClientTerminated(transaction: ClientMachine): void;
}

/** The layer's view of both client machines. */
export interface ClientMachine extends ClientTransaction {
  readonly key: string;
  readonly outgoing: OutgoingRequest;
  start(): void;
  receive(response: SipResponse): void;
  /** INVITE only: a CANCEL for it is on its way. */
  onCancelSent?(): void;
  terminate(): void;
}

export interface ClientParts {
  readonly key: string;
  readonly outgoing: OutgoingRequest;
  readonly user: ClientTransactionUser;
  readonly owner: ClientOwner;
}

export type ClientAction = 'pass' | 'timeout' | 'failure';

/** A figure of RFC 3261 17.1. */
export type ClientTable<
  State extends string,
  Event extends string,
  Action extends string,
  Timer extends string,
> = TransitionTable<State, Event | 'transport error' | TimerEvent<Timer>, Action | ClientAction>;

/** What INVITE and non-INVITE client transactions have in common. */
export abstract class ClientTransactionMachine<
  State extends string,
  Event extends string,
  Action extends string,
  Timer extends string,
>
  extends StateMachine<State, Event | 'transport error', Action | ClientAction, Timer>
  implements ClientMachine
{
  readonly key: string;
  readonly outgoing: OutgoingRequest;
  protected readonly owner: ClientOwner;
  protected response: SipResponse | undefined = undefined;
  readonly #user: ClientTransactionUser;
  #sendError: Error | undefined;

  constructor(
    context: TransactionContext,
    name: string,
    table: ClientTable<State, Event, Action, Timer>,
    initial: State,
    parts: ClientParts,
  ) {
    super(context, name, table, initial);
    this.key = parts.key;
    this.outgoing = parts.outgoing;
    this.owner = parts.owner;
    this.#user = parts.user;
  }

  abstract get isProceeding(): boolean;
  abstract get isPending(): boolean;

  get request(): SipRequest {
    return this.outgoing.request;
  }

  start(): void {
    if (!this.outgoing.reliable) this.startRetransmissions();
    this.startTimeout();
    this.transmit();
  }

  receive(response: SipResponse): void {
    this.response = response;
    this.fire(this.eventOf(response.status));
  }

  protected abstract eventOf(status: number): Event;
  /** The first retransmission timer, for unreliable transports. */
  protected abstract startRetransmissions(): void;
  /** Timer B or F. */
  protected abstract startTimeout(): void;
  /** What only one of both figures has. */
  protected abstract performOwn(action: Action): void;

  protected perform(action: Action | ClientAction): void {
    if (action === 'pass') this.passResponse();
    else if (action === 'timeout') this.#inform('timeout');
    else if (action === 'failure') this.#inform('transport-error');
    else this.performOwn(action);
  }

  protected transmit(): void {
    this.outgoing.send(this.#onSendError);
  }

  protected passResponse(): void {
    if (this.response !== undefined) this.#user.onResponse(this.response);
  }

  protected override onTerminated(): void {
    this.owner.onClientTerminated(this);
    this.#user.onTerminated?.();
  }

  #inform(failure: ClientFailure): void {
    this.#user.onFailure(failure, this.#sendError);
  }

  readonly #onSendError = (error: Error): void => {
    if (this.isTerminated) return;
    if (this.isPending && !this.isProceeding && this.outgoing.fallBack()) {
      this.startRetransmissions();
      this.transmit();

      return;
    }
    this.context.logger.debug(
      { err: toError(error), method: this.request.method, target: this.outgoing.target },
      'SIP request could not be sent',
    );
    this.#sendError = error;
    this.fire('transport error');
  };
}
