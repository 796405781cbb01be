import { TimerSet } from '../../../base/index.ts';
import { writeSdp, type SdpSession } from '../../sdp/index.ts';
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
import type { ClientFailure, ClientTransaction } from '../transaction/index.ts';
import { flowTarget, type RemoteFlow, type SendTarget } from '../transport/index.ts';
import {
  minSe,
  nextHop,
  SDP_TYPE,
  timerRequestHeaders,
  type InviteSession,
  type SessionContext,
} from '../dialog/index.ts';
import type { CallEnd } from './call.ts';
import { CallForks, type CallFork } from './call-forks.ts';
import { credentialHeaders, withCredentials, type ChallengeAnswerer } from './challenges.ts';
import { SessionCall, type MethodHandler } from './session-call.ts';

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
  /** We call as a conference: Contact carries `isfocus` (RFC 4579 5.2). */
  readonly isFocus?: boolean | undefined;
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

/** What the user agent is told, for its books. */
export interface OutgoingCallOwner {
  sessionOpened(session: InviteSession): void;
  sessionTerminated(session: InviteSession): void;
  /** There is a 2xx; from now on this session counts. */
  established(session: InviteSession): void;
  failed(): void;
}

/** More challenges than these to one INVITE are a loop. */
const MAX_CHALLENGES = 3;

type DialState = 'calling' | 'cancelling' | 'answered' | 'over';

/** A call that we make (RFC 3261 13.2). */
export class OutgoingCall extends SessionCall {
  readonly #context: SessionContext;
  readonly #parts: OutgoingCallParts;
  readonly #owner: OutgoingCallOwner;
  readonly #timers: TimerSet<'answer' | 'giveUp' | 'forks'>;
  readonly #forks: CallForks;
  readonly #from: NameAddr;
  readonly #callId = newCallId();
  #request: SipRequest;
  #invite: ClientTransaction;
  #challenges = 0;
  /** Seconds; what a 422 demanded. */
  #minimum: number | undefined;
  #session: InviteSession | undefined;
  #state: DialState = 'calling';
  #answer: SipResponse | undefined;

