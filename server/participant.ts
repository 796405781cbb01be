/**
 * Size: all that a member is and may do, and the interfaces that name it; its media, its streams and its
 * states are in files of their own.
 */
import type { types as mediasoup } from 'mediasoup';
import { AppError, RateLimiter, toError } from '../base/index.ts';
import type { Clock, Logger, ParticipantId, ProducerId, RoomNumber } from '../base/index.ts';
import type { MediaSource, PhoneLeg, ProducerInfo, WebRtcLeg } from '../media/index.ts';
import type { CloseReason } from './close-reason.ts';
import { toDisplayName } from './display-name.ts';
import { GuardedSink } from './guarded-sink.ts';
import { ParticipantMedia } from './participant-media.ts';
import type { MediaLegOf } from './participant-media.ts';
import { ParticipantStreams } from './participant-streams.ts';
import { mayBecome } from './participant-state.ts';
import type { ParticipantState } from './participant-state.ts';
import type {
  ChatMessage,
  ParticipantKind,
  ParticipantRole,
  ParticipantSink,
  ParticipantView,
  ProducerView,
  RoomEvent,
  RoomView,
  VideoLayout,
  VideoCodecWish,
} from './ports.ts';

/** What a participant, and through it a front end, sees of the room it is in. */
export interface RoomHandle {
  readonly number: RoomNumber;
  readonly name: string;
  readonly rtpCapabilities: mediasoup.RtpCapabilities;
  readonly activeSpeaker: ParticipantId | undefined;
  readonly locked: boolean;
  view(): RoomView;
  roster(): ParticipantView[];
  producers(except?: ParticipantId): ProducerView[];
  participant(id: ParticipantId): Participant | undefined;
  /** Who waits for a host, to let in. */
  waiting(): Participant[];
  /** Closes the room to guests, or opens it again. */
  setLocked(locked: boolean): void;
  /** What phones take that are sent video. */
  videoCodecs(): readonly VideoCodecWish[];
  /** What was written in this meeting, the oldest line first. */
  chat(): readonly ChatMessage[];
  /** Ends the meeting for all. */
  end(reason: CloseReason): Promise<void>;
}

/** What a participant reports to its room. */
export interface ParticipantHooks {
  activated(participant: Participant): void;
  /** It waits in the lobby. */
  waiting(participant: Participant): void;
  /** A host lets it in: resolves when its media is where the others' is. */
  lettingIn(participant: Participant): Promise<void>;
  updated(participant: Participant): void;
  producerAdded(participant: Participant, info: ProducerInfo): void;
  producerUpdated(participant: Participant, info: ProducerInfo): void;
  producerRemoved(participant: Participant, info: ProducerInfo): void;
  said(participant: Participant, text: string): void;
  /** It is out: take it off every list. */
  leaving(participant: Participant, reason: CloseReason): void;
  /** Its media is closed too. */
  left(participant: Participant): void;
}

export interface ParticipantOptions {
  id: ParticipantId;
  name: string;
  kind: ParticipantKind;
  address: string;
  role: ParticipantRole;
  /** Not to come in before a host says so. */
  waits: boolean;
  room: RoomHandle;
  sink: ParticipantSink;
  hooks: ParticipantHooks;
  clock: Clock;
  logger: Logger;
}

/** Each line goes to everybody, so whoever writes is held to what a quick hand can do. */
const CHAT_LIMIT = { perSecond: 1, burst: 10 };

