import { AppError, toError, type Clock, type Logger } from '../../../base/index.ts';
import { may, type CallProgress, type DialOut, type Participant } from '../../../server/index.ts';
import { Dialog, nextHop, type DialogId, type RequestSender } from '../dialog/index.ts';
import {
  buildResponse,
  isSipUri,
  newTag,
  parseHeaderParams,
  parseNameAddr,
  percentDecode,
  type ExtraHeaders,
  type NameAddr,
  type SipRequest,
  type Uri,
} from '../message/index.ts';
import type { ServerTransaction } from '../transaction/index.ts';
import { flowTarget } from '../transport/index.ts';
import type { SessionCall, UserAgent } from '../ua/index.ts';
import { errorStatus, rejectionStatus } from '../reason-map.ts';
import type { Gatekeeper } from './gatekeeper.ts';
import type { MemberCall, MemberCalls } from './member-calls.ts';
import { ReferSubscription, type SendInDialog } from './refer-subscription.ts';

export interface ReferReceiverOptions {
  readonly calls: MemberCalls;
  readonly userAgent: Pick<UserAgent, 'findCall' | 'focusContact'>;
  readonly sender: RequestSender;
  readonly dialOut: Pick<DialOut, 'start' | 'follow'>;
  readonly gatekeeper: Gatekeeper;
  readonly headers: ExtraHeaders;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Members' REFERs: call somebody in, or put somebody out (RFC 3515, RFC 4579 5.5 and 5.11). */
export class ReferReceiver {
  readonly #options: ReferReceiverOptions;
  /** Of calls that have sent a REFER before, by the event's id, which it has from the second one on. */
  readonly #known = new WeakMap<SessionCall, Map<string, ReferSubscription>>();

  constructor(options: ReferReceiverOptions) {
    this.#options = options;
  }

