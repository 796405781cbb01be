import { AppError, type Logger } from '../../../base/index.ts';
import {
  dial,
  type ChatMessage,
  type Participant,
  type RoomManager,
} from '../../../server/index.ts';
import { buildResponse, isSipUri, type ExtraHeaders, type SipRequest } from '../message/index.ts';
import type { ServerTransaction } from '../transaction/index.ts';
import type { SessionCall } from '../ua/index.ts';
import type { MemberCalls } from './member-calls.ts';

const TEXT_TYPE = 'text/plain';
/** Octets of a body that we read. */
const MAX_BODY = 8000;
/**
 * RFC 3428 8: a MESSAGE outside of a media session "MUST NOT exceed 1300 bytes" where the way is not
 * known to control congestion; this leaves room for the header.
 */
const MAX_BODY_SENT = 800;
/** MESSAGEs that wait for the one before; then the oldest are dropped. */
const MAX_WAITING = 50;
const TOO_FAST_PAUSE = '5';

/** RFC 3428 with rooms: a member's MESSAGE is a line of its room's chat. */
export class ChatReceiver {
  readonly #rooms: Pick<RoomManager, 'get'>;
  readonly #calls: MemberCalls;
  readonly #headers: ExtraHeaders;

  constructor(rooms: Pick<RoomManager, 'get'>, calls: MemberCalls, headers: ExtraHeaders) {
    this.#rooms = rooms;
    this.#calls = calls;
    this.#headers = headers;
  }

  receive(transaction: ServerTransaction, call: SessionCall | undefined): void {
    const author = this.#authorOf(transaction, call);
    if (typeof author === 'number') {
      this.#answer(transaction, author);
      return;
    }
    const text = readText(transaction.request);
    if (typeof text === 'number') {
      this.#answer(transaction, text, text === 415 ? [['Accept', TEXT_TYPE]] : []);
      return;
    }
    try {
      author.say(text);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      const isTooFast = error.code === 'RATE_LIMITED';
      this.#answer(
        transaction,
        isTooFast ? 480 : 403,
        isTooFast ? [['Retry-After', TOO_FAST_PAUSE]] : [],
      );
      return;
    }
    this.#answer(transaction, 200);
  }

  /** In a call it is whose call it is; outside it has to be a member's own phone. */
  #authorOf(
    { request, info }: ServerTransaction,
    call: SessionCall | undefined,
  ): Participant | number {
    if (call !== undefined) return this.#calls.ofCall(call)?.participant ?? 480;
    if (request.toTag !== undefined) return 481;
    const target = dial(isSipUri(request.uri) ? (request.uri.user ?? '') : '');
    if (!target.ok || this.#rooms.get(target.room) === undefined) return 404;

    return this.#calls.sender(target.room, request, info.flow)?.participant ?? 403;
  }

  #answer(transaction: ServerTransaction, status: number, headers: ExtraHeaders = []): void {
    const all = [...headers, ...this.#headers];
    transaction.respond(buildResponse(transaction.request, status, { headers: all }));
  }
}

/** The text of a MESSAGE, or the status that refuses it. */
function readText({ headers, body, contentType }: SipRequest): string | number {
  if (body.length > MAX_BODY) return 413;
  if (body.length === 0) return '';
  const encoding = headers.get('content-encoding');
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') return 415;
  if (contentType?.type !== TEXT_TYPE) return 415;
  const charset = contentType.params.get('charset')?.toLowerCase() ?? 'utf-8';
  if (!['utf-8', 'us-ascii', 'iso-8859-1'].includes(charset)) return 415;

  return Buffer.from(body).toString(charset === 'iso-8859-1' ? 'latin1' : 'utf8');
}

/** The lines of others on their way to one phone, in order: one MESSAGE at a time (RFC 3428 4). */
export class ChatOutbox {
  readonly #call: SessionCall;
  readonly #logger: Logger;
  readonly #waiting: string[] = [];
  #isSending = false;
  #isRefused = false;

  constructor(call: SessionCall, logger: Logger) {
    this.#call = call;
    this.#logger = logger;
  }

  tell({ name, text }: ChatMessage): void {
    if (this.#isRefused) return;
    this.#waiting.push(...pieces(`${name}: ${text}`, MAX_BODY_SENT));
    this.#waiting.splice(0, this.#waiting.length - MAX_WAITING);
    this.#sendNext();
  }

  #sendNext(): void {
    const content = this.#isSending ? undefined : this.#waiting.shift();
    if (content === undefined) return;
    const body = { type: `${TEXT_TYPE};charset=UTF-8`, content };
    this.#isSending = this.#call.send(
      'MESSAGE',
      { body },
      {
        onResponse: ({ status }) => {
          if (status >= 200) this.#sent(status);
        },
        onFailure: () => {
          this.#sent(408);
        },
      },
    );
  }

  #sent(status: number): void {
    this.#isSending = false;
    // It does not take them after all; to go on would only be noise.
    this.#isRefused = [405, 415, 481, 488, 501, 603].includes(status);
    if (status >= 300) this.#logger.debug({ status }, 'a phone did not take a chat line');
    if (this.#isRefused) this.#waiting.length = 0;
    else this.#sendNext();
  }
}

/** Cut where characters end. */
export function pieces(text: string, maxOctets: number): string[] {
  const all: string[] = [];
  let piece = '';
  let octets = 0;
  for (const character of text) {
    const length = Buffer.byteLength(character);
    if (octets + length > maxOctets) {
      all.push(piece);
      piece = '';
      octets = 0;
    }
    piece += character;
    octets += length;
  }

  return [...all, piece];
}
