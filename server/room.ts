import type { types as mediasoup } from 'mediasoup';
import { AppError, newParticipantId, toError } from '../base/index.ts';
import type { Clock, LegId, Logger, ParticipantId, RoomNumber } from '../base/index.ts';
import type { MediaEngine, ProducerInfo, SpeakerLevel } from '../media/index.ts';
import type { CloseReason } from './close-reason.ts';
import { MeetingMedia } from './meeting-media.ts';
import type { MeetingMediaHooks } from './meeting-media.ts';
import { Participant } from './participant.ts';
import type { MediaLegOf, ParticipantHooks, RoomHandle } from './participant.ts';
import { producerView } from './participant-streams.ts';
import type {
  ParticipantKind,
  ParticipantRole,
  ParticipantSink,
  ParticipantView,
  ProducerView,
  RoomEvent,
  RoomSettings,
  RoomView,
} from './ports.ts';
import { admit } from './room-policy.ts';
import { RoomSpeakers } from './room-speakers.ts';

/** Who asks to enter; the name is already clean. */
export interface Entrant {
  name: string;
  kind: ParticipantKind;
  address: string;
  pin?: string;
  /** Set by whoever vouches for it; outranks PINs. */
  role?: ParticipantRole;
}

/** What a room reports to its manager. */
export interface RoomHooks {
  /** The first participant is in. */
  started(room: Room): void;
  /** The meeting, once started, is over: everybody left, or `end` was called. */
  ended(room: Room, reason: CloseReason): void;
  /** Nobody has a seat any more; also after the only one who asked was refused. */
  vacated(room: Room): void;
  joined(participant: Participant): void;
  left(participant: Participant, reason: CloseReason): void;
}

export interface RoomOptions {
  settings: RoomSettings;
  /** Made by the API: stays when the meeting is over. */
  persistent: boolean;
  /** The limit of the installation; the room's own may be lower. */
  maxParticipants: number;
  media: MediaEngine;
  hooks: RoomHooks;
  clock: Clock;
  logger: Logger;
}

/**
 * A room and, while somebody is in it, its meeting: members, who is told what and when (the order is
 * in `ports.ts`), and the end. Its media exists only during a meeting.
 */
export class Room implements RoomHandle {
  readonly number: RoomNumber;
  readonly persistent: boolean;
  readonly #hooks: RoomHooks;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #limit: number;
  readonly #media: MeetingMedia;
  readonly #speakers: RoomSpeakers;
  /** Everybody with a seat: joining and joined. */
  readonly #members = new Map<ParticipantId, Participant>();
  readonly #legs = new Map<LegId, Participant>();
  /** Those whom the others have been told of. */
  readonly #announced = new WeakSet<Participant>();
  #settings: RoomSettings;
  #startedAt: number | undefined;
  #retired = false;

