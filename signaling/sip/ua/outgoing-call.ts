import { TimerSet } from '../../../base/index.ts';
import { parseSdp, SdpError, writeSdp, type SdpSession } from '../../sdp/index.ts';
import {
  buildRequest,
  isSuccess,
  newCallId,
  newTag,
  withTag,
  type ExtraHeaders,
  type NameAddr,
  type SipRequest,
  type SipResponse,
  type Uri,
} from '../message/index.ts';
import type { ClientFailure, ClientTransaction, ServerTransaction } from '../transaction/index.ts';
import { flowTarget, type RemoteFlow, type SendTarget } from '../transport/index.ts';
import {
  Dialog,
  dialogKey,
  InviteSession,
  nextHop,
  SDP_TYPE,
  sdpBody,
  type Resendable,
  type SessionContext,
} from '../dialog/index.ts';
import type { CallEnd } from './call.ts';
import {
  AnsweringSender,
  credentialHeaders,
  withCredentials,
  type ChallengeAnswerer,
} from './challenges.ts';
import { SessionCall } from './session-call.ts';

export interface OutgoingCallParts {
  /** Who is called: goes into Request-URI and To. */
  readonly to: NameAddr;
  readonly from: NameAddr;
  /** Where the INVITE goes; without it the Request-URI says. */
  readonly target?: SendTarget | undefined;
  /** Our offer; without it the far end's 2xx brings one, and `answerWith` makes the answer. */
  readonly offer?: SdpSession | undefined;
  readonly answerWith?: ((offer: SdpSession) => SdpSession | undefined) | undefined;
  readonly headers?: ExtraHeaders | undefined;
  /** Preloaded, as from the Path of a registration. */
  readonly routes?: readonly NameAddr[] | undefined;
  /** The INVITE and all that follows in its dialog goes down this flow (RFC 5626 5.3). */
  readonly flow?: RemoteFlow | undefined;
  /** Answers 401 and 407. */
  readonly credentials?: ChallengeAnswerer | undefined;
  /** The call is cancelled when nobody answers within this time. */
  readonly answerTimeout?: number | undefined;
  /** 101–199, for ringing. */
  readonly onProgress?: ((response: SipResponse) => void) | undefined;
}

/** More challenges than these to one INVITE are a loop. */
const MAX_CHALLENGES = 3;

/** What the user agent is told, for its books. */
export interface OutgoingCallOwner {
  established(session: InviteSession): void;
  sessionTerminated(session: InviteSession): void;
  failed(): void;
}

type DialState = 'calling' | 'cancelling' | 'answered' | 'over';

/** A call that we make (RFC 3261 13.2). */
export class OutgoingCall extends SessionCall {
  readonly #context: SessionContext;
  readonly #parts: OutgoingCallParts;
  readonly #owner: OutgoingCallOwner;
  readonly #timers: TimerSet<'answer' | 'giveUp'>;
  #request: SipRequest;
  #invite: ClientTransaction;
  #challenges = 0;
  /** ACKs by dialog: forked calls may be answered more than once. */
  readonly #acks = new Map<string, Resendable>();
  #session: InviteSession | undefined;
  #state: DialState = 'calling';

