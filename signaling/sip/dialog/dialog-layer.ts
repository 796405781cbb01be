import { buildResponse, type SipRequest } from '../message/index.ts';
import type { ServerTransaction } from '../transaction/index.ts';
import { dialogIdOfRequest, dialogKey, type DialogId } from './dialog-id.ts';
import type { InviteSession } from './invite-session.ts';

/** All dialogs of the user agent, and which request belongs to which. */
export class DialogLayer {
  readonly #sessions = new Map<string, InviteSession>();
  /** INVITEs of living calls by what a forked copy shares with them, and their branch. */
  readonly #invites = new Map<string, string | undefined>();

  get size(): number {
    return this.#sessions.size;
  }

  sessions(): InviteSession[] {
    return [...this.#sessions.values()];
  }

  add(session: InviteSession, invite?: SipRequest): void {
    this.#sessions.set(dialogKey(session.dialog.id), session);
    if (invite !== undefined) this.#invites.set(mergeKey(invite), branchOf(invite));
  }

  remove(session: InviteSession, invite?: SipRequest): void {
    this.#sessions.delete(dialogKey(session.dialog.id));
    if (invite !== undefined) this.#invites.delete(mergeKey(invite));
  }

  find(request: SipRequest): InviteSession | undefined {
    return this.findById(dialogIdOfRequest(request));
  }

  findById(id: DialogId): InviteSession | undefined {
    return this.#sessions.get(dialogKey(id));
  }

  /** A request with a To tag: to its session, else 481 (RFC 3261 12.2.2). */
  receive(transaction: ServerTransaction): void {
    const session = this.find(transaction.request);
    if (session === undefined) transaction.respond(buildResponse(transaction.request, 481));
    else session.receive(transaction);
  }

  /** The ACK of a 2xx; one that fits nothing is dropped, as ACKs are never answered. */
  receiveAck(ack: SipRequest): void {
    this.find(ack)?.receiveAck(ack);
  }

  /**
   * "If the request has no tag in the To header field … and the From tag, Call-ID, and CSeq exactly
   * match those associated with an ongoing transaction, but the request does not match that
   * transaction", it came here twice by a fork: 482 (8.2.2.2).
   */
  isMerged(request: SipRequest): boolean {
    const key = mergeKey(request);

    return this.#invites.has(key) && this.#invites.get(key) !== branchOf(request);
  }
}

function mergeKey(request: SipRequest): string {
  const { sequence, method } = request.cseq;

  return `${request.callId}\n${request.fromTag ?? ''}\n${String(sequence)} ${method}`;
}

function branchOf(request: SipRequest): string | undefined {
  return request.via.params.get('branch');
}