  constructor(options: RoomOptions) {
    this.number = options.settings.number;
    this.persistent = options.persistent;
    this.#settings = options.settings;
    this.#limit = options.maxParticipants;
    this.#hooks = options.hooks;
    this.#clock = options.clock;
    this.#logger = options.logger.child({ room: options.settings.number });
    this.#media = new MeetingMedia(options.media, this.#mediaHooks, this.#logger);
    this.#speakers = new RoomSpeakers(options.clock, {
      speaking: (id, speaking) => {
        this.#markSpeaking(id, speaking);
      },
      active: (participantId) => {
        this.#broadcast({ type: 'active-speaker', participantId });
      },
    });
  }

  get name(): string {
    return this.#settings.name;
  }

  get settings(): RoomSettings {
    return this.#settings;
  }

  /** Nobody can enter this object any more; a later meeting of the number is another Room. */
  get retired(): boolean {
    return this.#retired;
  }

  /** True while somebody has a seat. */
  get occupied(): boolean {
    return this.#members.size > 0;
  }

  get activeSpeaker(): ParticipantId | undefined {
    return this.#speakers.active;
  }

  get rtpCapabilities(): mediasoup.RtpCapabilities {
    const media = this.#media.current;
    if (media === undefined) throw new AppError('ROOM_CLOSED', 'the room has no media');

    return media.rtpCapabilities;
  }

  /** Those who are in, in the order in which they came. */
  joined(): Participant[] {
    return [...this.#members.values()].filter((member) => member.state === 'joined');
  }

  participant(id: ParticipantId): Participant | undefined {
    const member = this.#members.get(id);

    return member?.state === 'joined' ? member : undefined;
  }

  roster(): ParticipantView[] {
    return this.joined().map((member) => member.view());
  }

  producers(except?: ParticipantId): ProducerView[] {
    return this.joined()
      .filter((member) => member.id !== except)
      .flatMap((member) => member.producers());
  }

  view(): RoomView {
    const view: RoomView = {
      number: this.number,
      name: this.#settings.name,
      createdAt: new Date(this.#settings.createdAt).toISOString(),
      maxParticipants: this.#maxParticipants(),
      participants: this.joined().length,
      persistent: this.persistent,
      hostPinSet: this.#settings.hostPin !== undefined,
      guestPinSet: this.#settings.guestPin !== undefined,
    };
    if (this.#startedAt !== undefined) view.startedAt = new Date(this.#startedAt).toISOString();

    return view;
  }

  /** Takes effect for those who come; those who are in stay. */
  update(settings: RoomSettings): void {
    this.#settings = settings;
    this.#broadcast({ type: 'room-updated', room: this.view() });
  }

  /** A seat and a media leg, or an AppError. The participant is not a member before `activate()`. */
  async admit(entrant: Entrant, sink: ParticipantSink): Promise<Participant> {
    const verdict = admit(entrant, {
      closed: this.#retired,
      seats: this.#members.size,
      maxParticipants: this.#maxParticipants(),
      hostPresent: [...this.#members.values()].some((member) => member.role === 'host'),
      ...pins(this.#settings),
    });
    if (!verdict.ok) {
      this.#endIfEmpty('rejected');
      throw new AppError(verdict.code, verdict.message);
    }
    const participant = new Participant({
      id: newParticipantId(),
      name: entrant.name,
      kind: entrant.kind,
      address: entrant.address,
      role: verdict.role,
      room: this,
      sink,
      hooks: this.#participantHooks,
      clock: this.#clock,
      logger: this.#logger,
    });
    this.#members.set(participant.id, participant);
    await this.#giveMedia(participant);

    return participant;
  }

  /**
   * Ends the meeting for all. Everybody is off the roster when this returns; it resolves when all media
   * is closed. A room of the API stays, empty.
   */
  async end(reason: CloseReason): Promise<void> {
    if (!this.persistent) this.#retired = true;
    const left = Promise.all([...this.#members.values()].map((member) => member.leave(reason)));
    this.#endMeeting(reason, left);
    await left;
    await this.#media.whenReleased();
  }

  /** Lets nobody in any more, then ends the meeting. */
  async retire(reason: CloseReason): Promise<void> {
    this.#retired = true;
    await this.end(reason);
  }

  async #giveMedia(participant: Participant): Promise<void> {
    let made: MediaLegOf | undefined;
    try {
      const media = await this.#media.open();
      made =
        participant.kind === 'phone'
          ? { kind: 'phone', leg: await media.createPhoneLeg() }
          : { kind: 'browser', leg: await media.createWebRtcLeg() };
    } catch (error) {
      this.#logger.error({ err: toError(error) }, 'no media for a participant');
      await participant.leave('media-failed');
      throw new AppError('MEDIA_UNAVAILABLE', 'no media can be had', { cause: error });
    }
    if (participant.state !== 'joining') {
      await made.leg.close();
      throw new AppError('ROOM_CLOSED', 'the meeting ended meanwhile');
    }
    participant.attachMedia(made);
    this.#legs.set(made.leg.id, participant);
  }

  readonly #mediaHooks: MeetingMediaHooks = {
    wanted: () => this.occupied,
    producerAdded: (info) => this.#legs.get(info.legId)?.addProducer(info),
    producerRemoved: (info) => this.#legs.get(info.legId)?.removeProducer(info.id),
    speakers: (levels) => {
      this.#onSpeakers(levels);
    },
    failed: () => void this.end('media-failed'),
  };

  readonly #participantHooks: ParticipantHooks = {
    activated: (participant) => {
      this.#onActivated(participant);
    },
    updated: (participant) => {
      if (participant.muted) this.#speakers.silence(participant.id, false);
      if (participant.state !== 'joined') return;
      this.#broadcast({ type: 'participant-updated', participant: participant.view() });
    },
    producerAdded: (participant, info) => {
      this.#onProducer(participant, 'producer-added', info);
    },
    producerUpdated: (participant, info) => {
      this.#onProducer(participant, 'producer-updated', info);
    },
    producerRemoved: (participant, info) => {
      if (!this.#announced.has(participant)) return;
      const { id: participantId } = participant;
      this.#tellOthers(participant, {
        type: 'producer-removed',
        producerId: info.id,
        participantId,
      });
    },
    leaving: (participant, reason) => {
      this.#onLeaving(participant, reason);
    },
    left: () => {
      this.#endIfEmpty('left');
    },
  };

  #onActivated(participant: Participant): void {
    const first = this.#startedAt === undefined;
    this.#startedAt ??= this.#clock.wallTime();
    if (first) this.#hooks.started(this);
    this.#announced.add(participant);
    this.#logger.info({ participant: participant.id, kind: participant.kind }, 'joined');
    this.#tellOthers(participant, { type: 'participant-joined', participant: participant.view() });
    for (const producer of participant.producers()) {
      this.#tellOthers(participant, { type: 'producer-added', producer });
    }
    this.#hooks.joined(participant);
  }

  #onProducer(
    participant: Participant,
    type: 'producer-added' | 'producer-updated',
    info: ProducerInfo,
  ): void {
    if (participant.state !== 'joined') return;
    this.#tellOthers(participant, { type, producer: producerView(participant.id, info) });
  }

  #onLeaving(participant: Participant, reason: CloseReason): void {
    this.#members.delete(participant.id);
    for (const [legId, owner] of this.#legs) if (owner === participant) this.#legs.delete(legId);
    if (!this.#announced.delete(participant)) return;
    this.#logger.info({ participant: participant.id, reason }, 'left');
    this.#speakers.silence(participant.id, true);
    this.#broadcast({ type: 'participant-left', participantId: participant.id, reason });
    this.#hooks.left(participant, reason);
  }

  #onSpeakers(levels: readonly SpeakerLevel[]): void {
    const heard = levels.flatMap(({ legId, level }) => {
      const participant = this.#legs.get(legId);
      const counts = participant?.state === 'joined' && !participant.muted;

      return counts ? [{ id: participant.id, level }] : [];
    });
    this.#speakers.heard(heard);
  }

  #markSpeaking(id: ParticipantId, speaking: boolean): void {
    const member = this.#members.get(id);
    if (member?.markSpeaking(speaking) !== true) return;
    this.#broadcast({ type: 'speaking', participantId: id, speaking });
  }

  #broadcast(event: RoomEvent): void {
    for (const member of this.joined()) member.notify(event);
  }

  #tellOthers(about: Participant, event: RoomEvent): void {
    for (const member of this.joined()) if (member !== about) member.notify(event);
  }

  #maxParticipants(): number {
    return Math.min(this.#limit, this.#settings.maxParticipants ?? this.#limit);
  }

  #endIfEmpty(reason: CloseReason): void {
    if (!this.occupied) this.#endMeeting(reason);
  }

  /** The media goes after `legs`. */
  #endMeeting(reason: CloseReason, legs?: Promise<unknown>): void {
    const wasRunning = this.#startedAt !== undefined;
    this.#startedAt = undefined;
    this.#speakers.reset();
    if (!this.persistent) this.#retired = true;
    this.#media.release(legs);
    if (wasRunning) {
      this.#logger.info({ reason }, 'meeting over');
      this.#hooks.ended(this, reason);
    }
    this.#hooks.vacated(this);
  }
}

function pins(settings: RoomSettings): { hostPin?: string; guestPin?: string } {
  return {
    ...(settings.hostPin !== undefined && { hostPin: settings.hostPin }),
    ...(settings.guestPin !== undefined && { guestPin: settings.guestPin }),
  };
}
