/**
 * The media of a call whose phone speaks WebRTC: what the room has for it, what it has for the room, and
 * the re-INVITEs that keep the two together.
 */
import { TimerSet, type Clock, type Logger, type ParticipantId } from '../../base/index.ts';
import type { Participant, ProducerView, RoomEvent } from '../../server/index.ts';
import type { SdpError, SdpSession } from '../sdp/index.ts';
import {
  Negotiation,
  IceRecovery,
  WebRtcSession,
  codecForMost,
  peerProfile,
  type ExchangeResult,
  type NegotiationHost,
  type NegotiationOutcome,
  type NegotiationSettings,
  type PeerTraits,
  type RoomStream,
  type SlotLimits,
} from './negotiation/index.ts';
import { streamLabel, type MediaStatus } from './focus/index.ts';
import type { ReofferAnswer, SessionCall } from './ua/index.ts';

export interface WebRtcMediaOptions {
  readonly participant: Participant;
  readonly call: SessionCall;
  readonly traits: PeerTraits;
  readonly sessionId: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly negotiation: NegotiationSettings;
  readonly counters: { reinvite(reason: string, outcome: string): void };
  /** The audio of the call is another direction now. */
  readonly onAudio: (status: MediaStatus) => void;
}

/** As many as a screen has place for. */
const LIMITS: SlotLimits = { audio: 16, video: 16 };
/** How long ICE and DTLS may take; also without a packet from a peer that was there (RFC 7675). */
const CONNECT_TIMEOUT = 30_000;

export class WebRtcMedia implements NegotiationHost {
  readonly #options: WebRtcMediaOptions;
  readonly #session: WebRtcSession;
  readonly #negotiation: Negotiation;
  readonly #timers: TimerSet<'connect'>;
  readonly #recovery: IceRecovery;
  #reason: 'streams' | 'ice' = 'streams';
  /** Who spoke last, first: they are seen when not all can be. */
  #speakers: readonly ParticipantId[] = [];
  /** Whose camera was announced, and until when it is waited for: who joins with both is one change. */
  readonly #awaited = new Map<ParticipantId, number>();
  #isEstablished = false;