  constructor(
    context: SessionContext,
    parts: OutgoingCallParts,
    owner: OutgoingCallOwner,
    answerRequest: MethodHandler,
  ) {
    super(context.logger, answerRequest);
    this.#context = context;
    this.#parts = parts;
    this.#owner = owner;
    this.#timers = new TimerSet(context.clock);
    this.#from = withTag(parts.from, newTag());
    this.#forks = new CallForks(context, parts, this, {
      opened: (session) => owner.sessionOpened(session),
      terminated: (session) => {
        if (!this.#forks.hasEarly) this.#timers.stop('forks');
        owner.sessionTerminated(session);
      },
    });
    this.#request = this.#buildInvite(1);
    this.#invite = this.#send();
    if (parts.answerTimeout !== undefined) {
      this.#timers.start('answer', parts.answerTimeout, () => this.hangUp());
    }
  }

  /** The INVITE; after a 422 the second one. */
  get request(): SipRequest {
    return this.#request;
  }

  get introduction(): SipResponse | undefined {
    return this.#answer;
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

  /** For `CallForks`: may this dialog change the call's media? */
  owns(session: InviteSession): boolean {
    return this.#state === 'calling' || this.#session === session;
  }

  protected get session(): InviteSession | undefined {
    return this.#session;
  }

  #buildInvite(sequence: number): SipRequest {
    const { requestHeaders, sessionTimer, contact } = this.#context;
    const { to, offer, headers, routes, credentials } = this.#parts;
    const interval = Math.max(sessionTimer.interval, this.#minimum ?? 0);

    const request = buildRequest({
      method: 'INVITE',
      uri: to.uri,
      from: this.#from,
      to,
      callId: this.#callId,
      cseq: sequence,
      contact,
      routes,
      headers: [
        ...requestHeaders,
        ...timerRequestHeaders(interval, this.#minimum),
        ...(headers ?? []),
      ],
      body: offer && { type: SDP_TYPE, content: writeSdp(offer) },
    });

    return credentials === undefined ? request : withCredentials(request, credentials, sequence);
  }

  #send(): ClientTransaction {
    const request = this.#request;
    const { target, flow } = this.#parts;
    const way = target ?? (flow && flowTarget(flow));

    return this.#context.sender.request(request, way, {
      onResponse: (response) => this.#receive(request, response),
      onFailure: (failure) => this.#fail(failure),
    });
  }

  #receive(request: SipRequest, response: SipResponse): void {
    const { status } = response;
    if (isSuccess(status)) this.#receiveSuccess(request, response);
    else if (status === 422 && this.#raiseMinimum(response)) this.#sendAgain();
    else if (this.#takeChallenge(request, response)) this.#sendAgain();
    else if (status >= 300) this.#end({ by: 'remote', cause: 'rejected', message: response });
    else if (status > 100 && this.#state === 'calling') this.#receiveProgress(request, response);
  }

  #receiveProgress(request: SipRequest, response: SipResponse): void {
    const outcome = this.#forks.receiveProvisional(request, response);
    if (outcome === 'duplicate') return;
    this.#parts.onProgress?.(response);
    if (outcome === 'unusable') this.hangUp();
  }

  /** RFC 4028 7.3: "retry … with a Session-Expires … and Min-SE" of the 422, once for each value. */
  #raiseMinimum(response: SipResponse): boolean {
    const minimum = minSe(response);
    if (this.#state !== 'calling' || minimum === undefined) return false;
    if (minimum <= (this.#minimum ?? 0)) return false;
    this.#minimum = minimum;

    return true;
  }

  /** RFC 3261 22.2: the same Call-ID, From tag and To, "and the CSeq … incremented". */
  #takeChallenge(request: SipRequest, response: SipResponse): boolean {
    const { credentials } = this.#parts;
    const isChallenge = response.status === 401 || response.status === 407;
    if (!isChallenge || credentials === undefined || this.#state !== 'calling') return false;
    this.#challenges++;

    return this.#challenges <= MAX_CHALLENGES && credentials.challenged(request, response);
  }

  #sendAgain(): void {
    this.#forks.abortEarly();
    this.#request = this.#buildInvite(this.#request.cseq.sequence + 1);
    this.#invite = this.#send();
  }

  #receiveSuccess(request: SipRequest, response: SipResponse): void {
    const fork = this.#forks.of(request, response);
    if (fork.ack !== undefined) {
      fork.ack.send(() => undefined);
      return;
    }
    const isFirst = this.#state === 'calling';
    const answer = this.#forks.negotiate(fork, response);
    const { session } = fork;
    session.confirm(response);
    const ack = session.dialog.createAck(request.cseq.sequence, {
      // 22.1: "any credentials in the INVITE that were accepted … MUST be in the ACK".
      headers: [...this.#context.ackHeaders, ...credentialHeaders(request)],
      body: answer === undefined ? undefined : { type: SDP_TYPE, content: answer },
    });
    fork.ack = this.#context.sender.sendAck(ack, nextHop(session.dialog));
    if (isFirst) this.#answer = response;
    this.#answered(fork, isFirst);
  }

  #answered(fork: CallFork, isFirst: boolean): void {
    const { session } = fork;
    // "unwanted dialogs are … terminated by sending a BYE" once acknowledged (13.2.2.4): those of
    // further forks, of a call that was cancelled, and those without a usable description.
    const isWanted = isFirst && fork.isDescribed && session.isConfirmed;
    if (isWanted) this.#session = session;
    fork.isOwn = isFirst;
    this.#owner.established(session);
    this.#timers.stopAll();
    if (this.#state === 'calling') this.#state = 'answered';
    if (this.#state === 'cancelling') this.#state = 'over';
    // Other forks may still answer, for as long as a transaction lives.
    const patience = 64 * this.#context.times.t1;
    if (this.#forks.hasEarly) {
      this.#timers.start('forks', patience, () => this.#forks.abortEarly());
    }
    if (isWanted) this.events.emit('established', fork.remote);
    else if (session.isConfirmed) session.hangUp(undefined, { by: 'local', cause: 'bad-answer' });
    else if (isFirst) this.onEnded({ by: 'remote', cause: 'bye' });
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
    this.#forks.abortEarly();
    this.#owner.failed();
    if (!wasTold) this.events.emit('ended', end);
  }
}
