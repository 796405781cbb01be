import type { types as mediasoup } from 'mediasoup';
import {
  toError,
  TimerSet,
  type Clock,
  type LegId,
  type Logger,
  type ProducerId,
} from '../../base/index.ts';
import { chooseSource, holdLeft, pictureOf, type VideoSource } from './choose-source.ts';
import type { PhoneVideoSession } from './phone-video.ts';
import {
  nextSwitch,
  type SwitchAction,
  type SwitchEvent,
  type SwitchState,
} from './picture-switch.ts';
import type { VideoPacket } from './reorder-buffer.ts';
import { SourceFeed, type FeedPacket } from './source-feed.ts';
import { chooseLayer } from './spatial-layer.ts';
import type { VideoLink } from './video-link.ts';

/** What a room knows that a viewer's picture depends on. */
export interface VideoScene {
  /** What flows now, in the order in which it began. */
  sources(): readonly VideoSource[];
  speakers(): readonly LegId[];
  producer(id: ProducerId): mediasoup.Producer | undefined;
  /** Whether this phone has a stream for shared screens alone. */
  hasSlides(legId: LegId): boolean;
  /** Whether this phone is to see all members at once. */
  wantsGrid(legId: LegId): boolean;
}

interface OpenFeed {
  readonly feed: SourceFeed;
  consumer: mediasoup.Consumer | undefined;
  ssrc: number | undefined;
  layer: number;
  closed: boolean;
}

/** Milliseconds until a source without key frame is given up, and until it is tried again. */
const GIVE_UP = 3000;
const AVOID = 2000;
/** Milliseconds between two requests while one is waited for. */
const ASK_AGAIN = 1000;

/**
 * What one phone is shown: chooses, asks for the key frame, switches. At most two sources are open at a time,
 * the one shown and the one to come.
 */
export class VideoViewer {
  readonly #session: PhoneVideoSession;
  readonly #scene: VideoScene;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #timers: TimerSet<'hold' | 'give-up' | 'ask-again' | 'retry'>;
  readonly #avoided = new Set<ProducerId>();
  #link: VideoLink | undefined;
  #state: SwitchState = 'black';
  #wanted: VideoSource | undefined;
  #shown: OpenFeed | undefined;
  #shownSince = 0;
  #asked: OpenFeed | undefined;
  #closed = false;

  constructor(session: PhoneVideoSession, scene: VideoScene, clock: Clock, logger: Logger) {
    this.#session = session;
    this.#scene = scene;
    this.#clock = clock;
    this.#logger = logger;
    this.#timers = new TimerSet(clock);
  }

  /** From now on it can be shown something. */
  setLink(link: VideoLink): void {
    this.#link = link;
    this.update();
  }

