import { parseSdp, SdpError, writeSdp, type SdpSession } from '../../sdp/index.ts';
import { isSuccess, type SipRequest, type SipResponse } from '../message/index.ts';
import type { RemoteFlow } from '../transport/index.ts';
import {
  Dialog,
  dialogKey,
  InviteSession,
  reliableSequence,
  sdpBody,
  type Resendable,
  type SessionContext,
  type SessionUser,
} from '../dialog/index.ts';
import { AnsweringSender, type ChallengeAnswerer } from './challenges.ts';

/** One dialog that a call of ours led to: a proxy may ring several phones. */
export interface CallFork {
  readonly session: InviteSession;
  /** The ACK of its 2xx. */
  ack: Resendable | undefined;
  /** Offer and answer are exchanged. */
  isDescribed: boolean;
  /** Their answer, when the offer was ours. */
  remote: SdpSession | undefined;
  /** It is the one that was told to the call's user. */
  isOwn: boolean;
  /** RSeq of the last provisional response that we acknowledged. */
  rseq: number | undefined;
  /** What an unreliable provisional response held: the answer of those whose 2xx holds none. */
  preview: string | undefined;
}

/** Early dialogs of one call; more are no phones that somebody owns. */
const MAX_EARLY_FORKS = 32;

interface ForkCall extends SessionUser {
  owns(session: InviteSession): boolean;
}

interface ForkOffers {
  readonly offer?: SdpSession | undefined;
  readonly answerWith?: ((offer: SdpSession) => SdpSession | undefined) | undefined;
  readonly flow?: RemoteFlow | undefined;
  readonly credentials?: ChallengeAnswerer | undefined;
}

interface ForkBooks {
  opened(session: InviteSession): void;
  terminated(session: InviteSession): void;
}

/** The dialogs of one call of ours, early and confirmed. */
export class CallForks {
  readonly #context: SessionContext;
  readonly #offers: ForkOffers;
  readonly #call: ForkCall;
  readonly #books: ForkBooks;
  readonly #forks = new Map<string, CallFork>();

  constructor(context: SessionContext, offers: ForkOffers, call: ForkCall, books: ForkBooks) {
    this.#context = context;
    this.#offers = offers;
    this.#call = call;
    this.#books = books;
  }

  get hasEarly(): boolean {
    return [...this.#forks.values()].some(({ session }) => session.state === 'early');
  }

  of(request: SipRequest, response: SipResponse): CallFork {
    const dialog = Dialog.fromResponse(request, response, this.#offers.flow);
    const key = dialogKey(dialog.id);
    const known = this.#forks.get(key);
    if (known !== undefined) return known;
    const fork = this.#open(dialog);
    this.#forks.set(key, fork);

    return fork;
  }

  #earlyOf(request: SipRequest, response: SipResponse): CallFork | undefined {
    const { callId, fromTag = '', toTag } = response;
    if (toTag === undefined) return undefined;
    const isKnown = this.#forks.has(dialogKey({ callId, localTag: fromTag, remoteTag: toTag }));

    return isKnown || this.#forks.size < MAX_EARLY_FORKS ? this.of(request, response) : undefined;
  }

  /**
   * A provisional response with a tag makes a dialog, in which requests may come (RFC 3261 12.1.2). RFC
   * 3262 4: a reliable one gets its PRACK, in order and once. `unusable`: it holds an offer that we have
   * no answer to.
   */
  receiveProvisional(
    request: SipRequest,
    response: SipResponse,
  ): 'told' | 'duplicate' | 'unusable' {
    const fork = this.#earlyOf(request, response);
    if (fork === undefined) return 'told';
    const rseq = reliableSequence(response);
    if (rseq === undefined) {
      if (this.#offers.offer !== undefined) fork.preview ??= sdpBody(response);

      return 'told';
    }
    // "MUST NOT … be acknowledged" when "not one higher" than the last: an earlier one was lost.
    if (fork.rseq !== undefined && rseq !== fork.rseq + 1) return 'duplicate';
    fork.rseq = rseq;
    const hadNone = !fork.isDescribed && sdpBody(response) !== undefined;
    const answer = this.negotiate(fork, response);
    const { sequence } = request.cseq;
    fork.session.sendPrack(`${String(rseq)} ${String(sequence)} INVITE`, answer);

    return hadNone && !fork.isDescribed ? 'unusable' : 'told';
  }

  /** Takes the description of a reliable response; gives the answer when it is an offer. */
  negotiate(fork: CallFork, response: SipResponse): string | undefined {
    const text = sdpBody(response) ?? (isSuccess(response.status) ? fork.preview : undefined);
    // Once there is an answer, further descriptions mean nothing (RFC 3261 13.2.1).
    if (text === undefined || fork.isDescribed) return undefined;
    const remote = parseSdp(text);
    if (remote instanceof SdpError) return undefined;
    const { session } = fork;
    const { offer, answerWith } = this.#offers;
    const own = offer ?? answerWith?.(remote);
    if (own === undefined) return undefined;
    const local = writeSdp(own);
    fork.isDescribed = true;
    if (offer !== undefined) {
      session.offerAnswer.apply('receiveAnswer');
      fork.remote = remote;
    }
    session.describe(local, text);

    return offer === undefined ? local : undefined;
  }

  abortEarly(): void {
    for (const { session } of [...this.#forks.values()]) {
      if (session.state === 'early') session.abort();
    }
  }

  #contextOf(dialog: Dialog): SessionContext {
    const { credentials } = this.#offers;
    if (credentials === undefined) return this.#context;
    const sender = new AnsweringSender(this.#context.sender, credentials, dialog);

    return { ...this.#context, sender };
  }

  #open(dialog: Dialog): CallFork {
    const call = this.#call;
    const user: SessionUser = {
      onEstablished: () => undefined,
      onReoffer: (offer, request) =>
        call.owns(session) ? call.onReoffer(offer, request) : { status: 481 },
      onReofferAnswered: (answer) => {
        if (call.owns(session)) call.onReofferAnswered(answer);
      },
      onRequest: (transaction) => call.onRequest(transaction),
      onEnded: (end) => {
        if (fork.isOwn) call.onEnded(end);
      },
    };
    const session = new InviteSession(this.#contextOf(dialog), dialog, user, (ended) =>
      this.#books.terminated(ended),
    );
    const fork: CallFork = {
      session,
      ack: undefined,
      isDescribed: false,
      remote: undefined,
      isOwn: false,
      rseq: undefined,
      preview: undefined,
    };
    if (this.#offers.offer !== undefined) session.offerAnswer.apply('sendOffer');
    this.#books.opened(session);

    return fork;
  }
}