  constructor(options: WebRtcMediaOptions) {
    const { participant, clock, logger, sessionId, traits } = options;
    const profile = peerProfile(traits);
    this.#options = options;
    this.#timers = new TimerSet(clock);
    this.#session = new WebRtcSession({
      leg: participant.webRtcLeg,
      router: participant.room.rtpCapabilities,
      profile,
      limits: profile.severalAudios ? LIMITS : { audio: 1, video: 1 },
      sessionId,
      logger,
    });
    this.#negotiation = new Negotiation(this, { clock, logger, settings: options.negotiation });
    const { events } = participant.webRtcLeg;
    this.#recovery = new IceRecovery(
      {
        restartDue: () => this.#negotiation.changed(),
        lost: () => void participant.leave('media-timeout'),
      },
      clock,
    );
    events.on('connected', () => {
      this.#timers.stop('connect');
      this.#recovery.connected();
    });
    events.on('interrupted', () => {
      logger.info({ participant: participant.id }, 'nothing comes of a WebRTC phone any more');
      this.#recovery.interrupted();
    });
    events.on('disconnected', () => void participant.leave('media-timeout'));
    events.on('closed', () => this.close());
  }

  get isWanted(): boolean {
    if (!this.#isEstablished) return false;
    // Not with each of the room's changes: a hundred who join make ten thousand of them.
    this.#update();

    return this.#recovery.isDue || this.#session.isBehind;
  }

  get awaitedUntil(): number {
    return Math.max(0, ...this.#awaited.values());
  }

  /** From the phone's point of view. */
  get audio(): MediaStatus {
    return PHONE_STATUS[this.#session.audioDirection];
  }

  /** An offer of the phone, in its INVITE or later. */
  async answer(offer: SdpSession): Promise<ReofferAnswer> {
    this.#update();
    const outcome = await this.#session.answer(offer);
    if ('reject' in outcome) return outcome.reject;
    this.#options.onAudio(this.audio);
    if (this.#isEstablished) {
      await this.#session.flow();
      this.#negotiation.changed();
    } else {
      this.#timers.start('connect', CONNECT_TIMEOUT, () => {
        void this.#options.participant.leave('media-timeout');
      });
    }

    return outcome;
  }

  /** For a re-INVITE without an offer. */
  offer(): SdpSession {
    this.#update();

    return this.#session.offer();
  }

  /** The answer to that. */
  receiveAnswer(answer: SdpSession): Promise<SdpError | undefined> {
    return this.#session.applyAnswer(answer);
  }

  /** The call stands: streams run, and the room's changes are passed on. */
  established(): void {
    this.#isEstablished = true;
    void this.#session.flow();
    this.#negotiation.changed();
  }

  roomChanged(event: RoomEvent): void {
    if (event.type === 'active-speaker') this.#spoke(event.participantId);
    else if (event.type === 'producer-added' || event.type === 'producer-removed') {
      this.#noteAnnounced(event);
    } else if (event.type !== 'video-codecs') return;
    this.#negotiation.changed();
  }

  async exchange(): Promise<ExchangeResult> {
    const isRestart = this.#recovery.isDue;
    this.#reason = isRestart ? 'ice' : 'streams';
    if (isRestart) await this.#session.restartIce();
    if (!(await this.#session.prepare()) && !isRestart) return 'moot';
    const result = await this.#options.call.reoffer(() => this.#session.offer());
    if ('status' in result) {
      await this.#session.abandon(result.status);

      return result;
    }
    const error = await this.#session.applyAnswer(result.answer);
    if (error === undefined) {
      if (isRestart) this.#recovery.asked();
      this.#options.onAudio(this.audio);

      return 'accepted';
    }
    this.#options.logger.info({ err: error }, 'the answer to our re-INVITE is of no use');
    void this.#options.participant.leave('not-acceptable');

    return { status: 487 };
  }

  count(outcome: NegotiationOutcome): void {
    this.#options.counters.reinvite(this.#reason, outcome);
  }

  resigned(): void {
    this.#session.freeze();
  }

  close(): void {
    this.#negotiation.close();
    this.#timers.close();
    this.#recovery.close();
  }

  /** Without pictures in the call there is nothing to wait for. */
  #noteAnnounced(event: Extract<RoomEvent, { type: 'producer-added' | 'producer-removed' }>): void {
    const { participant, clock, negotiation } = this.#options;
    const id = event.type === 'producer-added' ? event.producer.participantId : event.participantId;
    const owner = participant.room.participant(id);
    const isAwaited = this.#session.knowsVideo && owner?.announced.has('camera') === true;
    if (!isAwaited) this.#awaited.delete(id);
    else if (!this.#awaited.has(id)) this.#awaited.set(id, clock.now() + negotiation.patience);
  }

  #spoke(id: ParticipantId | undefined): void {
    if (id === undefined) return;
    this.#speakers = [id, ...this.#speakers.filter((each) => each !== id)];
  }

  #update(): void {
    const { participant } = this.#options;
    const present = participant.room.producers(participant.id);
    this.#session.want(roomStreams(present, this.#speakers, this.#session.knowsVideo));
    this.#session.wish(codecForMost(participant.room.videoCodecs()));
  }
}

const PHONE_STATUS: Readonly<Record<WebRtcSession['audioDirection'], MediaStatus>> = {
  sendrecv: 'sendrecv',
  sendonly: 'recvonly',
  recvonly: 'sendonly',
  inactive: 'inactive',
};

/** Whoever spoke last comes first; whoever never did, in the order of coming. */
function roomStreams(
  producers: readonly ProducerView[],
  speakers: readonly ParticipantId[],
  withVideo: boolean,
): RoomStream[] {
  const rank = (id: ParticipantId): number => {
    const index = speakers.indexOf(id);

    return index === -1 ? speakers.length : index;
  };

  return producers
    .filter(({ kind }) => kind === 'audio' || withVideo)
    .map((producer, index) => ({ producer, index }))
    .sort(
      (a, b) =>
        // A shared screen is what a meeting is about while it is there.
        Number(b.producer.source === 'screen') - Number(a.producer.source === 'screen') ||
        rank(a.producer.participantId) - rank(b.producer.participantId) ||
        a.index - b.index,
    )
    .map(({ producer: { id, participantId, kind, source } }) => ({
      id,
      kind,
      participant: participantId,
      label: streamLabel(participantId, source),
      content: source === 'screen' ? 'slides' : 'main',
    }));
}