  receive(transaction: ServerTransaction, call: SessionCall | undefined): void {
    const { request } = transaction;
    const member = this.#authorise(request, call);
    if (typeof member === 'number') {
      this.#answer(transaction, member);
      return;
    }
    const referTo = readReferTo(request);
    if (referTo === undefined) {
      this.#answer(transaction, 400);
    } else if (!isSipUri(referTo.uri) && referTo.uri.scheme !== 'tel') {
      this.#answer(transaction, 416);
    } else {
      const method = isSipUri(referTo.uri) ? referTo.uri.params.get('method') : undefined;
      switch (method?.toUpperCase() ?? 'INVITE') {
        case 'INVITE':
          this.#invite(transaction, call, member, referTo).catch((error: unknown) => {
            this.#options.logger.error({ err: toError(error) }, 'REFER failed');
            if (transaction.isPending) this.#answer(transaction, 500);
          });
          break;
        case 'BYE':
          this.#remove(transaction, call, member, referTo);
          break;
        default:
          // "A UA … that does not wish to … SHOULD … 603 Decline" (2.4.2).
          this.#answer(transaction, 603);
      }
    }
  }

  /**
   * Who knows the call's identifiers is taken for its phone (RFC 4538); anybody else's REFER would let
   * strangers call at our cost.
   */
  #authorise(request: SipRequest, call: SessionCall | undefined): MemberCall | number {
    const { calls, userAgent } = this.#options;
    if (call !== undefined) return calls.ofCall(call) ?? 480;
    if (request.toTag !== undefined) return 481;
    const id = targetDialog(request);
    const target = id && userAgent.findCall(id);

    return calls.ofCall(target) ?? 403;
  }

  /**
   * The call is begun before the REFER is answered: one over a limit, or to nobody, is refused at once.
   * NOTIFYs come after the answer.
   */
  async #invite(
    transaction: ServerTransaction,
    call: SessionCall | undefined,
    member: MemberCall,
    referTo: NameAddr,
  ): Promise<void> {
    const { request } = transaction;
    const { dialOut } = this.#options;
    const { participant } = member;
    const start = (isProven: boolean): ReturnType<DialOut['start']> => {
      const by = request.headers.get('referred-by');
      const replaces = replacesOf(referTo.uri);

      return dialOut.start(participant.room.number, {
        uri: bareUri(referTo.uri).text,
        by: { role: participant.role, isProven },
        ...(referTo.displayName !== undefined && { name: referTo.displayName }),
        referral: {
          // RFC 3892 2.2: "Referred-By … MUST be copied … into the referenced request".
          ...(by !== undefined && { by }),
          ...(replaces !== undefined && { replaces }),
        },
      });
    };
    const isProven = member.account !== undefined || participant.room.view().hostPinSet;
    let started = await start(isProven).catch(toAppError);
    if (started instanceof AppError && started.code === 'UNAUTHORIZED') {
      const { gatekeeper } = this.#options;
      const missing = await gatekeeper.proofMissing(request, transaction.info.flow);
      if (missing !== undefined) {
        this.#answer(transaction, missing.status, missing.headers);
        return;
      }
      started = await start(true).catch(toAppError);
    }
    if (started instanceof AppError) {
      this.#answer(transaction, referStatus(started));
      return;
    }
    const subscription = this.#accept(transaction, call, participant);
    subscription?.progress(100);
    dialOut.follow(started.id, (progress) => {
      if (subscription !== undefined) tellProgress(subscription, progress);
    });
  }

  #remove(
    transaction: ServerTransaction,
    call: SessionCall | undefined,
    { participant }: MemberCall,
    referTo: NameAddr,
  ): void {
    const { room } = participant;
    const wanted = addressOf(referTo.uri);
    const views = room.roster().filter((view) => addressText(view.address) === wanted);
    const targets = views.flatMap((view) => room.participant(view.id) ?? []);
    if (targets.length === 0) {
      this.#answer(transaction, 404);
    } else if (targets.some((target) => !may(participant, 'remove', target).ok)) {
      this.#answer(transaction, 403);
    } else {
      const subscription = this.#accept(transaction, call, participant);
      subscription?.final(200);
      for (const target of targets) {
        void target.leave(target === participant ? 'left' : 'kicked');
      }
    }
  }

  /** 200, never 202 (RFC 7647 5), and the first NOTIFY, unless no news are wanted (RFC 4488). */
  #accept(
    transaction: ServerTransaction,
    call: SessionCall | undefined,
    participant: Participant,
  ): ReferSubscription | undefined {
    const { request, info } = transaction;
    const { userAgent, clock, headers } = this.#options;
    const isSilent = /^false\s*(;|$)/i.test(request.headers.get('refer-sub') ?? '');
    const toTag = newTag();
    const contact = userAgent.focusContact(participant.room.number, request, flowTarget(info.flow));
    const all = [...(isSilent ? [['Refer-Sub', 'false'] as const] : []), ...headers];
    transaction.respond(buildResponse(request, 200, { toTag, contact, headers: all }));
    this.#options.logger.info({ by: participant.id }, 'REFER');
    if (isSilent) return undefined;
    const before = call && this.#known.get(call);
    const id = before === undefined ? undefined : request.cseq.sequence;
    const send: SendInDialog =
      call === undefined
        ? this.#ownDialog(transaction, toTag, contact)
        : (method, parts, user) => call.sendBeside(method, parts, user);
    const subscription = new ReferSubscription(send, id, clock);
    const left = [...(before ?? [])].filter(([, each]) => !each.isOver);
    if (call !== undefined) this.#known.set(call, new Map([...left, [keyOf(id), subscription]]));

    return subscription;
  }

  /** A SUBSCRIBE in a call: to news that a REFER there has made, or 481. */
  receiveSubscribe(transaction: ServerTransaction, call: SessionCall, id?: string): void {
    const { request, info } = transaction;
    const { userAgent, calls, headers } = this.#options;
    const subscription = this.#known.get(call)?.get(keyOf(id));
    const room = calls.ofCall(call)?.participant.room.number;
    const asked = Number(request.headers.get('expires') ?? subscription?.left);
    if (subscription === undefined || subscription.isOver || room === undefined) {
      this.#answer(transaction, 481);
    } else if (!Number.isInteger(asked) || asked < 0) {
      this.#answer(transaction, 400);
    } else {
      const contact = userAgent.focusContact(room, request, flowTarget(info.flow));
      const expires = ['Expires', String(Math.min(asked, subscription.left))] as const;
      transaction.respond(buildResponse(request, 200, { contact, headers: [expires, ...headers] }));
      subscription.asked(asked === 0);
    }
  }

  /** A REFER outside a call makes a dialog for its NOTIFYs. */
  #ownDialog({ request, info }: ServerTransaction, toTag: string, contact: string): SendInDialog {
    const dialog = Dialog.fromRequest(request, toTag, info.flow);

    return (method, parts, user) => {
      const notify = dialog.createRequest(method, { ...parts, contact });
      this.#options.sender.request(notify, nextHop(dialog), user);

      return true;
    };
  }

  #answer(transaction: ServerTransaction, status: number, more: ExtraHeaders = []): void {
    const headers = [...more, ...this.#options.headers];
    transaction.respond(buildResponse(transaction.request, status, { headers }));
  }
}

