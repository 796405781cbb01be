import type { types as mediasoup } from 'mediasoup';
import type { LegId } from '../../base/index.ts';
import type { GridPlan } from '../grid-api.ts';
import type { MediaSource } from '../stream-info.ts';
import type { GridMember } from './grid-inputs.ts';
import type { GridCodec } from './grid-protocol.ts';
import { sharedBitrate, type GridViewerLimits } from './viewer-limits.ts';
import { RoomGrid, type RoomGridContext } from './room-grid.ts';

/** A stream of a member, of whatever kind. */
export interface MemberStream {
  legId: LegId;
  source: MediaSource;
  producer: mediasoup.Producer;
}

const NOTHING: GridPlan = { members: [], viewers: [] };

/** The grid of a room as the room's media sees it: members, their streams and viewers become tiles. */
export class GridView {
  readonly #grid: RoomGrid;
  readonly #streams: () => readonly MemberStream[];
  #plan = NOTHING;
  #viewers: ReadonlySet<LegId> = new Set();

  /** `changed`: another picture is there, or one is gone. */
  constructor(
    context: RoomGridContext,
    streams: () => readonly MemberStream[],
    changed: () => void,
  ) {
    this.#grid = new RoomGrid(context);
    this.#grid.events.on('outputs', changed);
    this.#streams = streams;
  }

  /** Why viewers see something else. */
  get reason(): string | undefined {
    return this.#grid.reason;
  }

  setPlan(plan: GridPlan): void {
    this.#plan = plan;
    this.#viewers = new Set(plan.viewers);
    this.streamsChanged();
  }

  /** Who is to see it. */
  isViewer(legId: LegId): boolean {
    return this.#viewers.has(legId);
  }

  /** The viewers that are sent video now, and can take this one. */
  setWatching(viewers: readonly GridViewerLimits[]): void {
    const codecs = new Set(viewers.map(({ codec }) => codec));
    const limit = (of: GridCodec): number | undefined =>
      sharedBitrate(viewers.filter(({ codec }) => codec === of));
    this.#grid.setWanted(new Map([...codecs].map((codec) => [codec, limit(codec)])));
  }

  setSpeakers(legIds: readonly LegId[]): void {
    this.#grid.setSpeakers(legIds);
  }

  /** A stream began or ended. */
  streamsChanged(): void {
    this.#grid.setMembers(this.#members());
  }

  output(codec: GridCodec): mediasoup.Producer | undefined {
    return this.#grid.output(codec);
  }

  close(): Promise<void> {
    return this.#grid.close();
  }

  /** What somebody shares stands before the faces. */
  #members(): GridMember[] {
    const streams = this.#streams();
    const of = (wanted: MediaSource, id: (legId: LegId) => string, suffix: string): GridMember[] =>
      this.#plan.members.flatMap(({ legId, name }) =>
        streams
          .filter((stream) => stream.legId === legId && stream.source === wanted)
          .slice(0, 1)
          .map(({ producer }) => ({ id: id(legId), name: name + suffix, producer })),
      );

    return [
      ...of('screen', (legId) => `${legId}/screen`, ' (screen)'),
      ...of('camera', (legId) => legId, ''),
    ];
  }
}
