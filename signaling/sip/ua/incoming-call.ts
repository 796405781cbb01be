import type { Logger } from '../../../base/index.ts';
import { writeSdp, type SdpSession } from '../../sdp/index.ts';
import type { ExtraHeaders, SipRequest, Uri } from '../message/index.ts';
import type { ServerTransaction } from '../transaction/index.ts';
import type { RemoteFlow } from '../transport/index.ts';
import { lists, type InviteSession } from '../dialog/index.ts';
import { rejectHeaders, type RejectOptions } from './call.ts';
import type { Refusal } from './request-checks.ts';
import { SessionCall, type MethodHandler } from './session-call.ts';

/** Who takes the calls: the gateway to the rooms. */
export interface CallHandler {
  /** To be answered by `accept` or `reject`, now or later. */
  incomingCall(call: IncomingCall): void;
  /**
   * Why an OPTIONS is refused: "the same [response code] as would be chosen had the request been an
   * INVITE" (RFC 3261 11.2); undefined: it is not.
   */
  optionsRefusal?(request: SipRequest, flow: RemoteFlow): Promise<Refusal | undefined>;
  /**
   * The user part of the conference URI that this INVITE, OPTIONS or SUBSCRIBE leads to, for a Contact
   * with `isfocus` (RFC 4579 4.2); undefined when there is no conference behind it. Asked once.
   */
  conferenceFor?(request: SipRequest): string | undefined;
}

/** A call that somebody makes to us. */
export class IncomingCall extends SessionCall {
  readonly request: SipRequest;
  /** Where the INVITE came from. */
  readonly flow: RemoteFlow;
  /** Undefined for a delayed offer: `accept` takes our offer then, `established` brings the answer. */
  readonly offer: SdpSession | undefined;
  /** The call whose place this one wants to take (RFC 3891); it is for the handler to end it. */
  readonly replaces: SessionCall | undefined;
  /** What `CallHandler.conferenceFor` said. */
  readonly conference: string | undefined;
  #session: InviteSession | undefined;

  constructor(
    transaction: ServerTransaction,
    offer: SdpSession | undefined,
    logger: Logger,
    answerRequest: MethodHandler,
    replaces?: SessionCall,
    conference?: string,
  ) {
    super(logger, answerRequest);
    this.request = transaction.request;
    this.flow = transaction.info.flow;
    this.conference = conference;
    this.offer = offer;
    this.replaces = replaces;
  }

  /** Unique while the call lives. */
  get id(): string {
    const { callId, localTag } = this.session.dialog.id;

    return `${callId};${localTag}`;
  }

  get requestUri(): Uri {
    return this.request.uri;
  }

  get introduction(): SipRequest {
    return this.request;
  }

  get remoteUri(): Uri {
    return this.request.from.uri;
  }

  get remoteDisplayName(): string | undefined {
    return this.request.from.displayName;
  }

  get isEnded(): boolean {
    const { state } = this.session;

    return state === 'leaving' || state === 'terminating' || state === 'terminated';
  }

  /** Called once by the user agent, before anybody else sees the call. */
  bind(session: InviteSession): void {
    this.#session = session;
  }

  /** The caller wants provisional answers that it can acknowledge (RFC 3262 3). */
  get requiresReliableProgress(): boolean {
    return lists(this.request, 'Require', '100rel');
  }

  /**
   * 180, 183 …, repeated each minute; with our answer or, when theirs is delayed, our offer (its answer
   * comes as the event `answered`). False, like those below, when the call is over or answered.
   */
  progress(status: number, headers?: ExtraHeaders, sdp?: SdpSession): boolean {
    return this.session.progress(status, headers, sdp && writeSdp(sdp));
  }

  /**
   * 200 with our answer, or with our offer when theirs is delayed; without either when `progress` had
   * it. Sent once a provisional answer that waits for its PRACK has it.
   */
  accept(sdp: SdpSession): boolean {
    return this.session.accept(writeSdp(sdp));
  }

  /** A final status of 300 or more. */
  reject(status: number, options: RejectOptions = {}): boolean {
    return this.session.reject(status, {
      reason: options.reason,
      headers: rejectHeaders(options),
    });
  }

  hangUp(headers?: ExtraHeaders): void {
    this.session.hangUp(headers);
  }

  protected get session(): InviteSession {
    if (this.#session === undefined) throw new TypeError('the call has no session yet');

    return this.#session;
  }
}
