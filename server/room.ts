/**
 * Size: the one place where the parts of a meeting meet; members, media, speakers, chat and policy are in
 * files of their own.
 */
import type { types as mediasoup } from 'mediasoup';
import { AppError, newParticipantId, toError } from '../base/index.ts';
import type { Clock, Logger, ParticipantId, RoomNumber } from '../base/index.ts';
import type { MediaEngine, PhoneLeg } from '../media/index.ts';
import { ChatHistory } from './chat-history.ts';
import type { CloseReason } from './close-reason.ts';
import { RoomService, type Voice } from './ivr/index.ts';
import { MeetingMedia } from './meeting-media.ts';
import type { MeetingMediaHooks } from './meeting-media.ts';
import { Participant } from './participant.ts';
import type { ParticipantHooks, RoomHandle } from './participant.ts';
import type { MediaLegOf } from './participant-media.ts';
import type {
  ChatMessage,
  LayoutView,
  ParticipantKind,
  ParticipantRole,
  ParticipantSink,
  ParticipantView,
  ProducerView,
  RoomEvent,
  RoomSettings,
  RoomView,
  VideoCodecWish,
} from './ports.ts';
import { gridPlan, layoutView } from './room-layout.ts';
import { RoomMembers } from './room-members.ts';
import { admit, knowsPin } from './room-policy.ts';
import { pinsOf, roomView } from './room-settings.ts';
import { RoomSpeakers } from './room-speakers.ts';
import { RoomVideo } from './room-video.ts';

