import type { Clock, Logger } from '../../../base/index.ts';
import {
  buildResponse,
  newBranch,
  viaBranch,
  type SipRequest,
  type SipResponse,
} from '../message/index.ts';
import type {
  Admission,
  MessageSender,
  OutgoingRequest,
  OutgoingResponse,
  RemoteFlow,
  SendTarget,
  TransportUser,
} from '../transport/index.ts';
import type { ClientMachine, ClientOwner } from './client-transaction.ts';
import { ForkedRequests, mergeKeyOf } from './forked-requests.ts';
import { cancelFor, type CancelHeaders } from './hop-requests.ts';
import { InviteClientTransaction } from './invite-client-transaction.ts';
import { InviteServerTransaction } from './invite-server-transaction.ts';
import { NonInviteClientTransaction } from './non-invite-client-transaction.ts';
import { NonInviteServerTransaction } from './non-invite-server-transaction.ts';
import type { ServerMachine, ServerOwner } from './server-transaction.ts';
import { illegalHandler, type TransactionContext } from './state-machine.ts';
import { TransactionTimers, type TimerValues } from './timers.ts';
import { clientKey, clientKeyOf, serverKey } from './transaction-key.ts';
import type { ClientTransactionUser, TransactionUser } from './transaction-user.ts';
import type {
  ClientTransaction,
  RequestInfo,
  ServerTransaction,
  TransactionCounts,
} from './transaction.ts';

/** Some 10 kB each, and over UDP each lingers for 32 s: 1,500 calls a second, and under 1 GB. */
const DEFAULT_MAX_TRANSACTIONS = 100_000;

/** Room kept for requests inside dialogs and for CANCEL when new ones are refused already. */
const RESERVE_FACTOR = 1.25;

export interface TransactionLayerOptions {
  readonly sender: MessageSender;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly timers?: Partial<TimerValues>;
  readonly maxTransactions?: number;
  /** Which new requests are served; all, without it. */
  readonly admission?: { decide(request: SipRequest, flow: RemoteFlow): Admission };
  /** What happens on an event that no table has; by default it throws in tests and is logged else. */
  readonly onIllegal?: (what: string) => void;
}

/** RFC 3261 17: finds the transaction of each message, and makes new ones. */
export class TransactionLayer implements TransportUser, ClientOwner, ServerOwner {
  user: TransactionUser | undefined = undefined;
  readonly #sender: MessageSender;
  readonly #logger: Logger;
  readonly #context: TransactionContext;
  readonly #maxTransactions: number;
  readonly #admission: TransactionLayerOptions['admission'];
  readonly #clients = new Map<string, ClientMachine>();
  readonly #servers = new Map<string, ServerMachine>();
  readonly #forked = new ForkedRequests();
  /** INVITEs to be cancelled as soon as a provisional response comes, with their CANCEL's headers. */
  readonly #cancelLater = new Map<ClientMachine, CancelHeaders>();
  #closed = false;

