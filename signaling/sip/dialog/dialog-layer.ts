import { buildResponse, type SipRequest } from '../message/index.ts';
import type { ServerTransaction } from '../transaction/index.ts';
import { dialogIdOfRequest, dialogKey, type DialogId } from './dialog-id.ts';
import type { InviteSession } from './invite-session.ts';

/** All dialogs of the user agent, and which request belongs to which. */
export class DialogLayer {
  readonly #sessions = new Map<string, InviteSession>();
  readonly #early = new Set<InviteSession>();

  /** Early dialogs of calls of ours left out: each such call has several, or none. */
  get size(): number {
    return this.#sessions.size - this.#early.size;
  }

  sessions(): InviteSession[] {
    return [...this.#sessions.values()];
  }

  add(session: InviteSession): void {
    this.#sessions.set(dialogKey(session.dialog.id), session);
    if (session.state === 'early') this.#early.add(session);
  }

  /** A call of ours has its 2xx. */
  confirm(session: InviteSession): void {
    this.#early.delete(session);
  }

  remove(session: InviteSession): void {
    this.#sessions.delete(dialogKey(session.dialog.id));
    this.#early.delete(session);
  }

  find(request: SipRequest): InviteSession | undefined {
    return this.findById(dialogIdOfRequest(request));
  }

  findById(id: DialogId): InviteSession | undefined {
    return this.#sessions.get(dialogKey(id));
  }

  get(id: DialogId): InviteSession | undefined {
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
}
