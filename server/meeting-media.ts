import type { types as mediasoup } from 'mediasoup';
import { AppError, toError } from '../base/index.ts';
import type { LegId, Logger } from '../base/index.ts';
import type {
  GridPlan,
  MediaEngine,
  PhoneLeg,
  ProducerInfo,
  RoomMedia,
  Sound,
  SpeakerLevel,
  WantedVideoCodec,
} from '../media/index.ts';
import type { MediaLegOf } from './participant-media.ts';
import type { ParticipantKind } from './ports.ts';

export interface MeetingMediaHooks {
  /** Somebody still has a seat, so what was just made is wanted. */
  wanted(): boolean;
  producerAdded(info: ProducerInfo): void;
  producerRemoved(info: ProducerInfo): void;
  producerPaused(info: ProducerInfo): void;
  speakers(levels: readonly SpeakerLevel[]): void;
  videoCodecsWanted(wanted: readonly WantedVideoCodec[]): void;
  /** The media of the running meeting is gone. */
  failed(): void;
}

/** The media of a room: made for the first who enters, given back after the last. */
export class MeetingMedia {
  readonly #engine: MediaEngine;
  readonly #hooks: MeetingMediaHooks;
  readonly #logger: Logger;
  readonly #closing = new Set<Promise<void>>();
  #current: RoomMedia | undefined;
  #opening: Promise<RoomMedia> | undefined;

  constructor(engine: MediaEngine, hooks: MeetingMediaHooks, logger: Logger) {
    this.#engine = engine;
    this.#hooks = hooks;
    this.#logger = logger;
  }

  get rtpCapabilities(): mediasoup.RtpCapabilities {
    if (this.#current === undefined) throw new AppError('ROOM_CLOSED', 'the room has no media');

    return this.#current.rtpCapabilities;
  }

  /** `waits`: it is not to hear, nor to be heard, before `adopt`. */
  async createLeg(kind: ParticipantKind, waits: boolean): Promise<MediaLegOf> {
    if (kind === 'phone' && waits) return { kind, leg: await this.#engine.createWaitingLeg() };
    const media = await this.#open();

    return kind === 'phone'
      ? { kind, leg: await media.createPhoneLeg() }
      : { kind, leg: await media.createWebRtcLeg() };
  }

  /** A phone that waited comes in. */
  async adopt(leg: PhoneLeg): Promise<void> {
    const media = await this.#open();
    await media.adoptPhoneLeg(leg);
  }

  setGrid(plan: GridPlan): void {
    this.#current?.setGrid(plan);
  }

  /** Why there is no grid: on this machine, in this meeting at present, or for this phone. */
  gridReason(viewer?: LegId): string | undefined {
    return this.#engine.gridUnavailable() ?? this.#current?.gridReason(viewer);
  }

  playTone(sounds: readonly Sound[]): void {
    this.#current?.playTone(sounds);
  }

  /** Whose picture phones are shown. */
  setActiveSpeaker(legId: LegId | undefined): void {
    this.#current?.setActiveSpeaker(legId);
  }

  /** Gives up what is there now; it closes after `legs`. */
  release(legs: Promise<unknown> = Promise.resolve()): void {
    const media = this.#current;
    if (media === undefined) return;
    this.#current = undefined;
    const closing = legs
      .then(() => media.close())
      .catch((error: unknown) => {
        this.#logger.error({ err: toError(error) }, 'room media did not close');
      });
    this.#closing.add(closing);
    void closing.finally(() => this.#closing.delete(closing));
  }

  /** Resolves when all that was released is closed. */
  async whenReleased(): Promise<void> {
    await Promise.all(this.#closing);
  }

  /** Single-flight: all who enter at once share it. */
  async #open(): Promise<RoomMedia> {
    if (this.#current !== undefined) return this.#current;
    this.#opening ??= this.#create().finally(() => (this.#opening = undefined));

    return this.#opening;
  }

  async #create(): Promise<RoomMedia> {
    const media = await this.#engine.createRoom();
    if (!this.#hooks.wanted()) {
      await media.close();
      throw new AppError('ROOM_CLOSED', 'everybody left meanwhile');
    }
    this.#current = media;
    media.events
      .on('producerAdded', (info) => {
        this.#hooks.producerAdded(info);
      })
      .on('producerRemoved', (info) => {
        this.#hooks.producerRemoved(info);
      })
      .on('producerPaused', (info) => {
        this.#hooks.producerPaused(info);
      })
      .on('speakers', (levels) => {
        if (this.#current === media) this.#hooks.speakers(levels);
      })
      .on('videoCodecsWanted', (wanted) => {
        if (this.#current === media) this.#hooks.videoCodecsWanted(wanted);
      })
      .on('failed', (reason) => {
        if (this.#current !== media) return;
        this.#logger.error({ reason }, 'the media of the room failed');
        this.#hooks.failed();
      });

    return media;
  }
}
