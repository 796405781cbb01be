/**
 * The one file that knows SIP and rooms: each call becomes a participant, and whatever ends the one
 * ends the other (`reason-map.ts`).
 *
 * Size: what a call and its participant do to one another stays in one place.
 */
import { randomInt } from 'node:crypto';
import { AppError, toError, type Clock, type Logger, type RoomNumber } from '../../base/index.ts';
import {
  dial,
  type CloseReason,
  type DialResult,
  type Participant,
  type ParticipantSink,
  type Reception,
  type RoomEvent,
  type RoomManager,
} from '../../server/index.ts';
import {
  answerOffer,
  applyAnswer,
  bundledMids,
  createOffer,
  DEFAULT_AUDIO_CAPABILITIES,
  findAttribute,
  isWebRtcOffer,
  negotiateOffer,
  SdpError,
  type AudioCapabilities,
  type LocalMedia,
  type NegotiatedAudio,
  type NegotiatedMedia,
  type SdpSession,
} from '../sdp/index.ts';
import {
  allows,
  ChatOutbox,
  phoneStatus,
  type MediaStatus,
  type MemberCalls,
} from './focus/index.ts';
import type { PhoneLeg, PhoneVideoLeg } from '../../media/index.ts';
import type { ReceptionDesk } from './gateway-reception.ts';
import { isSipUri, type SipRequest, type Uri } from './message/index.ts';
import { DEFAULT_NEGOTIATION, type NegotiationSettings } from './negotiation/index.ts';
import type { Admission, CallAdmission } from './gateway-admission.ts';
import { replacesRefusal } from './gateway-replaces.ts';
import type { SrtpRules } from './gateway-srtp.ts';
import { CallVideo } from './gateway-video.ts';
import { WebRtcMedia } from './gateway-webrtc.ts';
import { MixedSession, peerProfile, type PeerTraits } from './negotiation/index.ts';
import { toPhoneAudio } from './phone-audio.ts';
import { closeReasonOf, errorStatus, reasonHeader, rejectionStatus } from './reason-map.ts';
import type { RemoteFlow } from './transport/index.ts';
import {
  IncomingCall,
  type CallEnd,
  type CallHandler,
  type OutgoingCall,
  type Refusal,
  type ReofferAnswer,
} from './ua/index.ts';

export interface SipGatewayOptions {
  rooms: Pick<RoomManager, 'join' | 'refusalOf' | 'freeNumber' | 'createDoor'>;
  /** The phones that are in rooms. */
  calls: MemberCalls;
  /** User part that makes a new room for whoever dials it (RFC 4579 5.4); undefined: none does. */
  factory?: string | undefined;
  /** Who may call; without it everybody may. */
  admission?: Pick<CallAdmission, 'admit' | 'prove' | 'accountOf'>;
  /** Whose calls are encrypted; without it none is. */
  srtp?: SrtpRules | undefined;
  /** When calls are changed; the usual by default. */
  negotiation?: NegotiationSettings | undefined;
  /** Asks callers for what they did not dial. */
  desk: ReceptionDesk;
  /** Goes into the SDP of every answer. */
  publicAddress: string;
  clock: Clock;
  logger: Logger;
  counters: {
    callSetup(seconds: number): void;
    reinvite(reason: string, outcome: string): void;
  };
}

/** What a call of either direction needs. */
export type PhoneCallOptions = Omit<SipGatewayOptions, 'rooms' | 'admission' | 'desk'> & {
  rooms: Pick<RoomManager, 'createDoor'>;
  /** Whose phone we called. */
  account?: string | undefined;
};

/** What was made for a call of ours before it was answered. */
export interface AdoptedCall {
  readonly mixed?: MixedSession | undefined;
  readonly video?: PhoneVideoLeg | undefined;
  readonly isTrunk?: boolean | undefined;
}

type Join = (
  room: RoomNumber,
  pin: string | undefined,
  how?: { leg?: PhoneLeg; webRtc?: boolean },
) => Promise<Participant>;

const RETRY_AFTER_SECONDS = '5';
const GUEST: Admission = { kind: 'guest' };

/** Lets phones into rooms. */
export class SipGateway implements CallHandler {
  readonly #options: SipGatewayOptions;
  /** For calls that take the place of others (RFC 3891). */
  readonly #calls = new WeakMap<object, PhoneCall>();