  constructor(
    context: SessionContext,
    parts: OutgoingCallParts,
    owner: OutgoingCallOwner,
    answerRequest: (transaction: ServerTransaction) => void,
  ) {
    super(context.logger, answerRequest);
    this.#context = context;
    this.#parts = parts;
    this.#owner = owner;
    this.#timers = new TimerSet(context.clock);
    this.#request = buildRequest({
      method: 'INVITE',
      uri: parts.to.uri,
      from: withTag(parts.from, newTag()),
      to: parts.to,
      callId: newCallId(),
      cseq: 1,
      contact: context.contact,
      routes: parts.routes,
      headers: [...context.requestHeaders, ...(parts.headers ?? [])],
      body: parts.offer && { type: SDP_TYPE, content: writeSdp(parts.offer) },
    });
    this.#invite = this.#send();
    if (parts.answerTimeout !== undefined) {
      this.#timers.start('answer', parts.answerTimeout, () => this.hangUp());
    }
  }

  get request(): SipRequest {
    return this.#request;
  }

  get remoteUri(): Uri {
    return this.#parts.to.uri;
  }

  get isEnded(): boolean {
    return this.#state === 'over' || this.#state === 'cancelling';
  }

  /** CANCEL before the answer, BYE after it. */
  hangUp(headers?: ExtraHeaders): void {
    if (this.#session !== undefined) {
      this.#session.hangUp(headers);
    } else if (this.#state === 'calling') {
      this.#state = 'cancelling';
      this.#context.sender.cancel(this.#invite, [...(headers ?? [])]);
      // A 2xx may still cross the CANCEL; without any final response the call is over after 64*T1
      // ("the client … consider the original transaction cancelled", 9.1).
      this.#timers.stop('answer');
      this.#timers.start('giveUp', 64 * this.#context.times.t1, () => this.abort());
      this.events.emit('ended', { by: 'local', cause: 'cancel' });
    }
  }

  /** Stops waiting, without a word to the far end. */
  abort(): void {
    if (this.#session !== undefined) this.#session.abort();
    else this.#end({ by: 'local', cause: 'lost' });
  }

  protected get session(): InviteSession | undefined {
    return this.#session;
  }

  #send(): ClientTransaction {
    const { target, flow } = this.#parts;
    const way = target ?? (flow && flowTarget(flow));

    return this.#context.sender.request(this.#request, way, {
      onResponse: (response) => this.#receive(response),
      onFailure: (failure) => this.#fail(failure),
    });
  }

  /** RFC 3261 22.2: the same Call-ID, From tag and To, "and the CSeq … incremented". */
  #retryWithCredentials(response: SipResponse): boolean {
    const { credentials } = this.#parts;
    if (credentials === undefined || this.#state !== 'calling') return false;
    if (this.#challenges >= MAX_CHALLENGES) return false;
    if (!credentials.challenged(this.#request, response)) return false;
    this.#challenges++;
    this.#request = withCredentials(this.#request, credentials, this.#request.cseq.sequence + 1);
    this.#invite = this.#send();

    return true;
  }

  #receive(response: SipResponse): void {
    const { status } = response;
    if ((status === 401 || status === 407) && this.#retryWithCredentials(response)) return;
    if (isSuccess(status)) this.#receiveSuccess(response);
    else if (status >= 300) this.#end({ by: 'remote', cause: 'rejected', message: response });
    else if (status > 100 && this.#state === 'calling') this.#parts.onProgress?.(response);
  }

  #receiveSuccess(response: SipResponse): void {
    const dialog = Dialog.fromResponse(this.#request, response, this.#parts.flow);
    const key = dialogKey(dialog.id);
    const known = this.#acks.get(key);
    if (known !== undefined) {
      known.send(() => undefined);
      return;
    }
    const isFirst = this.#state === 'calling';
    const text = sdpBody(response);
    const description = text === undefined ? undefined : parseSdp(text);
    const usable = description instanceof SdpError ? undefined : description;
    const offered = this.#parts.offer !== undefined;
    const answer = offered || usable === undefined ? undefined : this.#parts.answerWith?.(usable);
    const ack = dialog.createAck(this.#request.cseq.sequence, {
      // 22.1: "any credentials in the INVITE that were accepted … MUST be in the ACK".
      headers: credentialHeaders(this.#request),
      body: answer && { type: SDP_TYPE, content: writeSdp(answer) },
    });
    this.#acks.set(key, this.#context.sender.sendAck(ack, nextHop(dialog)));
    // "unwanted dialogs are … terminated by sending a BYE" once acknowledged (13.2.2.4): those of
    // further forks, of a call that was cancelled, and those without a usable description.
    const isWanted = isFirst && usable !== undefined && (offered || answer !== undefined);
    this.#openSession(dialog, isFirst, isWanted);
    if (isWanted) this.events.emit('established', offered ? usable : undefined);
  }

  #openSession(dialog: Dialog, isFirst: boolean, isWanted: boolean): void {
    const user = isWanted ? this : this.#silentUser(isFirst);
    const session = new InviteSession(this.#contextOf(dialog), dialog, user, (ended) => {
      this.#owner.sessionTerminated(ended);
    });
    if (isWanted) this.#session = session;
    this.#owner.established(session);
    this.#timers.close();
    if (this.#state === 'calling') this.#state = 'answered';
    if (this.#state === 'cancelling') this.#state = 'over';
    if (!isWanted) session.hangUp(undefined, { by: 'local', cause: 'bad-answer' });
  }

  #contextOf(dialog: Dialog): SessionContext {
    const { credentials } = this.#parts;
    if (credentials === undefined) return this.#context;
    const sender = new AnsweringSender(this.#context.sender, credentials, dialog);

    return { ...this.#context, sender };
  }

  /** A dialog that is only there to be ended; the user hears of it if it was the call's own. */
  #silentUser(isFirst: boolean): ConstructorParameters<typeof InviteSession>[2] {
    return {
      onEstablished: () => undefined,
      onReoffer: () => ({ status: 481 }),
      onReofferAnswered: () => undefined,
      onRequest: (transaction) => this.onRequest(transaction),
      onEnded: (end) => {
        if (isFirst) this.onEnded(end);
      },
    };
  }

  #fail(failure: ClientFailure): void {
    this.#context.logger.debug({ failure }, 'call failed');
    this.#end({ by: 'remote', cause: 'lost' });
  }

  #end(end: CallEnd): void {
    if (this.#state === 'over' || this.#state === 'answered') return;
    const wasTold = this.#state === 'cancelling';
    this.#state = 'over';
    this.#timers.close();
    this.#owner.failed();
    if (!wasTold) this.events.emit('ended', end);
  }
}
