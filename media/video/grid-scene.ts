import type { types as mediasoup } from 'mediasoup';
import type { LegId, ProducerId } from '../../base/index.ts';
import type { GridPlan } from '../grid-api.ts';
import { GridView, type GridCodec, type MemberStream } from '../grid/index.ts';
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

  constructor(context: GridContext, streams: () => readonly MemberStream[], changed: () => void) {
    this.#context = context;
    this.#streams = streams;
    this.#changed = changed;
  }

  get reason(): string | undefined {
    return this.#view?.reason;
  }

  setPlan(plan: GridPlan): void {
    if (this.#view === undefined && plan.viewers.length === 0) return;
    this.#view ??= new GridView(this.#context, this.#streams, this.#changed);
    this.#view.setPlan(plan);
    this.#changed();
  }

  isViewer(legId: LegId): boolean {
    return this.#view?.isViewer(legId) === true;
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
    view.setCodecs(new Set(watching.flatMap(({ video }) => video?.codec ?? [])));
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