  constructor(options: SipGatewayOptions) {
    this.#options = options;
  }

  incomingCall(call: IncomingCall): void {
    const replaced = call.replaces === undefined ? undefined : this.#calls.get(call.replaces);
    if (replaced !== undefined) {
      this.#calls.set(call, replaced);
      void replaced.giveWay(call, this.#options);
    } else if (call.replaces !== undefined) {
      call.reject(481);
    } else {
      const phoneCall = new PhoneCall(call, this.#options);
      this.#calls.set(call, phoneCall);
      void phoneCall.enter(call, this.#options);
    }
  }

  /** "the same as would have been chosen had the request been an INVITE" (RFC 3261 11.2), but for PINs. */
  async optionsRefusal(request: SipRequest, flow: RemoteFlow): Promise<Refusal | undefined> {
    // Without a user part it is the server itself that is asked.
    if (userOf(request.uri) === undefined) return undefined;
    const admission = await this.#options.admission?.admit(request, flow);
    if (admission?.kind === 'refused') return admission;
    const target = targetOf(admission ?? GUEST, request.uri);

    if (!target.ok) return target.reason === 'reserved' ? undefined : { status: 404 };
    if (target.room === this.#options.factory) return undefined;
    const refusal = await this.#options.rooms.refusalOf(target.room);

    return refusal && { status: errorStatus(refusal) };
  }

  conferenceFor({ method, uri }: SipRequest): string | undefined {
    const target = dial(userOf(uri) ?? '');
    if (!target.ok) return undefined;
    if (target.room !== this.#options.factory) return target.room;

    // Only a call makes a room; until then the factory is no conference.
    return method === 'INVITE' ? this.#options.rooms.freeNumber() : undefined;
  }
}

/** One phone's call and, while it lasts, its participant. */
export class PhoneCall implements ParticipantSink {
  #call: IncomingCall | OutgoingCall;
  readonly #options: PhoneCallOptions;
  readonly #startedAt: number;
  /** RFC 8866 5.2: numeric, and unlikely to be anybody else's. */
  readonly #sessionId = String(randomInt(1, 2 ** 47));
  #participant: Participant | undefined;
  /** Its participant's, once there is one. */
  #leg: PhoneLeg | undefined;
  #reception: Reception | undefined;
  /** The last description that we sent: the next one counts its version from it. */
  #description: SdpSession | undefined;
  #audio: NegotiatedAudio | undefined;
  #capabilities: AudioCapabilities;
  #endReason: CloseReason | undefined;
  #outbox: ChatOutbox | undefined;
  #account: string | undefined;
  #isTrunk = false;
  /** Of a phone that speaks WebRTC and plays several streams, in place of a phone leg. */
  #webRtc: WebRtcMedia | undefined;
  /** Of a phone that speaks WebRTC and has one stream: beside its leg. */
  #mixed: MixedSession | undefined;
  /** Of any other, once it is in a room. */
  #video: CallVideo | undefined;

  constructor(
    call: IncomingCall | OutgoingCall,
    options: PhoneCallOptions,
    capabilities = DEFAULT_AUDIO_CAPABILITIES,
  ) {
    this.#call = call;
    this.#capabilities = capabilities;
    this.#options = options;
    this.#startedAt = options.clock.now();
    this.#account = options.account;
    this.#listen(call);
  }

  /** Made when something is to be said: most calls say one line in all their life. */
  get #logger(): Logger {
    return this.#options.logger.child({ tag: 'gateway', callId: this.#call.request.callId });
  }

  /** From the INVITE to its final answer. */
  async enter(call: IncomingCall, options: SipGatewayOptions): Promise<void> {
    try {
      await this.#enter(call, options);
    } catch (error) {
      this.#refuse(call, error);
      await this.#participant?.leave('internal-error');
      await this.#leg?.close();
    }
  }

  /** A call of ours that was answered: `offer` is what we sent, `answer` what came back. */
  async adopt(
    participant: Participant,
    offer: SdpSession,
    answer: SdpSession,
    { mixed, video, isTrunk }: AdoptedCall = {},
  ): Promise<void> {
    this.#participant = participant;
    this.#isTrunk = isTrunk === true;
    this.#mixed = mixed;
    this.#leg = participant.phoneLeg;
    this.#description = offer;
    if (mixed === undefined) this.#video = this.#createVideo(participant, video);
    await this.#receiveAnswer(answer, 'not-acceptable');
    if (this.#endReason !== undefined) return;
    this.#register(participant);
    participant.activate();
    this.#video?.established();
  }

  /** Another call wants to take the place of this one. */
  async giveWay(call: IncomingCall, options: SipGatewayOptions): Promise<void> {
    try {
      const admission = await admit(call, options);
      if (admission === undefined) return;
      const replaced = { call: this.#call, account: this.#account };
      const refusal = await replacesRefusal(call, replaced, admission, options.admission);
      if (refusal !== undefined) call.reject(refusal.status, { headers: refusal.headers });
      else if (!call.isEnded) await this.moveTo(call);
    } catch (error) {
      this.#refuse(call, error);
    }
  }

  /** Another device takes the call over: the participant and its leg stay (RFC 3891, RFC 4579 5.9). */
  async moveTo(call: IncomingCall): Promise<void> {
    const participant = this.#participant;
    const { offer } = call;
    if (participant === undefined || this.#call.isEnded) {
      call.reject(481);

      return;
    }
    if (this.#webRtc !== undefined) {
      // Its media is bound to the certificate of the device that it began with.
      call.reject(488);

      return;
    }
    // Its video, if it has any, follows by re-INVITE.
    const local = {
      ...this.#local(participant.phoneLeg),
      previous: undefined,
      srtp: undefined,
      videos: undefined,
    };
    const outcome = offer && answerOffer(offer, this.#capabilities, local);
    if (outcome !== undefined && 'reject' in outcome) {
      call.reject(outcome.reject.status, { warning: outcome.reject.warning });

      return;
    }
    const description = outcome?.answer ?? createOffer(this.#capabilities, local);
    const audioBefore = this.#audio;
    try {
      if (outcome !== undefined) await this.#setAudio(participant.phoneLeg, outcome.audio);
    } catch (error) {
      call.reject(error instanceof AppError ? errorStatus(error.code) : 500);

      return;
    }
    const before = this.#call;
    if (before.isEnded) {
      call.reject(481);

      return;
    }
    if (!call.accept(description)) {
      if (audioBefore !== undefined) await this.#setAudio(participant.phoneLeg, audioBefore);
      await this.#mixed?.resume();

      return;
    }
    this.#mixed?.close();
    this.#mixed = undefined;
    this.#call = call;
    this.#description = description;
    void this.#video?.closeStreams();
    this.#video = this.#createVideo(participant);
    if (offer !== undefined) this.#video.noteOffer(offer);
    this.#listen(call);
    this.#options.calls.remove(before);
    this.#register(participant);
    before.hangUp([['Reason', reasonHeader('replaced')]]);
  }

  #listen(call: IncomingCall | OutgoingCall): void {
    const isCurrent = (): boolean => this.#call === call;
    call.handleReoffers((offer) => (isCurrent() ? this.#reoffer(offer) : { status: 481 }));
    call.events.on('established', (answer) => {
      this.#webRtc?.established();
      void this.#established(isCurrent() ? answer : undefined);
    });
    call.events.on('answered', (answer) => {
      if (isCurrent()) void this.#receiveAnswer(answer, 'not-acceptable');
    });
    call.events.on('key', (key, durationMs) => {
      this.#pressed(key, durationMs);
    });
    call.events.on('keyframeWanted', () => {
      if (isCurrent()) this.#video?.keyFrameWanted();
    });
    call.events.on('ended', (end) => {
      if (isCurrent()) this.#callEnded(end);
    });
  }

  async #established(answer: SdpSession | undefined): Promise<void> {
    if (answer !== undefined) await this.#receiveAnswer(answer, 'not-acceptable');
    this.#video?.established();
  }

  /** A phone's roster is what it subscribes to; chat lines come to it by themselves. */
  notify(event: RoomEvent): void {
    this.#webRtc?.roomChanged(event);
    this.#video?.roomChanged(event);
    if (event.type !== 'chat-message') return;
    if (event.message.participantId !== this.#participant?.id) this.#outbox?.tell(event.message);
  }

  ended(reason: CloseReason): void {
    this.#endReason ??= reason;
    const call = this.#call;
    const headers: [string, string][] = [['Reason', reasonHeader(reason)]];
    const refused = 'reject' in call && call.reject(rejectionStatus(reason), { headers });
    if (!refused) call.hangUp(headers);
  }

  async #enter(call: IncomingCall, options: SipGatewayOptions): Promise<void> {
    const admission = await admit(call, options);
    if (admission === undefined || call.isEnded) return;
    if (admission.kind === 'account') this.#account = admission.username;
    this.#isTrunk = admission.kind === 'trunk';
    const target = targetOf(admission, call.requestUri);
    const asked = !target.ok && target.reason === 'reserved';
    if (!target.ok && !asked) {
      this.#logger.info({ reason: target.reason }, 'no such room');
      call.reject(404);

      return;
    }
    this.#capabilities =
      (await options.srtp?.ofCaller(call, admission)) ?? DEFAULT_AUDIO_CAPABILITIES;
    if (call.offer === undefined && this.#capabilities.srtp === 'impossible') {
      call.reject(488);

      return;
    }
    // DTLS keeps whatever policy of SRTP there is.
    const webRtc = call.offer !== undefined && isWebRtcOffer(call.offer);
    if (call.offer !== undefined && !webRtc) {
      // Before a seat and a port are taken.
      const outcome = negotiateOffer(call.offer, this.#capabilities);
      if ('reject' in outcome) {
        call.reject(outcome.reject.status, { warning: outcome.reject.warning });

        return;
      }
    }
    const join: Join = (number, pin, { leg, webRtc: ownStreams = false } = {}) =>
      options.rooms.join(
        {
          room: number,
          name: nameOf(admission, call),
          kind: 'phone',
          webRtc: ownStreams,
          address: call.remoteUri.text,
          ...(pin === undefined ? {} : { pin }),
        },
        this,
        leg,
      );
    const severalAudios = webRtc && peerProfile(traitsOf(call)).severalAudios;
    if (severalAudios && target.ok) {
      const { pin } = target;
      const room = roomOf(admission, call, target.room);
      if (await this.#enterByWebRtc(call, () => join(room, pin, { webRtc }))) return;
    }
    if (!target.ok) {
      await this.#receive(call, options.desk, join);

      return;
    }
    const room = roomOf(admission, call, target.room);
    let participant: Participant;
    try {
      participant = await join(room, target.pin);
    } catch (error) {
      // A wrong PIN that was dialled is refused; one that was not dialled is asked for.
      const asksPin = error instanceof AppError && error.code === 'FORBIDDEN';
      if (!asksPin || target.pin !== undefined) throw error;
      await this.#receive(call, options.desk, join, room);

      return;
    }
    this.#participant = participant;
    this.#leg = participant.phoneLeg;
    const isWebRtc = call.offer !== undefined && isWebRtcOffer(call.offer);
    if (!isWebRtc) this.#video = this.#createVideo(participant);
    if (await this.#answer(call, participant.phoneLeg)) this.#join(participant);
    else await participant.leave(this.#endReason ?? 'cancelled');
  }

  /** False: it is to be asked for a PIN or has to wait, so it needs what can be spoken to. */
  async #enterByWebRtc(call: IncomingCall, join: () => Promise<Participant>): Promise<boolean> {
    let participant: Participant;
    try {
      participant = await join();
    } catch (error) {
      if (error instanceof AppError && error.code === 'FORBIDDEN') return false;
      throw error;
    }
    this.#participant = participant;
    this.#webRtc = this.#createWebRtc(call, participant);
    const answer = call.isEnded ? undefined : await this.#webRtc.answer(call.offer!);
    if (answer !== undefined && 'status' in answer) {
      call.reject(answer.status, answer);
      await participant.leave('not-acceptable');
    } else if (answer !== undefined && this.#accept(call, answer.sdp)) {
      this.#join(participant);
    } else {
      await participant.leave(this.#endReason ?? 'cancelled');
    }

    return true;
  }

  #createWebRtc(call: IncomingCall, participant: Participant): WebRtcMedia {
    const { clock, counters, calls, negotiation = DEFAULT_NEGOTIATION } = this.#options;

    return new WebRtcMedia({
      participant,
      call,
      traits: traitsOf(call),
      sessionId: this.#sessionId,
      clock,
      logger: this.#logger,
      negotiation,
      counters,
      onAudio: (status) => calls.setAudio(call, status),
    });
  }

  /** `opened`: what our INVITE offered. */
  #createVideo(participant: Participant, opened?: PhoneVideoLeg): CallVideo {
    const call = this.#call;
    const { clock, counters, negotiation = DEFAULT_NEGOTIATION } = this.#options;

    return new CallVideo({
      participant,
      call,
      leg: participant.phoneLeg,
      opened,
      capabilities: this.#capabilities,
      contact: call.introduction?.headers.get('Contact'),
      mayAsk: !this.#isTrunk,
      clock,
      logger: this.#logger,
      settings: negotiation,
      counters,
      host: {
        isHolding: () => this.#audio?.onHold === true,
        signallingHost: this.#signallingHost,
        describe: (videos) => {
          const local = { ...this.#local(participant.phoneLeg), videos };

          return (this.#description = createOffer(this.#capabilities, local));
        },
        receiveAnswer: (answer) => this.#applyAnswer(answer),
        fail: (error) => {
          this.#logger.info({ err: error }, 'the answer to our re-INVITE is of no use');
          void participant.leave('not-acceptable');
        },
        agreed: (status) => this.#options.calls.setVideo(call, status),
      },
    });
  }

  #join(participant: Participant): void {
    this.#register(participant);
    participant.activate();
  }

  /** Answered, and asked for the room or its PIN; on nobody's roster meanwhile. */
  async #receive(
    call: IncomingCall,
    desk: ReceptionDesk,
    join: Join,
    room?: RoomNumber,
  ): Promise<void> {
    const leg = await desk.createLeg();
    this.#leg = leg;
    if (!(await this.#answer(call, leg))) {
      await leg.close();

      return;
    }
    this.#reception = desk.welcome({
      leg,
      room,
      join: (number, pin) => join(number, pin, { leg }),
      joined: (participant) => {
        this.#participant = participant;
        if (this.#call.isEnded) {
          void participant.leave(this.#endReason ?? 'left');

          return;
        }
        this.#join(participant);
        if (this.#mixed !== undefined) return;
        this.#video = this.#createVideo(participant);
        if (call.offer !== undefined) this.#video.noteOffer(call.offer);
        this.#video.established();
      },
      end: (reason) => {
        this.ended(reason);
        void leg.close();
      },
    });
  }

  /** False when the caller is gone: a CANCEL may come while the media is made. */
  async #answer(call: IncomingCall, leg: PhoneLeg): Promise<boolean> {
    if (call.isEnded) return false;
    let description: SdpSession;
    if (call.offer === undefined) {
      await this.#video?.offerFirst();
      description = createOffer(this.#capabilities, this.#local(leg));
    } else if (isWebRtcOffer(call.offer)) {
      this.#mixed = this.#createMixed(leg);
      const outcome = await this.#mixed.answer(call.offer);
      if ('reject' in outcome) {
        call.reject(outcome.reject.status, { warning: outcome.reject.warning });

        return false;
      }
      description = outcome.sdp;
    } else {
      const videos = await this.#video?.offered(call.offer);
      const local = { ...this.#local(leg), videos };
      const outcome = answerOffer(call.offer, this.#capabilities, local);
      if ('reject' in outcome) throw new AppError('INTERNAL', 'an offer was judged in two ways');
      await this.#configure(leg, outcome);
      description = outcome.answer;
    }
    this.#description = description;

    return this.#accept(call, description);
  }

  #createMixed(leg: PhoneLeg): MixedSession {
    const { rooms, clock } = this.#options;

    return new MixedSession({
      leg,
      createDoor: (...door) => rooms.createDoor(...door),
      sessionId: this.#sessionId,
      clock,
      logger: this.#logger,
    });
  }

  /** False when the caller is gone. */
  #accept(call: IncomingCall, description: SdpSession): boolean {
    if (call.requiresReliableProgress) {
      // RFC 3262 5: without an offer in the INVITE ours has to be in the first reliable response.
      call.progress(183, undefined, call.offer === undefined ? description : undefined);
    }
    if (!call.accept(description)) return false;
    this.#options.counters.callSetup((this.#options.clock.now() - this.#startedAt) / 1000);

    return true;
  }

  /** From now on requests in and beside the call are known to be its participant's. */
  #register(participant: Participant): void {
    const call = this.#call;
    const incoming = call instanceof IncomingCall ? call : undefined;
    const isReached = allows(call.introduction, 'MESSAGE');
    this.#outbox = isReached ? new ChatOutbox(call, this.#logger) : undefined;
    this.#options.calls.add({
      participant,
      call,
      joiningMethod: incoming === undefined ? 'dialed-out' : 'dialed-in',
      flow: incoming?.flow,
      account: this.#account,
      audio: this.#webRtc?.audio ?? this.#audioStatus,
      video: this.#video?.status,
    });
  }

  get #audioStatus(): MediaStatus {
    const audio = this.#mixed ?? this.#audio;

    return audio === undefined ? 'sendrecv' : phoneStatus(audio);
  }

  /** A re-INVITE: hold, resume, another address or codec; without an offer it asks for ours. */
  async #reoffer(offer: SdpSession | undefined): Promise<ReofferAnswer> {
    if (this.#webRtc !== undefined) return this.#reofferWebRtc(this.#webRtc, offer);
    if (this.#mixed !== undefined) return this.#reofferMixed(this.#mixed, offer);
    const leg = this.#leg;
    if (leg === undefined) return { status: 500 };
    const local = this.#local(leg);
    if (offer === undefined) {
      this.#description = createOffer(this.#capabilities, local);

      return { sdp: this.#description };
    }
    const videos = await this.#video?.offered(offer);
    const outcome = answerOffer(offer, this.#capabilities, { ...local, videos });
    if ('reject' in outcome) {
      this.#options.counters.reinvite('remote', 'rejected');

      return { status: outcome.reject.status, warning: outcome.reject.warning };
    }
    try {
      await this.#configure(leg, outcome);
    } catch (error) {
      this.#logger.warn({ err: toError(error) }, 'a re-INVITE could not be carried out');
      this.#options.counters.reinvite('remote', 'failed');

      return { status: error instanceof AppError ? errorStatus(error.code) : 500 };
    }
    this.#options.counters.reinvite('remote', 'accepted');
    this.#description = outcome.answer;
    this.#video?.changed();

    return { sdp: outcome.answer };
  }

  async #reofferWebRtc(webRtc: WebRtcMedia, offer: SdpSession | undefined): Promise<ReofferAnswer> {
    if (offer === undefined) return { sdp: webRtc.offer() };
    const answer = await webRtc.answer(offer);
    this.#options.counters.reinvite('remote', 'sdp' in answer ? 'accepted' : 'rejected');

    return answer;
  }

  async #reofferMixed(mixed: MixedSession, offer: SdpSession | undefined): Promise<ReofferAnswer> {
    if (offer === undefined) return { sdp: await mixed.offer() };
    const outcome = await mixed.answer(offer);
    const isAccepted = 'sdp' in outcome;
    this.#options.counters.reinvite('remote', isAccepted ? 'accepted' : 'rejected');
    this.#options.calls.setAudio(this.#call, this.#audioStatus);

    return isAccepted ? outcome : outcome.reject;
  }

  /** A key pressed in an INFO is as good as one in the media. */
  #pressed(key: string, durationMs: number): void {
    if (this.#webRtc === undefined) this.#leg?.events.emit('dtmf', key, durationMs);
    else this.#participant?.webRtcLeg.events.emit('dtmf', key, durationMs);
  }

  /** The answer to an offer of ours, in an ACK. */
  async #receiveAnswer(answer: SdpSession, otherwise: CloseReason): Promise<void> {
    if (this.#webRtc !== undefined) {
      const error = await this.#webRtc.receiveAnswer(answer);
      if (error !== undefined) await this.#participant?.leave(otherwise);

      return;
    }
    if (this.#mixed !== undefined) {
      const error = await this.#mixed.applyAnswer(answer);
      this.#options.calls.setAudio(this.#call, this.#audioStatus);
      if (error === undefined) return;
      if (this.#participant === undefined) this.ended(otherwise);
      else await this.#participant.leave(otherwise);

      return;
    }
    this.#video?.noteAnswer(answer);
    const error = await this.#applyAnswer(answer);
    if (error === undefined) return;
    this.#logger.info({ err: error }, 'the answer to our offer is of no use');
    if (this.#participant === undefined) this.ended(otherwise);
    else await this.#participant.leave(otherwise);
  }

  async #applyAnswer(answer: SdpSession): Promise<Error | undefined> {
    const leg = this.#leg;
    if (leg === undefined || this.#description === undefined) return undefined;
    const outcome = applyAnswer(this.#description, answer, this.#capabilities);
    if (outcome instanceof SdpError) return outcome;
    try {
      await this.#configure(leg, outcome);
    } catch (error) {
      return toError(error);
    }

    return undefined;
  }

  async #configure(leg: PhoneLeg, { audio, videos }: NegotiatedMedia): Promise<void> {
    await this.#setAudio(leg, audio);
    await this.#video?.apply(videos);
  }

  async #setAudio(leg: PhoneLeg, audio: NegotiatedAudio): Promise<void> {
    await leg.configure(await toPhoneAudio(audio, this.#signallingHost));
    this.#audio = audio;
    this.#options.calls.setAudio(this.#call, phoneStatus(audio));
  }

  get #signallingHost(): string | undefined {
    return this.#call instanceof IncomingCall ? this.#call.flow.remote.address : undefined;
  }

  #refuse(call: IncomingCall, error: unknown): void {
    const code = error instanceof AppError ? error.code : 'INTERNAL';
    const status = errorStatus(code);
    if (code === 'INTERNAL') this.#logger.error({ err: toError(error) }, 'a call failed');
    else {
      // What the server is short of concerns its operator; all else, the caller.
      const level = code === 'MEDIA_UNAVAILABLE' ? 'warn' : 'info';
      this.#logger[level]({ code, reason: toError(error).message }, 'a call was refused');
    }
    call.reject(status, status === 503 ? { headers: [['Retry-After', RETRY_AFTER_SECONDS]] } : {});
  }

  #callEnded(end: CallEnd): void {
    this.#endReason ??= closeReasonOf(end);
    const { by, cause, message } = end;
    this.#logger.info({ by, cause, reason: message?.headers.get('Reason') }, 'call ended');
    this.#webRtc?.close();
    this.#video?.close();
    this.#reception?.close();
    // The leg is its participant's, if there is one.
    if (this.#participant === undefined) void this.#leg?.close();
    else void this.#participant.leave(this.#endReason);
    this.#options.calls.remove(this.#call);
  }

  #local(leg: PhoneLeg): LocalMedia {
    return {
      address: this.#options.publicAddress,
      rtpPort: leg.rtpPort,
      previous: this.#description,
      sessionId: this.#sessionId,
      srtp: this.#audio?.srtp,
      videos: this.#video?.places(),
    };
  }
}

/** Undefined when the call was refused. */
async function admit(
  call: IncomingCall,
  { admission }: SipGatewayOptions,
): Promise<Admission | undefined> {
  const verdict = await admission?.admit(call.request, call.flow);
  if (verdict?.kind !== 'refused') return verdict ?? GUEST;
  call.reject(verdict.status, { headers: verdict.headers });

  return undefined;
}

/** A trunk's number leads where its route says, whatever rooms there are; without one it is asked. */
function targetOf(admission: Admission, uri: Uri): DialResult {
  if (admission.kind !== 'trunk') return dial(userOf(uri) ?? '');

  return admission.room === undefined
    ? { ok: false, reason: 'reserved' }
    : { ok: true, room: admission.room };
}

function traitsOf({ offer, request }: IncomingCall): PeerTraits {
  return {
    userAgent: request.headers.get('User-Agent'),
    bundles: offer !== undefined && bundledMids(offer).length > 0,
    names: offer?.media.some((media) => findAttribute(media, 'msid') !== undefined) === true,
  };
}

function nameOf(admission: Admission, call: IncomingCall): string {
  if (admission.kind === 'account') return admission.name;

  return call.remoteDisplayName ?? userOf(call.remoteUri) ?? '';
}

function userOf(uri: Uri): string | undefined {
  if (isSipUri(uri)) return uri.user;

  return uri.scheme === 'tel' ? uri.number : undefined;
}

/** A trunk's number leads where its route says; what else was dialled is the room, or makes one. */
function roomOf(admission: Admission, call: IncomingCall, dialled: RoomNumber): RoomNumber {
  if (admission.kind === 'trunk') return dialled;

  return (call.conference as RoomNumber | undefined) ?? dialled;
}
