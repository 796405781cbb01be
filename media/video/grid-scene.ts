import type { types as mediasoup } from 'mediasoup';
import type { LegId, ProducerId } from '../../base/index.ts';
import type { GridPlan } from '../grid-api.ts';
import {
  GridView,
  sharedBitrate,
  unfitReason,
  type GridCodec,
  type GridViewerLimits,
  type MemberStream,
} from '../grid/index.ts';
import type { VideoSource } from './choose-source.ts';
import type { PhoneVideoSession } from './phone-video.ts';

type GridContext = ConstructorParameters<typeof GridView>[0];

const CODECS: readonly GridCodec[] = ['H264', 'VP8'];
/** The grid's picture is nobody's own. */
const NOBODY = '' as LegId;

/** The room's grid as its phones' video sees it: a source like any other, for those who are to see it. */
export class GridScene {
  readonly #context: GridContext;
  readonly #streams: () => readonly MemberStream[];
  readonly #changed: () => void;
  /** From the first viewer on. */
  #view: GridView | undefined;
  /** Viewers that cannot be sent it, and why. */
  #unfit: ReadonlyMap<LegId, string> = new Map();
  /** As they were when the viewers were told of last. */
  #fits = new WeakMap<PhoneVideoSession, string>();

  constructor(context: GridContext, streams: () => readonly MemberStream[], changed: () => void) {
    this.#context = context;
    this.#streams = streams;
    this.#changed = changed;
  }

  /** Why viewers see something else: all of them, or this one. */
  reason(legId: LegId | undefined): string | undefined {
    return this.#view?.reason ?? (legId && this.#unfit.get(legId));
  }

  setPlan(plan: GridPlan): void {
    if (this.#view === undefined && plan.viewers.length === 0) return;
    this.#view ??= new GridView(this.#context, this.#streams, this.#changed);
    this.#view.setPlan(plan);
    this.#changed();
  }

  isViewer(legId: LegId): boolean {
    return this.#view?.isViewer(legId) === true && !this.#unfit.has(legId);
  }

  /** Whether what this phone takes changed so that its picture, or that of all, does. */
  limitMatters(session: PhoneVideoSession): boolean {
    const before = this.#fits.get(session);

    return before !== undefined && before !== fitOf(session);
  }

  setSpeaking(legIds: readonly LegId[]): void {
    this.#view?.setSpeakers(legIds);
  }

  /** Streams of members or phones changed. */
  update(phones: Iterable<PhoneVideoSession>): void {
    const view = this.#view;
    if (view === undefined) return;
    const watching = [...phones].filter(
      ({ content, sees, legId }) => content === 'main' && sees && view.isViewer(legId),
    );
    this.#fits = new WeakMap(watching.map((session) => [session, fitOf(session)]));
    const limits = watching.flatMap((session) => {
      const each = limitsOf(session);

      return each === undefined ? [] : [{ ...each, legId: session.legId, why: unfitReason(each) }];
    });
    this.#unfit = new Map(
      limits.flatMap(({ legId, why }) => (why === undefined ? [] : [[legId, why] as const])),
    );
    view.setWatching(limits.filter(({ why }) => why === undefined));
    view.streamsChanged();
  }

  /** All at once, in each codec that a viewer takes. */
  sources(): VideoSource[] {
    return CODECS.flatMap((codec): VideoSource[] => {
      const producer = this.#view?.output(codec);
      if (producer === undefined || producer.closed) return [];

      return [{ id: producer.id as ProducerId, legId: NOBODY, source: 'grid', codec }];
    });
  }

  producer(id: ProducerId): mediasoup.Producer | undefined {
    return CODECS.map((codec) => this.#view?.output(codec)).find((each) => each?.id === id);
  }

  async close(): Promise<void> {
    await this.#view?.close();
  }
}

function limitsOf({ video, limit }: PhoneVideoSession): GridViewerLimits | undefined {
  return video && { codec: video.codec, level: video.maxLevel, bitrate: limit };
}

function fitOf(session: PhoneVideoSession): string {
  const limits = limitsOf(session);

  return limits === undefined ? '' : (unfitReason(limits) ?? String(sharedBitrate([limits])));
}