  constructor(options: TransactionLayerOptions) {
    this.#sender = options.sender;
    this.#logger = options.logger;
    this.#maxTransactions = options.maxTransactions ?? DEFAULT_MAX_TRANSACTIONS;
    this.#admission = options.admission;
    this.#context = {
      clock: options.clock,
      logger: options.logger,
      timers: new TransactionTimers(options.timers),
      onIllegal: options.onIllegal ?? illegalHandler(options.logger),
    };
    this.#sender.user = this;
  }

  get timers(): TransactionTimers {
    return this.#context.timers;
  }

  /** Live transactions, for the gauges. */
  counts(): TransactionCounts {
    let inviteClient = 0;
    let inviteServer = 0;
    for (const client of this.#clients.values()) {
      if (client instanceof InviteClientTransaction) inviteClient++;
    }
    for (const server of this.#servers.values()) {
      if (server instanceof InviteServerTransaction) inviteServer++;
    }
    const nonInviteClient = this.#clients.size - inviteClient;
    const nonInviteServer = this.#servers.size - inviteServer;
    const total = this.#clients.size + this.#servers.size;

    return { inviteClient, nonInviteClient, inviteServer, nonInviteServer, total };
  }

  /**
   * Sends a request other than ACK and CANCEL in a transaction of its own. Without a target it goes
   * where its Route or Request-URI says. No callback comes before this returns.
   */
  request(
    request: SipRequest,
    target: SendTarget | undefined,
    user: ClientTransactionUser,
  ): ClientTransaction {
    return this.#startClient(request, target, newBranch(), user);
  }

  /** Sends an ACK to a 2xx; keep the result to send it again when the 2xx comes again. */
  sendAck(ack: SipRequest, target?: SendTarget, onFailure?: () => void): OutgoingRequest {
    const outgoing = this.#sender.prepareRequest(ack, target, newBranch());
    const onError = (error: Error): void => {
      if (outgoing.fallBack()) return outgoing.send(onError);
      this.#logger.debug({ err: error }, 'an ACK could not be sent');
      onFailure?.();
    };
    outgoing.send(onError);

    return outgoing;
  }

  /**
   * Cancels an INVITE: now, or once a provisional response has come (RFC 3261 9.1). Nothing happens
   * when its final response is there; whoever cancels must be ready for a 2xx all the same.
   */
  cancel(invite: ClientTransaction, headers: CancelHeaders = []): void {
    const machine = this.#clients.get(clientKey(viaBranch(invite.request.via) ?? '', 'INVITE'));
    if (machine === undefined || machine !== invite || !machine.isPending) return;
    if (machine.isProceeding) this.#sendCancel(machine, headers);
    else this.#cancelLater.set(machine, [...headers]);
  }

  /** A response that leaves nothing behind (RFC 3261 8.2.7). */
  respondStateless(response: SipResponse, info: RequestInfo): void {
    this.#sender.sendResponse(response, info.flow, (error) => {
      this.#logger.debug({ err: error }, 'a stateless response could not be sent');
    });
  }

  onRequest(request: SipRequest, flow: RemoteFlow): void {
    if (this.#closed) return;
    const info = { flow };
    if (request.method === 'ACK') {
      this.#onAck(request, info);
      return;
    }
    const key = serverKey(request);
    const known = this.#servers.get(key);
    if (known !== undefined) {
      // RFC 3261 17.2.3, without the cookie: a different To tag is not a retransmission, nor, with the
      // same CSeq and Via, anything that could be served.
      if (known.requestToTag === request.toTag) known.receiveRetransmission();

      return;
    }
    const admission = this.#admission?.decide(request, flow);
    if (admission?.kind === 'drop') return;
    const isRefused = admission?.kind === 'refuse';
    if (isRefused || this.#isFull(request)) {
      const headers = [['Retry-After', String(isRefused ? admission.retryAfter : 5)] as const];
      this.respondStateless(buildResponse(request, 503, { headers }), info);
      return;
    }
    if (this.#forked.isMerged(request)) {
      this.respondStateless(buildResponse(request, 482), info);
      return;
    }
    const server = this.#startServer(key, request, info);
    if (request.method === 'CANCEL') this.#onCancel(server, request);
    else this.user?.onRequest(server);
  }

  onResponse(response: SipResponse): void {
    // RFC 6026 7.2: a response that matches no client transaction is dropped.
    if (!this.#closed) this.#clients.get(clientKeyOf(response) ?? '')?.receive(response);
  }

  /** Ends all transactions, with nothing sent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const client of this.#clients.values()) client.terminate();
    for (const server of this.#servers.values()) server.terminate();
    this.#cancelLater.clear();
  }

  prepareAck(ack: SipRequest, invite: OutgoingRequest): OutgoingRequest {
    return this.#sender.prepareRequest(ack, invite.target, viaBranch(invite.request.via)!);
  }

  onClientProceeding(transaction: ClientMachine): void {
    const headers = this.#cancelLater.get(transaction);
    if (headers === undefined) return;
    this.#cancelLater.delete(transaction);
    this.#sendCancel(transaction, headers);
  }

  onClientTerminated(transaction: ClientMachine): void {
    this.#cancelLater.delete(transaction);
    this.#clients.delete(transaction.key);
  }

  prepareResponse(response: SipResponse, info: RequestInfo): OutgoingResponse {
    return this.#sender.prepareResponse(response, info.flow);
  }

  onServerTerminated(transaction: ServerMachine): void {
    this.#servers.delete(transaction.key);
    this.#forked.remove(transaction);
  }

  #startClient(
    request: SipRequest,
    target: SendTarget | undefined,
    branch: string,
    user: ClientTransactionUser,
  ): ClientMachine {
    const outgoing = this.#sender.prepareRequest(request, target, branch);
    const key = clientKey(branch, request.method);
    const parts = { key, outgoing, user, owner: this };
    const machine: ClientMachine =
      request.method === 'INVITE'
        ? new InviteClientTransaction(this.#context, parts)
        : new NonInviteClientTransaction(this.#context, parts);
    if (this.#closed) {
      queueMicrotask(() => {
        user.onFailure('transport-error');
      });

      return machine;
    }
    this.#clients.set(key, machine);
    machine.start();

    return machine;
  }

  #startServer(key: string, request: SipRequest, info: RequestInfo): ServerTransaction {
    const parts = { key, mergeKey: mergeKeyOf(request), request, info, owner: this };
    const machine =
      request.method === 'INVITE'
        ? new InviteServerTransaction(this.#context, parts)
        : new NonInviteServerTransaction(this.#context, parts);
    const handle = machine.handle!;
    this.#servers.set(key, machine);
    this.#forked.add(machine);
    machine.start();

    return handle;
  }

  #onAck(ack: SipRequest, info: RequestInfo): void {
    const invite = this.#servers.get(serverKey(ack));
    const isAbsorbed = invite instanceof InviteServerTransaction && invite.receiveAck(ack);
    if (!isAbsorbed) this.user?.onAck(ack, info);
  }

  /** RFC 3261 9.2. */
  #onCancel(transaction: ServerTransaction, cancel: SipRequest): void {
    const invite = this.#servers.get(serverKey(cancel, 'INVITE'));
    if (!(invite instanceof InviteServerTransaction)) {
      transaction.respond(buildResponse(cancel, 481));

      return;
    }
    // "the To tag of the response to the CANCEL and the To tag in the response to the original request
    // SHOULD be the same."
    transaction.respond(buildResponse(cancel, 200, { toTag: invite.responseToTag }));
    if (invite.handle !== undefined) this.user?.onCancel(invite.handle, cancel);
  }

  #sendCancel(invite: ClientMachine, extra: CancelHeaders): void {
    const { request } = invite;
    const cancel = cancelFor(request, extra);
    this.#startClient(cancel, invite.outgoing.target, viaBranch(request.via)!, IGNORE);
    invite.onCancelSent?.();
  }

  #isFull(request: SipRequest): boolean {
    const count = this.#clients.size + this.#servers.size;
    if (count < this.#maxTransactions) return false;
    const inside = request.method === 'CANCEL' || request.toTag !== undefined;

    return !inside || count >= this.#maxTransactions * RESERVE_FACTOR;
  }
}

/** What becomes of a CANCEL nobody needs to know: the INVITE's own final response tells. */
const IGNORE: ClientTransactionUser = {
  onResponse: () => undefined,
  onFailure: () => undefined,
};
