import type { types as mediasoup } from 'mediasoup';
import { toError, type Clock, type LegId, type Logger, type ProducerId } from '../../base/index.ts';
import type { GridPlan } from '../grid-api.ts';
import type { GridService } from '../grid/index.ts';
import { Reconciler, type PortRange } from '../sfu/index.ts';
import type { ProducerInfo } from '../stream-info.ts';
import type { WantedVideoCodec } from '../video-api.ts';
import type { VideoSource } from './choose-source.ts';
import { GridScene } from './grid-scene.ts';
import type { PhoneVideoHost, PhoneVideoSession } from './phone-video.ts';
import { VideoLink } from './video-link.ts';
import { videoCodecOf, wantedBy } from './wanted-codecs.ts';
import { VideoPublication } from './video-publication.ts';
import { VideoViewer, type VideoScene } from './video-viewer.ts';

export interface RoomVideoContext {
  router: mediasoup.Router;
  ports: PortRange;
  clock: Clock;
  grids: GridService;
  logger: Logger;
  producerAdded(info: ProducerInfo): void;
  producerRemoved(info: ProducerInfo): void;
  producerPaused(info: ProducerInfo): void;
  codecsWanted(wanted: WantedVideoCodec[]): void;
}

/** Of those who spoke so many are remembered: who is next when the last ones leave. */
const MAX_SPEAKERS = 16;

/** All video of a room as its phones take part in it: what flows, who spoke, and who is shown what. */
export class RoomVideo implements VideoScene {
  readonly #context: RoomVideoContext;
  readonly #sources = new Map<ProducerId, { producer: mediasoup.Producer; info: ProducerInfo }>();
  readonly #phones = new Map<PhoneVideoSession, PhoneInRoom>();
  readonly #grid: GridScene;
  #speakers: LegId[] = [];
  #wanted: WantedVideoCodec[] = [];

  constructor(context: RoomVideoContext) {
    this.#context = context;
    this.#grid = new GridScene(
      context,
      () => [...this.#sources.values()].map(({ producer, info }) => ({ ...info, producer })),
      () => {
        this.#update();
      },
    );
  }

  sources(): VideoSource[] {
    const members = [...this.#sources.values()].flatMap(({ producer, info }) => {
      const codec = videoCodecOf(producer.rtpParameters);
      const { id, legId, source } = info;
      const flows = codec !== undefined && !producer.paused && !producer.closed;

      return flows ? [{ id, legId, source, codec }] : [];
    });

    return [...members, ...this.#grid.sources()];
  }

  speakers(): readonly LegId[] {
    return this.#speakers;
  }

  producer(id: ProducerId): mediasoup.Producer | undefined {
    return this.#sources.get(id)?.producer ?? this.#grid.producer(id);
  }

  hasSlides(legId: LegId): boolean {
    return [...this.#phones.keys()].some(
      (session) => session.legId === legId && session.content === 'slides' && session.sees,
    );
  }

  wantsGrid(legId: LegId): boolean {
    return this.#grid.isViewer(legId);
  }

  setGrid(plan: GridPlan): void {
    this.#grid.setPlan(plan);
  }

  gridReason(legId?: LegId): string | undefined {
    return this.#grid.reason(legId);
  }

  /** Who speaks at this moment. */
  setSpeaking(legIds: readonly LegId[]): void {
    this.#grid.setSpeaking(legIds);
  }

  /** A stream that phones may be shown. */
  sourceAdded(info: ProducerInfo, producer: mediasoup.Producer): void {
    if (info.kind !== 'video' || producer.closed) return;
    this.#sources.set(info.id, { producer, info });
    const changed = (): void => {
      this.#update();
    };
    producer.observer.on('pause', changed);
    producer.observer.on('resume', changed);
    producer.observer.once('close', () => {
      this.#sources.delete(info.id);
      changed();
    });
    changed();
  }

  setActiveSpeaker(legId: LegId | undefined): void {
    if (legId === undefined) return;
    const others = this.#speakers.filter((speaker) => speaker !== legId);
    this.#speakers = [legId, ...others].slice(0, MAX_SPEAKERS);
    this.#update();
  }

  wantedCodecs(): WantedVideoCodec[] {
    return this.#wanted.map(({ codec, legIds }) => ({ codec, legIds: [...legIds] }));
  }

