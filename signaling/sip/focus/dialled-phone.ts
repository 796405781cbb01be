import { randomInt } from 'node:crypto';
import { AppError, toError, type Logger } from '../../../base/index.ts';
import type {
  CloseReason,
  Participant,
  ParticipantSink,
  RoomEvent,
  RoomManager,
} from '../../../server/index.ts';
import {
  answerOffer,
  applyAnswer,
  createOffer,
  DEFAULT_AUDIO_CAPABILITIES,
  SdpError,
  type LocalMedia,
  type NegotiatedAudio,
  type SdpSession,
} from '../../sdp/index.ts';
import { toPhoneAudio } from '../phone-audio.ts';
import { isSipUri, makeSipUri, reasonPhrase, type NameAddr, type Uri } from '../message/index.ts';
import { errorStatus, reasonHeader } from '../reason-map.ts';
import type { CallEnd, OutgoingCall, ReofferAnswer, UserAgent } from '../ua/index.ts';
import { ChatOutbox } from './chat.ts';
import type { DialOut, DialOutRequest } from './dial-out.ts';
import { phoneStatus, takesMessages, type MemberCalls } from './member-calls.ts';

export interface PhoneDiallerOptions {
  readonly rooms: Pick<RoomManager, 'join'>;
  readonly userAgent: Pick<UserAgent, 'call'>;
  readonly calls: MemberCalls;
  readonly publicAddress: string;
  readonly logger: Logger;
}

/** A phone that rings longer than this is given up (RFC 3261 13.3.1.1: proxies wait three minutes). */
const ANSWER_TIMEOUT = 120_000;

/** Calls phones into rooms, straight to the address that their URI names. */
export class PhoneDialler implements DialOut {
  readonly #options: PhoneDiallerOptions;

  constructor(options: PhoneDiallerOptions) {
    this.#options = options;
  }

  dialOut(request: DialOutRequest): void {
    void new DialledPhone(this.#options, request).ring();
  }
}

/** One phone that we call and, once it answers, its participant. */
class DialledPhone implements ParticipantSink {
  readonly #options: PhoneDiallerOptions;
  readonly #request: DialOutRequest;
  readonly #logger: Logger;
  readonly #sessionId = String(randomInt(1, 2 ** 47));
  #participant: Participant | undefined;
  #call: OutgoingCall | undefined;
  #description: SdpSession | undefined;
  #outbox: ChatOutbox | undefined;
  #takesMessages = false;
  #isDecided = false;

  constructor(options: PhoneDiallerOptions, request: DialOutRequest) {
    this.#options = options;
    this.#request = request;
    this.#logger = options.logger.child({ tag: 'dial-out' });
  }

  async ring(): Promise<void> {
    const { rooms, userAgent, publicAddress } = this.#options;
    const { room, to, headers, onProgress } = this.#request;
    try {
      const participant = await rooms.join(
        { room, name: nameOf(to), kind: 'phone', address: to.uri.text, role: 'guest' },
        this,
      );
      this.#participant = participant;
      const offer = createOffer(DEFAULT_AUDIO_CAPABILITIES, this.#local(participant));
      this.#description = offer;
      const from = makeSipUri({ user: room, host: publicAddress });
      const call = userAgent.call({
        to,
        from: {
          displayName: participant.room.name,
          uri: from,
          params: new Map<string, undefined>(),
        },
        offer,
        headers,
        isFocus: true,
        answerTimeout: ANSWER_TIMEOUT,
        onProgress: (response) => {
          onProgress(response.status, response.reason);
        },
        onAnswer: (response) => {
          this.#takesMessages = takesMessages(response);
        },
      });
      this.#call = call;
      call.handleReoffers((theirs) => this.#reoffer(theirs));
      call.events.on('established', (answer) => void this.#answered(answer));
      call.events.on('ended', (end) => {
        this.#ended(end);
      });
    } catch (error) {
      this.#logger.info({ err: toError(error) }, 'nobody could be called');
      this.#decide(error instanceof AppError ? errorStatus(error.code) : 500);
      await this.#participant?.leave('internal-error');
    }
  }

  notify(event: RoomEvent): void {
    if (event.type !== 'chat-message') return;
    if (event.message.participantId !== this.#participant?.id) this.#outbox?.tell(event.message);
  }

  ended(reason: CloseReason): void {
    this.#call?.hangUp([['Reason', reasonHeader(reason)]]);
  }

  async #answered(answer: SdpSession | undefined): Promise<void> {
    const participant = this.#participant;
    const call = this.#call;
    if (participant === undefined || call === undefined || this.#description === undefined) return;
    try {
      if (answer === undefined) throw new AppError('BAD_REQUEST', 'no answer to our offer');
      const outcome = applyAnswer(this.#description, answer, DEFAULT_AUDIO_CAPABILITIES);
      if (outcome instanceof SdpError) throw outcome;
      await this.#configure(participant, outcome.audio);
      if (this.#takesMessages) this.#outbox = new ChatOutbox(call, this.#logger);
      this.#options.calls.add({
        participant,
        call,
        joiningMethod: 'dialed-out',
        flow: undefined,
        audio: phoneStatus(outcome.audio),
      });
      participant.activate();
      this.#decide(200);
    } catch (error) {
      this.#logger.info({ err: toError(error) }, 'the answer to our offer is of no use');
      this.#decide(488);
      await participant.leave('not-acceptable');
    }
  }

  async #reoffer(offer: SdpSession | undefined): Promise<ReofferAnswer> {
    const participant = this.#participant;
    if (participant === undefined) return { status: 500 };
    const local = this.#local(participant);
    if (offer === undefined) {
      this.#description = createOffer(DEFAULT_AUDIO_CAPABILITIES, local);

      return { sdp: this.#description };
    }
    const outcome = answerOffer(offer, DEFAULT_AUDIO_CAPABILITIES, local);
    if ('reject' in outcome) return outcome.reject;
    await this.#configure(participant, outcome.audio);
    this.#description = outcome.answer;

    return { sdp: outcome.answer };
  }

  async #configure(participant: Participant, audio: NegotiatedAudio): Promise<void> {
    await participant.phoneLeg.configure(await toPhoneAudio(audio));
    if (this.#call !== undefined) this.#options.calls.setAudio(this.#call, phoneStatus(audio));
  }

  #ended({ cause, message }: CallEnd): void {
    if (message?.kind === 'response') this.#decide(message.status, message.reason);
    else this.#decide(cause === 'cancel' ? 487 : 408);
    void this.#participant?.leave(cause === 'bye' ? 'left' : 'rejected');
    if (this.#call !== undefined) this.#options.calls.remove(this.#call);
  }

  #decide(status: number, reason = reasonPhrase(status)): void {
    if (this.#isDecided) return;
    this.#isDecided = true;
    this.#request.onFinal(status, reason);
  }

  #local(participant: Participant): LocalMedia {
    return {
      address: this.#options.publicAddress,
      rtpPort: participant.phoneLeg.rtpPort,
      previous: this.#description,
      sessionId: this.#sessionId,
    };
  }
}

function nameOf({ displayName, uri }: NameAddr): string {
  return displayName ?? userOf(uri) ?? '';
}

function userOf(uri: Uri): string | undefined {
  if (isSipUri(uri)) return uri.user;

  return uri.scheme === 'tel' ? uri.number : undefined;
}