/** Who asks to enter; the name is already clean. */
export interface Entrant {
  name: string;
  kind: ParticipantKind;
  /** A phone that speaks WebRTC has a browser's media. */
  webRtc?: boolean;
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
  /** Speaks to phones. */
  voice: Voice;
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
  readonly #members = new RoomMembers();
  readonly #speakers: RoomSpeakers;
  readonly #video = new RoomVideo(this.#members);
  readonly #chat = new ChatHistory();
  readonly #service: RoomService;
  #settings: RoomSettings;
  #startedAt: number | undefined;
  #locked = false;
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
    this.#speakers = new RoomSpeakers(options.clock, this.#members, (id) => {
      this.#logger.debug({ participant: id }, 'active speaker');
      this.#media.setActiveSpeaker(id && this.#members.legOf(id));
    });
    const { voice, clock } = options;
    this.#service = new RoomService({ room: this, voice, clock, logger: this.#logger });
  }

  get name(): string {
    return this.#settings.name;
  }

  get language(): string | undefined {
    return this.#settings.language;
  }

  get tones(): boolean {
    return this.#settings.tones !== false;
  }

  get locked(): boolean {
    return this.#locked;
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
    return this.#media.rtpCapabilities;
  }

  /** Those who are in, in the order in which they came. */
  joined(): Participant[] {
    return this.#members.joined();
  }

  /** Who waits for a host. */
  waiting(): Participant[] {
    return this.#members.waiting();
  }

  participant(id: ParticipantId): Participant | undefined {
    return this.#members.find(id);
  }

  /** As `participant`, also of those who wait. */
  anybody(id: ParticipantId): Participant | undefined {
    return this.participant(id) ?? this.waiting().find((waiting) => waiting.id === id);
  }

  /** Closes the room to guests, or opens it again; nobody is locked out for longer than the meeting. */
  setLocked(locked: boolean): void {
    if (locked === this.#locked) return;
    this.#locked = locked;
    this.#members.broadcast({ type: 'room-updated', room: this.view() });
  }

  /** For all phones that are in. */
  playTone(...tone: Parameters<MeetingMedia['playTone']>): void {
    this.#media.playTone(...tone);
  }

  roster(): ParticipantView[] {
    return this.joined().map((member) => member.view());
  }

  producers(except?: ParticipantId): ProducerView[] {
    return this.#members.producers(except);
  }

  videoCodecs(): readonly VideoCodecWish[] {
    return this.#video.wishes;
  }

  chat(): readonly ChatMessage[] {
    return this.#chat.lines();
  }

  /** All that any member is told, for one who is no member; ends with the function returned. */
  observe(observer: (event: RoomEvent) => void): () => void {
    return this.#members.observe((event) => {
      try {
        observer(event);
      } catch (error) {
        this.#logger.error({ err: toError(error), event: event.type }, 'an observer failed');
      }
    });
  }

  view(): RoomView {
    return roomView(this.#settings, {
      maxParticipants: this.#maxParticipants(),
      participants: this.joined().length,
      persistent: this.persistent,
      startedAt: this.#startedAt,
      locked: this.#locked,
      gridReason: this.#media.gridReason(),
    });
  }

  /** What this member is to see, and sees, where it is a phone with one picture. */
  layoutOf({ id, layout }: Participant): LayoutView {
    const reason = this.#media.gridReason(this.#members.legOf(id));

    return layoutView(layout ?? this.#settings.layout ?? 'speaker', reason);
  }

  /** Whether this PIN, or none, opens the room: for those who ask about it without coming in. */
  wouldAdmit(pin: string | undefined): boolean {
    return knowsPin(pin, pinsOf(this.#settings));
  }

  /** Takes effect for those who come; those who are in stay. */
  update(settings: RoomSettings): void {
    this.#settings = settings;
    this.#planGrid();
    this.#members.broadcast({ type: 'room-updated', room: this.view() });
  }

  get isFull(): boolean {
    return this.#members.size >= this.#maxParticipants();
  }

  /**
   * A seat and a media leg, or an AppError. The participant is not a member before `activate()`. `leg`: a
   * waiting phone's own; it stays the caller's when this rejects.
   */
  async admit(entrant: Entrant, sink: ParticipantSink, leg?: PhoneLeg): Promise<Participant> {
    const verdict = admit(entrant, {
      closed: this.#retired,
      seats: this.#members.size,
      maxParticipants: this.#maxParticipants(),
      hostPresent: this.#members.hostPresent,
      locked: this.#locked,
      lobby: this.#settings.lobby === true,
      ...pinsOf(this.#settings),
    });
    if (!verdict.ok) {
      this.#endIfEmpty('rejected');
      throw new AppError(verdict.code, verdict.message);
    }
    if (verdict.waits && entrant.webRtc === true) {
      // Its media would be in the room before it is.
      this.#endIfEmpty('rejected');
      throw new AppError('FORBIDDEN', 'a WebRTC phone cannot wait in the lobby');
    }
    const participant = new Participant({
      id: newParticipantId(),
      name: entrant.name,
      kind: entrant.kind,
      address: entrant.address,
      role: verdict.role,
      waits: verdict.waits,
      room: this,
      sink,
      hooks: this.#participantHooks,
      clock: this.#clock,
      logger: this.#logger,
    });
    this.#members.add(participant);
    await this.#giveMedia(participant, entrant.webRtc === true, verdict.waits, leg);

    return participant;
  }

  /**
   * Ends the meeting for all. Everybody is off the roster when this returns; it resolves when all media
   * is closed. A room of the API stays, empty.
   */
  async end(reason: CloseReason): Promise<void> {
    if (!this.persistent) this.#retired = true;
    const left = Promise.all(this.#members.seated().map((member) => member.leave(reason)));
    this.#endMeeting(reason, left);
    await left;
    await this.#media.whenReleased();
  }

  /** Lets nobody in any more, then ends the meeting. */
  async retire(reason: CloseReason): Promise<void> {
    this.#retired = true;
    await this.end(reason);
  }

  async #giveMedia(
    participant: Participant,
    webRtc: boolean,
    waits: boolean,
    leg?: PhoneLeg,
  ): Promise<void> {
    let made: MediaLegOf;
    try {
      if (leg !== undefined && !waits) await this.#media.adopt(leg);
      made =
        leg === undefined
          ? await this.#media.createLeg(webRtc ? 'browser' : participant.kind, waits)
          : { kind: 'phone', leg };
    } catch (error) {
      if (participant.state === 'joining') {
        this.#logger.error({ err: toError(error) }, 'no media for a participant');
      }
      await participant.leave('media-failed');
      throw new AppError('MEDIA_UNAVAILABLE', 'no media can be had', { cause: error });
    }
    if (participant.state !== 'joining') {
      await made.leg.close();
      throw new AppError('ROOM_CLOSED', 'the meeting ended meanwhile');
    }
    participant.attachMedia(made);
    this.#members.attachLeg(made.leg.id, participant);
  }

  readonly #mediaHooks: MeetingMediaHooks = {
    wanted: () => this.occupied,
    producerAdded: (info) => this.#members.ofLeg(info.legId)?.addProducer(info),
    producerRemoved: (info) => this.#members.ofLeg(info.legId)?.removeProducer(info.id),
    producerPaused: (info) => this.#members.ofLeg(info.legId)?.changeProducer(info),
    speakers: (levels) => {
      this.#speakers.heard(levels);
    },
    videoCodecsWanted: (wanted) => {
      this.#video.wanted(wanted);
    },
    failed: () => void this.end('media-failed'),
  };

  readonly #participantHooks: ParticipantHooks = {
    activated: (participant) => {
      this.#onActivated(participant);
    },
    waiting: (participant) => {
      this.#logger.info({ participant: participant.id, kind: participant.kind }, 'waits');
      this.#members.tellHosts({ type: 'lobby-joined', participant: participant.view() });
      this.#service.waits(participant);
    },
    lettingIn: async (participant) => {
      this.#service.letIn(participant);
      if (participant.voiceLeg !== undefined) await this.#media.adopt(participant.voiceLeg);
      this.#members.tellHosts({ type: 'lobby-left', participantId: participant.id });
    },
    updated: (participant) => {
      if (participant.muted) this.#speakers.silence(participant.id, false);
      if (participant.state !== 'joined') return;
      this.#planGrid();
      this.#members.broadcast({ type: 'participant-updated', participant: participant.view() });
    },
    producerAdded: (participant, info) => {
      this.#members.tellStream('producer-added', participant, info);
    },
    producerUpdated: (participant, info) => {
      this.#members.tellStream('producer-updated', participant, info);
    },
    producerRemoved: (participant, info) => {
      this.#members.tellStreamEnd(participant, info.id);
    },
    said: (participant, text) => {
      const { id: participantId, name } = participant;
      const at = new Date(this.#clock.wallTime()).toISOString();
      const message = this.#chat.add({ participantId, name, text, at });
      if (message !== undefined) this.#members.broadcast({ type: 'chat-message', message });
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
    this.#members.announce(participant);
    this.#planGrid();
    this.#logger.info({ participant: participant.id, kind: participant.kind }, 'joined');
    this.#members.tellOthers(participant, {
      type: 'participant-joined',
      participant: participant.view(),
    });
    for (const producer of participant.producers()) {
      this.#members.tellOthers(participant, { type: 'producer-added', producer });
    }
    this.#service.entered(participant);
    this.#hooks.joined(participant);
  }

  #onLeaving(participant: Participant, reason: CloseReason): void {
    const wasIn = this.#members.remove(participant);
    if (wasIn) this.#planGrid();
    this.#service.left(participant, wasIn);
    if (!wasIn) {
      this.#members.tellHosts({ type: 'lobby-left', participantId: participant.id });

      return;
    }
    this.#logger.info({ participant: participant.id, reason }, 'left');
    this.#speakers.silence(participant.id, true);
    this.#members.broadcast({ type: 'participant-left', participantId: participant.id, reason });
    this.#hooks.left(participant, reason);
  }

  #planGrid(): void {
    this.#media.setGrid(gridPlan(this.#members, this.#settings.layout ?? 'speaker'));
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
    this.#video.reset();
    this.#service.close();
    this.#locked = false;
    this.#chat.clear();
    if (!this.persistent) this.#retired = true;
    this.#media.release(legs);
    if (wasRunning) {
      this.#logger.info({ reason }, 'meeting over');
      this.#hooks.ended(this, reason);
    }
    this.#hooks.vacated(this);
  }
}
