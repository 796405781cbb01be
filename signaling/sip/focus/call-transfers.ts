import { AppError, TimerSet, type Clock, type Logger } from '../../../base/index.ts';
import type { CallTransfer, CallTransfers } from '../../../server/index.ts';
import { parseEvent } from '../event/index.ts';
import {
  buildResponse,
  isSipUri,
  makeSipUri,
  parseUri,
  type ExtraHeaders,
  type SipRequest,
} from '../message/index.ts';
import type { ServerTransaction } from '../transaction/index.ts';
import type { SessionCall } from '../ua/index.ts';
import { allows, type MemberCall, type MemberCalls } from './member-calls.ts';

export interface CallTransfersOptions {
  readonly calls: MemberCalls;
  /** Of conference URIs, and of a name without a host. */
  readonly authority: string;
  /** For answers. */
  readonly headers: ExtraHeaders;
  /** "Parley/1.0.0" */
  readonly product: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Pending {
  readonly member: MemberCall;
  readonly view: CallTransfer;
  readonly timers: TimerSet<'patience'>;
}

type News =
  | { readonly kind: 'progress' | 'final'; readonly status: number }
  | { readonly kind: 'nothing' | 'over' };

/** How long a phone may take to tell the end: it may let the other side ring for three minutes. */
const PATIENCE = 240_000;
/** Transfers that are over and can still be asked for. */
const KEPT = 500;
const SIPFRAG = 'message/sipfrag';

/**
 * Sends phones elsewhere: a REFER in their call (RFC 3515, RFC 5589 6), then their NOTIFYs, then our BYE
 * once they have got through.
 */
export class PhoneTransfers implements CallTransfers {
  readonly #options: CallTransfersOptions;
  readonly #pending = new Map<SessionCall, Pending>();
  /** By Call-ID, the oldest first. */
  readonly #views = new Map<string, CallTransfer>();

  constructor(options: CallTransfersOptions) {
    this.#options = options;
  }

  find(callId: string): CallTransfer | undefined {
    return this.#views.get(callId);
  }

