import { FRAME_MS } from './mixer-clock.ts';
import type { RoomKey, ThreadLoad } from './mixer-protocol.ts';

/** Milliseconds: what was busy for less says nothing. */
const LEAST_MS = 500;

/** Of the thread's loop, since it began. */
export interface LoopTimes {
  active: number;
  idle: number;
}

/** How busy a mixer thread was from one report to the next, and with which rooms. */
export class LoadMeter {
  /** Milliseconds since the last report. */
  readonly #took = new Map<RoomKey, number>();
  #before: LoopTimes & { late: number } = { active: 0, idle: 0, late: 0 };
  #load: ThreadLoad = { busy: 0, late: 0, rooms: [] };

  /** A frame of a room was made. */
  took(room: RoomKey, ms: number): void {
    this.#took.set(room, (this.#took.get(room) ?? 0) + ms);
  }

  forget(room: RoomKey): void {
    this.#took.delete(room);
  }

  /**
   * What the loop does beside the frames, which is receiving, is shared among the rooms as the frames are.
   * `late`: frames that were late since the beginning.
   */
  next({ active, idle }: LoopTimes, late: number): ThreadLoad {
    const before = this.#before;
    const busyMs = active - before.active;
    const ms = busyMs + idle - before.idle;
    if (ms < LEAST_MS) return this.#load;
    const busy = Math.min(1, busyMs / ms);
    let mixing = 0;
    for (const took of this.#took.values()) mixing += took;
    const rooms = [...this.#took].map(([room, took]) => ({
      room,
      cost: mixing === 0 ? 0 : (busy * took) / mixing,
    }));
    this.#load = { busy, late: Math.min(1, ((late - before.late) * FRAME_MS) / ms), rooms };
    this.#before = { active, idle, late };
    this.#took.clear();

    return this.#load;
  }
}