/** One member of a room, whatever it came in by. Owns its media leg. */
export class Participant {
  readonly id: ParticipantId;
  readonly kind: ParticipantKind;
  readonly address: string;
  readonly room: RoomHandle;
  readonly #sink: GuardedSink;
  readonly #hooks: ParticipantHooks;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #media = new ParticipantMedia();
  readonly #chatLimit: RateLimiter;
  readonly #streams = new ParticipantStreams();
  #name: string;
  #role: ParticipantRole;
  #state: ParticipantState = 'joining';
  #waits: boolean;
  #lettingIn: Promise<void> | undefined;
  #mutedByRoom = false;
  #speaking = false;
  #handRaised = false;
  #layout: VideoLayout | undefined;
  #videoReceived: string | undefined;
  #joinedAt: number;
  #markLeft: () => void = () => undefined;
  readonly #left = new Promise<void>((resolve) => {
    this.#markLeft = resolve;
  });

  constructor(options: ParticipantOptions) {
    this.id = options.id;
    this.kind = options.kind;
    this.address = options.address;
    this.room = options.room;
    this.#name = options.name;
    this.#role = options.role;
    this.#waits = options.waits;
    this.#hooks = options.hooks;
    this.#clock = options.clock;
    this.#logger = options.logger.child({ participant: options.id });
    this.#sink = new GuardedSink(options.sink, this.#logger);
    this.#joinedAt = options.clock.wallTime();
    this.#chatLimit = new RateLimiter(CHAT_LIMIT, options.clock);
  }

  get name(): string {
    return this.#name;
  }

  get role(): ParticipantRole {
    return this.#role;
  }

  /** It is not in, and will not be before a host says so. */
  get waits(): boolean {
    return this.#waits && (this.#state === 'joining' || this.#state === 'lobby');
  }

  get state(): ParticipantState {
    return this.#state;
  }

  /** Muted by the room, or by itself with its microphone. */
  get muted(): boolean {
    return this.#mutedByRoom || this.#streams.microphonePaused;
  }

  get speaking(): boolean {
    return this.#speaking;
  }

  get handRaised(): boolean {
    return this.#handRaised;
  }

  /** What it is to see, where that is not what the room says. */
  get layout(): VideoLayout | undefined {
    return this.#layout;
  }

  get video(): boolean {
    return this.#streams.video;
  }

  /** What its owner said would be sent next, and is not there yet. */
  get announced(): ReadonlySet<MediaSource> {
    return this.#streams.announced;
  }

  announce(source: MediaSource): void {
    this.#streams.announce(source);
  }

  /** Throws unless this is a phone with media: asking a browser for it is a mistake of the caller. */
  get phoneLeg(): PhoneLeg {
    return this.#media.phoneLeg;
  }

  /** What can be spoken to; a phone that speaks WebRTC has none. */
  get voiceLeg(): PhoneLeg | undefined {
    return this.#media.voiceLeg;
  }

  get webRtcLeg(): WebRtcLeg {
    return this.#media.webRtcLeg;
  }

  /** The reply has been sent: from now on it is a member and is told what happens. */
  activate(): void {
    if (this.#state !== 'joining') return;
    this.#joinedAt = this.#clock.wallTime();
    if (this.#waits) {
      this.#become('lobby');
      this.#hooks.waiting(this);
    } else {
      this.#become('joined');
      this.#hooks.activated(this);
    }
  }

  /** Out of the lobby and into the room; who does not wait is left alone. */
  letIn(): Promise<void> {
    if (this.#state !== 'lobby') return Promise.resolve();
    this.#lettingIn ??= this.#letIn();

    return this.#lettingIn;
  }

  /** Nobody hears it while muted; it goes on hearing the room. */
  async setMuted(muted: boolean): Promise<void> {
    this.#requireMember();
    if (this.#mutedByRoom === muted) return;
    this.#mutedByRoom = muted;
    this.#hooks.updated(this);
    await this.#media.setMuted(muted);
  }

  /** The browser's own button. Un-pausing one's microphone also lifts a mute, as `*6` does on a phone. */
  async setProducerPaused(producerId: ProducerId, paused: boolean): Promise<void> {
    this.#requireMember();
    const info = this.#streams.get(producerId);
    if (info === undefined) throw new AppError('NOT_FOUND', 'no such stream');
    await this.webRtcLeg.setProducerPaused(producerId, paused);
    if (this.#streams.get(producerId) !== undefined) {
      const changed = { ...info, paused };
      this.#streams.set(changed);
      if (info.alternative !== true) this.#hooks.producerUpdated(this, changed);
      this.#hooks.updated(this);
    }
    if (!paused && info.source === 'microphone') await this.setMuted(false);
  }

  setName(name: string): void {
    this.#requireMember();
    const clean = toDisplayName(name, this.#name);
    if (clean === this.#name) return;
    this.#name = clean;
    this.#hooks.updated(this);
  }

  setRole(role: ParticipantRole): void {
    this.#requireMember();
    if (role === this.#role) return;
    this.#role = role;
    this.#hooks.updated(this);
  }

  setHandRaised(raised: boolean): void {
    this.#requireMember();
    if (raised === this.#handRaised) return;
    this.#handRaised = raised;
    this.#hooks.updated(this);
  }

  setLayout(layout: VideoLayout | undefined): void {
    this.#requireMember();
    if (layout === this.#layout) return;
    this.#layout = layout;
    this.#hooks.updated(this);
  }

  /** A chat line for everybody in the room; one without any text is passed over. */
  say(text: string): void {
    if (this.#state !== 'joined') {
      throw new AppError('PARTICIPANT_NOT_FOUND', 'the participant is not in the room');
    }
    if (!this.#chatLimit.take()) throw new AppError('RATE_LIMITED', 'too many chat lines');
    this.#hooks.said(this, text);
  }

  view(): ParticipantView {
    return {
      id: this.id,
      name: this.#name,
      kind: this.kind,
      address: this.address,
      role: this.#role,
      state: this.#state === 'lobby' ? 'lobby' : 'joined',
      muted: this.muted,
      speaking: this.#speaking,
      handRaised: this.#handRaised,
      video: this.video,
      videoCodecs: this.#streams.videoCodecs,
      ...(this.#videoReceived !== undefined && { videoReceived: this.#videoReceived }),
      joinedAt: new Date(this.#joinedAt).toISOString(),
    };
  }

  producers(): ProducerView[] {
    return this.#streams.views(this.id);
  }

  /** Any number of times; only the first reason counts. Resolves when the media is closed. */
  leave(reason: CloseReason): Promise<void> {
    if (!this.#isOver()) void this.#close(reason).finally(this.#markLeft);

    return this.#left;
  }

  /** For the room only: the leg it made for this participant. */
  attachMedia(media: MediaLegOf): void {
    this.#media.attach(media, (reason) => void this.leave(reason));
  }

  /** For the room only. */
  addProducer(info: ProducerInfo): void {
    if (this.#isOver()) return;
    this.#noteChange(() => {
      this.#streams.set(info);
      if (info.alternative !== true) this.#hooks.producerAdded(this, info);
    });
  }

  /** For the room only. */
  removeProducer(producerId: ProducerId): void {
    this.#noteChange(() => {
      const info = this.#streams.take(producerId);
      if (info !== undefined && info.alternative !== true) {
        this.#hooks.producerRemoved(this, info);
      }
    });
  }

  /** For the room only: it began or ceased to send within this stream. */
  changeProducer(info: ProducerInfo): void {
    if (this.#isOver() || this.#streams.get(info.id) === undefined) return;
    this.#noteChange(() => {
      this.#streams.set(info);
      if (info.alternative !== true) this.#hooks.producerUpdated(this, info);
    });
  }

  /** For the room only: what its speaker detection found. True when it changed. */
  markSpeaking(speaking: boolean): boolean {
    if (this.#speaking === speaking) return false;
    this.#speaking = speaking;

    return true;
  }

  /** For the room only: the codec in which it is sent pictures. */
  markVideoReceived(codec: string | undefined): void {
    this.#videoReceived = codec;
  }

  /** For the room only. */
  notify(event: RoomEvent): void {
    this.#sink.notify(event);
  }

  toString(): string {
    return `participant ${this.id} (${this.kind}, ${this.#state}) in room ${this.room.number}`;
  }

  async #letIn(): Promise<void> {
    try {
      await this.#hooks.lettingIn(this);
    } catch (error) {
      this.#logger.error({ err: toError(error) }, 'a participant could not be let in');
      await this.leave('media-failed');
    }
    if (this.#isOver()) return;
    this.#joinedAt = this.#clock.wallTime();
    this.#become('joined');
    this.#sink.notify({ type: 'let-in' });
    this.#hooks.activated(this);
  }

  async #close(reason: CloseReason): Promise<void> {
    this.#become('leaving');
    const mediaClosed = this.#media.close();
    for (const id of this.#streams.ids) this.removeProducer(id);
    this.#hooks.leaving(this, reason);
    // Without media `join` has not resolved, and rejects instead.
    if (this.#media.attached) this.#sink.ended(reason);
    try {
      await mediaClosed;
    } catch (error) {
      this.#logger.error({ err: toError(error) }, 'media leg did not close');
    }
    this.#become('left');
    this.#hooks.left(this);
  }

  /** The roster follows the streams; of one that leaves nobody wants to know. */
  #noteChange(change: () => void): void {
    const hadVideo = this.video;
    const wasMuted = this.muted;
    change();
    const changed = hadVideo !== this.video || wasMuted !== this.muted;
    if (changed && !this.#isOver()) this.#hooks.updated(this);
  }

  #become(state: ParticipantState): void {
    if (!mayBecome(this.#state, state)) {
      throw new TypeError(`${this.toString()} cannot become ${state}`);
    }
    this.#state = state;
  }

  #isOver(): boolean {
    return this.#state === 'leaving' || this.#state === 'left';
  }

  #requireMember(): void {
    if (this.#isOver()) throw new AppError('PARTICIPANT_NOT_FOUND', 'the participant has left');
  }
}