  /** Something changed that the choice depends on. */
  update(): void {
    if (this.#closed || this.#link === undefined) return;
    const sources = this.#scene.sources();
    if (this.#shown !== undefined && !isAmong(this.#shown.feed.source, sources)) {
      this.#apply('gone');
    }
    const wanted = this.#choose(sources);
    const shown = this.#shown?.feed.source;
    const wait = holdLeft(shown, wanted, this.#shownSince, this.#clock.now());
    if (wanted !== undefined && wanted.id !== shown?.id && wait > 0) {
      this.#timers.start('hold', wait, () => {
        this.update();
      });

      return;
    }
    this.#timers.stop('hold');
    this.#wanted = wanted;
    if (wanted === undefined) this.#apply('want-none');
    else if (wanted.id === shown?.id) this.#apply('want-shown');
    else if (wanted.id !== this.#asked?.feed.source.id) this.#apply('want');
  }

  /** The phone cannot decode what it has. */
  requestKeyFrame(): void {
    this.#ask(this.#shown);
  }

  limitChanged(): void {
    for (const open of [this.#shown, this.#asked]) {
      const layer = open && this.#layerOf(open.feed.source);
      if (open?.consumer === undefined || layer === undefined || layer === open.layer) continue;
      open.layer = layer;
      this.#quietly(open.consumer.setPreferredLayers({ spatialLayer: layer }));
    }
  }

  receive(ssrc: number, packet: VideoPacket): void {
    const now = this.#clock.now();
    if (this.#shown?.ssrc === ssrc) this.#shown.feed.push(packet, now);
    else if (this.#asked?.ssrc === ssrc) this.#asked.feed.push(packet, now);
  }

  close(): void {
    this.#closed = true;
    this.#timers.close();
    this.#end(this.#shown);
    this.#end(this.#asked);
    this.#shown = undefined;
    this.#asked = undefined;
    if (!this.#session.closed) this.#session.blacken();
  }

  #choose(sources: readonly VideoSource[]): VideoSource | undefined {
    const { legId, content, video } = this.#session;
    if (video === undefined || !this.#session.sees) return undefined;

    return chooseSource({
      viewer: {
        legId,
        content,
        codec: video.codec,
        hasSlides: this.#scene.hasSlides(legId),
        wantsGrid: this.#scene.wantsGrid(legId),
      },
      sources,
      speakers: this.#scene.speakers(),
      shown: this.#shown?.feed.source.id,
      avoided: this.#avoided,
    });
  }

  #apply(event: SwitchEvent): void {
    const transition = nextSwitch(this.#state, event);
    if (transition === undefined) return;
    this.#state = transition.to;
    for (const action of transition.actions) this.#act(action);
  }

  #act(action: SwitchAction): void {
    switch (action) {
      case 'ask':
        this.#open();
        break;
      case 'drop':
        this.#end(this.#asked);
        this.#stopAsking();
        break;
      case 'end':
        this.#end(this.#shown);
        this.#shown = undefined;
        break;
      case 'cut':
        this.#cut();
        break;
      case 'avoid':
        this.#avoid();
        break;
      case 'blacken':
        this.#session.blacken();
        break;
      case 'freeze':
        this.#session.freeze();
        break;
    }
  }

  #open(): void {
    const source = this.#wanted;
    const link = this.#link;
    if (source === undefined || link === undefined) return;
    const feed = new SourceFeed(source, (packet, now) => {
      this.#deliver(open, packet, now);
    });
    const layer = this.#layerOf(source);
    const open: OpenFeed = { feed, consumer: undefined, ssrc: undefined, layer, closed: false };
    this.#asked = open;
    this.#timers.start('give-up', GIVE_UP, () => {
      this.#apply('give-up');
      this.update();
    });
    this.#askAgain(open);
    this.#quietly(this.#consume(open, link));
  }

  async #consume(open: OpenFeed, link: VideoLink): Promise<void> {
    const { id, codec } = open.feed.source;
    const consumer = await link.consume(id, codec, open.layer);
    if (open.closed) {
      if (this.#isFed(open)) consumer.close();

      return;
    }
    open.consumer = consumer;
    open.ssrc = consumer.rtpParameters.encodings?.[0]?.ssrc;
    // The SFU itself asks for a key frame here, and sends nothing before it.
    await consumer.resume();
  }

  #askAgain(open: OpenFeed): void {
    this.#timers.start('ask-again', ASK_AGAIN, () => {
      this.#ask(open);
      this.#askAgain(open);
    });
  }

  #deliver(open: OpenFeed, { packet, lostBefore, keyFrame }: FeedPacket, now: number): void {
    if (open === this.#asked && keyFrame) this.#apply('key-frame');
    if (open !== this.#shown) return;
    if (lostBefore > 0 && !this.#session.reportsLoss) this.#ask(open);
    this.#session.write(packet, lostBefore, open.feed.sets, now);
  }

  #cut(): void {
    const open = this.#asked;
    if (open === undefined) return;
    this.#shown = open;
    this.#shownSince = this.#clock.now();
    this.#stopAsking();
    this.#session.cut(pictureOf(open.feed.source));
  }

  #stopAsking(): void {
    this.#asked = undefined;
    this.#timers.stop('give-up');
    this.#timers.stop('ask-again');
  }

  #avoid(): void {
    const id = this.#asked?.feed.source.id;
    if (id === undefined) return;
    this.#avoided.add(id);
    this.#timers.start('retry', AVOID, () => {
      this.#avoided.clear();
      this.update();
    });
  }

  /** What of it fits: of single NAL units only the smallest picture's, as none may be in parts. */
  #layerOf({ id }: VideoSource): number {
    const { video, limit } = this.#session;
    if (video?.codec === 'H264' && video.packetizationMode !== 1) return 0;

    return chooseLayer(this.#scene.producer(id)?.rtpParameters.encodings ?? [], limit);
  }

  #ask(open: OpenFeed | undefined): void {
    if (open?.consumer?.closed === false) this.#quietly(open.consumer.requestKeyFrame());
  }

  #end(open: OpenFeed | undefined): void {
    if (open === undefined) return;
    open.closed = true;
    if (this.#isFed(open)) open.consumer?.close();
  }

  /**
   * The worker closes a Consumer together with its Producer, and we are told a moment later: till then it is
   * left alone, as the worker would not know what is meant.
   */
  #isFed({ feed }: OpenFeed): boolean {
    return this.#scene.producer(feed.source.id)?.closed === false;
  }

  /** A source that ends meanwhile is no fault; what else fails shows as a source without key frame. */
  #quietly(work: Promise<void>): void {
    work.catch((error: unknown) => {
      this.#logger.debug({ leg: this.#session.legId, err: toError(error) }, 'video not forwarded');
    });
  }
}

function isAmong(source: VideoSource, sources: readonly VideoSource[]): boolean {
  return sources.some(({ id }) => id === source.id);
}
