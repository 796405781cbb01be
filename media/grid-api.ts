/** What media/ promises of the composed picture of a room: all members at once, each with a name. */
import type { LegId } from '../base/index.ts';

export interface GridPlan {
  /** Who may be on it, in the order of joining. */
  members: readonly { legId: LegId; name: string }[];
  /** Phones that are to see it instead of who speaks. */
  viewers: readonly LegId[];
}

export interface GridRoom {
  /** Replaces the plan before. Nothing is composed while no viewer takes video. */
  setGrid(plan: GridPlan): void;
  /** Why viewers, or this one, see who speaks instead; undefined: they see the grid, or will in a moment. */
  gridReason(viewer?: LegId): string | undefined;
}

/** What composing pictures may cost: a section of the settings. */
export interface GridLimits {
  /** Rooms with a grid at a time; 0: none. */
  rooms: number;
  framesPerSecond: number;
  /** Of one core, for each room. */
  cpuShare: number;
  /** Bits a second of each encoded stream. */
  bitrate: number;
}

/** Totals since the start of the process, but for `rooms`. */
export interface GridCounters {
  /** Grids that are made now. */
  rooms: number;
  /** Compositors that ended without being asked to. */
  deaths: number;
  cpuSeconds: number;
  framesEncoded: number;
  /** Pictures that were due and not made, for want of CPU. */
  framesDropped: number;
  framesDecoded: number;
  /** Frames of members that were not decoded. */
  framesDiscarded: number;
}