  add(session: PhoneVideoSession): void {
    const phone = new PhoneInRoom(session, this, this.#context, {
      changed: () => {
        this.#update();
      },
      limitChanged: () => {
        if (this.#grid.limitMatters(session)) this.#update();
      },
      published: (info, producer) => {
        this.sourceAdded(info, producer);
        this.#context.producerAdded(info);
      },
      left: () => {
        this.#phones.delete(session);
        this.#update();
      },
    });
    this.#phones.set(session, phone);
    session.setHost(phone);
  }

  /** It goes to another room, or waits. */
  async remove(session: PhoneVideoSession): Promise<void> {
    const phone = this.#phones.get(session);
    if (phone === undefined) return;
    session.setHost(undefined);
    await phone.leaving();
  }

  /** Of phones. */
  producers(): ProducerInfo[] {
    return [...this.#phones.values()].flatMap(({ info }) => info ?? []);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#phones.keys()].map((session) => this.remove(session)));
    await this.#grid.close();
  }

  #update(): void {
    this.#grid.update(this.#phones.keys());
    for (const phone of this.#phones.values()) phone.update();
    const wanted = wantedBy(this.#phones.keys());
    if (JSON.stringify(wanted) === JSON.stringify(this.#wanted)) return;
    this.#wanted = wanted;
    this.#context.codecsWanted(this.wantedCodecs());
  }
}

interface PhoneInRoomHandlers {
  changed(): void;
  limitChanged(): void;
  published(info: ProducerInfo, producer: mediasoup.Producer): void;
  left(): void;
}

/** A phone's video in its room: what it is shown, and what it shows. */
class PhoneInRoom implements PhoneVideoHost {
  readonly #session: PhoneVideoSession;
  readonly #context: RoomVideoContext;
  readonly #handlers: PhoneInRoomHandlers;
  readonly #viewer: VideoViewer;
  readonly #publication: VideoPublication;
  readonly #reconciler = new Reconciler(() => this.#step());
  #link: VideoLink | undefined;
  #leaving: Promise<void> | undefined;

  constructor(
    session: PhoneVideoSession,
    scene: VideoScene,
    context: RoomVideoContext,
    handlers: PhoneInRoomHandlers,
  ) {
    this.#session = session;
    this.#context = context;
    this.#handlers = handlers;
    this.#viewer = new VideoViewer(session, scene, context.clock, context.logger);
    this.#publication = new VideoPublication(session, {
      producerAdded: (info, producer) => {
        handlers.published(info, producer);
      },
      producerRemoved: (info) => {
        context.producerRemoved(info);
      },
      producerPaused: (info) => {
        context.producerPaused(info);
      },
    });
  }

  get info(): ProducerInfo | undefined {
    return this.#publication.info;
  }

  update(): void {
    this.#viewer.update();
  }

  configured(): void {
    this.#handlers.changed();
    this.#viewer.limitChanged();
    this.activityChanged();
  }

  activityChanged(): void {
    this.#reconciler.run().catch((error: unknown) => {
      if (this.#context.router.closed || this.#leaving !== undefined) return;
      const { legId } = this.#session;
      this.#context.logger.warn({ leg: legId, err: toError(error) }, 'no video for a phone');
    });
  }

  received(...[packet, now]: Parameters<PhoneVideoHost['received']>): void {
    if (this.#link !== undefined) this.#publication.forward(packet, this.#link, now);
  }

  restarted(): void {
    this.#publication.restarted();
  }

  keyFrameRequested(): void {
    this.#viewer.requestKeyFrame();
  }

  limitChanged(): void {
    this.#viewer.limitChanged();
    this.#handlers.limitChanged();
  }

  leaving(): Promise<void> {
    this.#leaving ??= this.#leave();

    return this.#leaving;
  }

  async #leave(): Promise<void> {
    this.#viewer.close();
    this.#publication.withdraw();
    // A step that runs may be about to make what must not stay.
    await this.#reconciler.run().catch(() => undefined);
    this.#handlers.left();
  }

  async #step(): Promise<void> {
    if (this.#leaving === undefined && this.#session.video !== undefined) {
      this.#link ??= await this.#openLink();
      if (this.#link.closed) return;
      await this.#publication.reconcile(this.#link);
    }
    if (this.#leaving === undefined) return;
    this.#publication.withdraw();
    await this.#link?.close();
    this.#link = undefined;
  }

  async #openLink(): Promise<VideoLink> {
    const { router, ports } = this.#context;
    const link = await VideoLink.open(router, ports, {
      onPacket: (ssrc, packet) => {
        this.#viewer.receive(ssrc, packet);
      },
      onFeedback: (packet) => {
        this.#publication.onFeedback(packet);
      },
    });
    this.#viewer.setLink(link);

    return link;
  }
}
