import type { Clock, Logger } from '../../base/index.ts';
import { TimerSet, randomToken } from '../../base/index.ts';
import { closeReasonInfo } from '../../server/index.ts';
import type {
  CloseReason,
  Participant as RoomParticipant,
  ParticipantSink,
  ParticipantView,
  RoomEvent,
} from '../../server/index.ts';
import type { AnswerCache } from './answer-cache.ts';
import type {
  EndedReason,
  JoinAnswer,
  NotificationName,
  NotificationPayload,
  Participant,
} from './protocol.ts';

/** The socket at which a member listens now. */
export interface Outlet {
  notify<N extends NotificationName>(name: N, payload: NotificationPayload<N>): void;
  /** Says `ended` and closes the socket after it. */
  end(payload: NotificationPayload<'ended'>): void;
}

export interface MemberOptions {
  clock: Clock;
  logger: Logger;
  /** Milliseconds that a member without a socket keeps its place. */
  reconnectTimeout: number;
  answers: AnswerCache;
  onEnded: (member: Member) => void;
}

const ENDED_REASONS: Readonly<Record<CloseReason, EndedReason>> = {
  left: 'left',
  cancelled: 'left',
  disconnected: 'disconnected',
  replaced: 'replaced',
  kicked: 'removed',
  'room-ended': 'room-ended',
  'room-full': 'room-full',
  rejected: 'rejected',
  'pin-refused': 'rejected',
  'not-dialled': 'rejected',
  'not-acceptable': 'rejected',
  'media-timeout': 'disconnected',
  'media-failed': 'media-failed',
  'no-ack': 'disconnected',
  'protocol-error': 'error',
  'internal-error': 'error',
  'server-shutdown': 'server-closing',
};

export function endedReason(reason: CloseReason): EndedReason {
  return ENDED_REASONS[reason];
}

/**
 * One browser's stay in a room. It outlives its socket: a page whose connection broke comes back with
 * the resume token and finds its participant, and so its media, as it was.
 */
export class Member implements ParticipantSink {
  readonly sessionId = `s_${randomToken()}`;
  readonly resumeToken = randomToken(16);
  readonly answers: AnswerCache;
  readonly #options: MemberOptions;
  readonly #timers: TimerSet<'reconnect'>;
  #participant: RoomParticipant | undefined;
  #outlet: Outlet | undefined;
  #ended = false;

  constructor(options: MemberOptions) {
    this.#options = options;
    this.answers = options.answers;
    this.#timers = new TimerSet(options.clock);
  }

  get participant(): RoomParticipant {
    if (this.#participant === undefined) throw new TypeError('not in a room yet');

    return this.#participant;
  }

  get isOver(): boolean {
    return this.#ended;
  }

  /** The room has let it in. */
  enter(participant: RoomParticipant): void {
    this.#participant = participant;
    const { events } = participant.webRtcLeg;
    events.on('consumerClosed', (consumerId) => {
      this.#outlet?.notify('consumer-closed', { consumerId });
    });
    events.on('consumerPaused', (consumerId, paused) => {
      this.#outlet?.notify('consumer-paused', { consumerId, paused });
    });
    events.on('consumerLayers', (consumerId, layers) => {
      this.#outlet?.notify('consumer-layers', { consumerId, layers: layers ?? null });
    });
  }

  /** `outlet` is where the member listens from now on; the one before is told and closed. */
  attach(outlet: Outlet): void {
    this.#timers.stop('reconnect');
    const former = this.#outlet;
    this.#outlet = outlet;
    if (former !== outlet) former?.end(endedPayload('replaced'));
  }

  /** The socket is gone. The place is kept for a while, unless another socket took over before. */
  detach(outlet: Outlet): void {
    if (this.#outlet !== outlet || this.#ended) return;
    this.#outlet = undefined;
    this.#timers.start('reconnect', this.#options.reconnectTimeout, () => {
      void this.#participant?.leave('disconnected');
    });
  }

  /** The answer to its join is out: from now on it is on the roster and hears of events. */
  acknowledged(): void {
    this.#participant?.activate();
  }

  /** Everything as it is now: what a new page needs, and all that a returning one may have missed. */
  joinAnswer(resumed: boolean): JoinAnswer {
    const { participant } = this;
    const { room } = participant;
    const { waits } = participant;
    const others = waits ? [] : room.roster().filter((view) => view.id !== participant.id);
    const isHost = participant.role === 'host';

    return {
      participantId: participant.id,
      sessionId: this.sessionId,
      resumeToken: this.resumeToken,
      resumed,
      reconnectTimeout: this.#options.reconnectTimeout,
      room: { number: room.number, name: room.name, locked: room.locked },
      waiting: waits,
      lobby: isHost ? room.waiting().map((waiting) => wireParticipant(waiting.view())) : [],
      activeSpeaker: waits ? null : (room.activeSpeaker ?? null),
      roster: [...others, participant.view()].map(wireParticipant),
      producers: waits ? [] : room.producers(participant.id),
      videoCodecs: waits ? [] : [...room.videoCodecs()],
      chat: waits ? [] : [...room.chat()],
      routerRtpCapabilities: room.rtpCapabilities,
    };
  }

  notify(event: RoomEvent): void {
    if (this.#outlet === undefined) return;
    if (event.type === 'let-in') this.#outlet.notify('let-in', { answer: this.joinAnswer(false) });
    else forward(event, this.#outlet);
  }

  ended(reason: CloseReason): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#timers.close();
    this.#outlet?.end(endedPayload(reason));
    this.#outlet = undefined;
    this.#options.onEnded(this);
    this.#options.logger.debug({ session: this.sessionId, reason }, 'member ended');
  }
}

export function endedPayload(reason: CloseReason): NotificationPayload<'ended'> {
  const { text, retryable } = closeReasonInfo(reason);

  return { reason: endedReason(reason), message: text, retryable };
}

function wireParticipant(view: ParticipantView): Participant {
  return {
    id: view.id,
    name: view.name,
    kind: view.kind,
    role: view.role,
    state: view.state,
    muted: view.muted,
    speaking: view.speaking,
    handRaised: view.handRaised,
    video: view.video,
    joinedAt: view.joinedAt,
  };
}

function forward(event: Exclude<RoomEvent, { type: 'let-in' }>, outlet: Outlet): void {
  switch (event.type) {
    case 'participant-joined':
    case 'participant-updated':
    case 'lobby-joined':
      outlet.notify(event.type, { participant: wireParticipant(event.participant) });
      break;
    case 'participant-left':
      outlet.notify(event.type, {
        participantId: event.participantId,
        reason: endedReason(event.reason),
      });
      break;
    case 'lobby-left':
      outlet.notify(event.type, { participantId: event.participantId });
      break;
    case 'speaking':
      outlet.notify(event.type, { participantId: event.participantId, speaking: event.speaking });
      break;
    case 'active-speaker':
      outlet.notify(event.type, { participantId: event.participantId ?? null });
      break;
    case 'producer-added':
    case 'producer-updated':
      outlet.notify(event.type, { producer: event.producer });
      break;
    case 'producer-removed':
      outlet.notify(event.type, {
        producerId: event.producerId,
        participantId: event.participantId,
      });
      break;
    case 'video-codecs':
      outlet.notify(event.type, { wishes: event.wishes });
      break;
    case 'chat-message':
      outlet.notify(event.type, { message: event.message });
      break;
    case 'room-updated':
      outlet.notify(event.type, {
        room: { number: event.room.number, name: event.room.name, locked: event.room.locked },
      });
      break;
  }
}