  start(callId: string, to: string): CallTransfer {
    const { calls, authority, clock, logger, product } = this.#options;
    const member = calls.ofCallId(callId);
    if (member === undefined) {
      throw new AppError('INVALID_STATE', 'the phone of this call is in no room');
    }
    const { call, participant } = member;
    if (!allows(call.introduction, 'REFER')) {
      throw new AppError('INVALID_STATE', 'the phone of this call takes no transfer (no REFER)');
    }
    if (this.#pending.has(call)) throw new AppError('INVALID_STATE', 'it is transferred already');
    const uri = readTarget(to, authority);
    if (uri === undefined) throw new AppError('BAD_REQUEST', 'not a SIP URI, tel URI or number');
    const startedAt = new Date(clock.wallTime()).toISOString();
    const view: CallTransfer = { uri, state: 'asked', startedAt };
    const pending: Pending = { member, view, timers: new TimerSet(clock) };
    const headers: ExtraHeaders = [
      ['Refer-To', `<${uri}>`],
      // RFC 3892 2.1: who asks; RFC 4579 5.6: the conference itself.
      ['Referred-By', `<sip:${participant.room.number}@${authority}>`],
      ['User-Agent', product],
    ];
    const isSent = call.send(
      'REFER',
      { headers },
      {
        // "a 202 … is to be treated as a 200" (RFC 7647 5): both only mean that it tries.
        onResponse: ({ status }) => {
          if (status >= 300) this.#end(pending, 'failed', status);
          else if (status >= 200 && view.state === 'asked') view.state = 'trying';
        },
        onFailure: () => {
          this.#end(pending, 'failed', 408);
        },
      },
    );
    if (!isSent) throw new AppError('INVALID_STATE', 'the call is over');
    this.#pending.set(call, pending);
    this.#keep(callId, view);
    pending.timers.start('patience', PATIENCE, () => {
      this.#end(pending, 'failed', undefined);
    });
    call.events.on('ended', () => {
      // It went without a word of how it ended there.
      this.#end(pending, 'unknown', undefined);
    });
    logger.info({ participantId: participant.id, callId }, 'a phone is transferred');

    return view;
  }

  /** "If no matching subscription … 481" (RFC 6665 4.1.3). */
  receive(transaction: ServerTransaction, call: SessionCall | undefined): void {
    const { request } = transaction;
    const event = parseEvent(request.headers.get('event'));
    const pending = call && this.#pending.get(call);
    if (event !== undefined && event.name !== 'refer') {
      this.#answer(transaction, 489);
    } else if (pending === undefined || event === undefined) {
      this.#answer(transaction, event === undefined ? 489 : 481);
    } else {
      const news = readNews(request);
      this.#answer(transaction, news === undefined ? 415 : 200);
      if (news !== undefined) this.#take(pending, news);
    }
  }

  close(): void {
    for (const { timers } of this.#pending.values()) timers.close();
    this.#pending.clear();
  }

  #take(pending: Pending, news: News): void {
    const { view, member } = pending;
    switch (news.kind) {
      case 'progress':
        view.status = news.status;
        view.state = news.status >= 180 ? 'ringing' : 'trying';
        break;
      case 'final':
        if (news.status >= 300) {
          this.#end(pending, 'failed', news.status);
        } else {
          this.#end(pending, 'completed', news.status);
          // "the transferor … sends a BYE" (RFC 5589 6.1).
          void member.participant.leave('replaced');
        }
        break;
      case 'over':
        this.#end(pending, 'unknown', undefined);
        break;
      case 'nothing':
    }
  }

  #end({ member, view, timers }: Pending, state: CallTransfer['state'], status?: number): void {
    timers.close();
    if (!this.#pending.delete(member.call)) return;
    view.state = state;
    if (status !== undefined) view.status = status;
    view.endedAt = new Date(this.#options.clock.wallTime()).toISOString();
    const { id } = member.participant;
    this.#options.logger.info({ participantId: id, state, status }, 'a transfer ended');
  }

  #keep(callId: string, view: CallTransfer): void {
    this.#views.delete(callId);
    this.#views.set(callId, view);
    const [oldest] = this.#views.keys();
    if (this.#views.size > KEPT && oldest !== undefined) this.#views.delete(oldest);
  }

  #answer(transaction: ServerTransaction, status: number): void {
    const allowed: ExtraHeaders = status === 489 ? [['Allow-Events', 'refer']] : [];
    const headers = [...allowed, ...this.#options.headers];
    transaction.respond(buildResponse(transaction.request, status, { headers }));
  }
}

/** The status line in the body (RFC 3515 2.4.5); undefined for a body of another kind. */
function readNews({ headers, body, bodyText, contentType }: SipRequest): News | undefined {
  const isOver = /^\s*terminated\b/i.test(headers.get('subscription-state') ?? '');
  if (body.length === 0) return { kind: isOver ? 'over' : 'nothing' };
  if (contentType?.type !== SIPFRAG) return undefined;
  const status = Number(/^SIP\/2\.0 ([1-6][0-9]{2})\b/i.exec(bodyText)?.[1]);
  if (Number.isNaN(status)) return { kind: isOver ? 'over' : 'nothing' };
  if (status >= 200) return { kind: 'final', status };

  return isOver ? { kind: 'over' } : { kind: 'progress', status };
}

/** A URI, `user@host`, or the name of somebody here. */
function readTarget(text: string, authority: string): string | undefined {
  const trimmed = text.trim();
  if (/^[A-Za-z0-9._+*#-]{1,64}$/.test(trimmed)) {
    return makeSipUri({ user: trimmed, host: 'invalid' }).text.replace(/invalid$/, authority);
  }
  const uri = parseUri(/^(sips?|tel):/i.test(trimmed) ? trimmed : `sip:${trimmed}`);
  const isCallable = uri !== undefined && (isSipUri(uri) || uri.scheme === 'tel');

  // A REFER's method and headers are not the operator's to write.
  return isCallable && !/[<>"\s?]|;method=/i.test(uri.text) ? uri.text : undefined;
}