function keyOf(id: number | string | undefined): string {
  return id === undefined ? '' : String(id);
}

/** "A REFER request MUST contain exactly one Refer-To" (2.4.2). */
function readReferTo({ headers }: SipRequest): NameAddr | undefined {
  const [value, ...others] = headers.getAll('refer-to');

  return value === undefined || others.length > 0 ? undefined : parseNameAddr(value);
}

/** The dialog of Target-Dialog (RFC 4538 7) from our side: their local tag is our remote one. */
function targetDialog({ headers }: SipRequest): DialogId | undefined {
  const value = headers.get('target-dialog');
  if (value === undefined) return undefined;
  const semicolon = value.indexOf(';');
  const params = semicolon < 0 ? undefined : parseHeaderParams(value, semicolon);
  const localTag = params?.get('remote-tag');
  const remoteTag = params?.get('local-tag');
  if (localTag === undefined || remoteTag === undefined) return undefined;

  return { callId: value.slice(0, semicolon).trim(), localTag, remoteTag };
}

/** What is dialled: without the method and the headers, which are not part of the address. */
function bareUri(uri: Uri): Uri {
  if (!isSipUri(uri)) return uri;
  const params = new Map([...uri.params].filter(([name]) => name !== 'method'));
  const text = uri.text.replace(/\?.*$/, '').replace(/;method=[^;]*/i, '');

  return { ...uri, params, headers: undefined, text };
}

/** Of the headers that Refer-To may ask for only this one is known to do no harm (RFC 3261 19.1.5). */
function replacesOf(uri: Uri): string | undefined {
  if (!isSipUri(uri) || uri.headers === undefined) return undefined;
  for (const field of uri.headers.split('&')) {
    const equals = field.indexOf('=');
    const name = percentDecode(field.slice(0, Math.max(0, equals))).toLowerCase();
    const value = percentDecode(field.slice(equals + 1));
    if (name === 'replaces' && !/[\u0000-\u001f]/.test(value)) return value;
  }

  return undefined;
}

function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  throw error;
}

/** "480 … may be tried again later" for what is over a limit: 503 would turn a phone away from us. */
function referStatus({ code }: AppError): number {
  return code === 'RATE_LIMITED' ? 480 : errorStatus(code);
}

function tellProgress(subscription: ReferSubscription, progress: CallProgress): void {
  if (progress.state === 'ringing') subscription.progress(progress.status);
  else if (progress.state === 'answered') subscription.final(200);
  else subscription.final(progress.status ?? rejectionStatus(progress.reason));
}

/** User and host: what tells members apart in the roster. */
function addressOf(uri: Uri): string {
  return addressText(uri.text);
}

function addressText(text: string): string {
  return text
    .replace(/^sips?:/i, '')
    .replace(/[;?].*$/, '')
    .toLowerCase();
}
