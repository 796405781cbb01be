/**
 * Which room, if any, goes from the mixer thread that has the most to do to the one that has the least.
 * Pure: the time is an argument, and what was measured is told.
 *
 * A move costs every phone of the room some milliseconds, once, so it has to be worth something: it is made
 * only where frames may soon be late, and only when the thread that takes the room is afterwards clearly
 * less busy than the other one was. From there nothing leads back: with the same rooms every move makes the
 * sum of the squares of what threads have to do smaller, so that moves come to an end.
 */
import type { RoomKey, ThreadLoad } from './mixer-protocol.ts';

/** Threads are named by their index. */
export interface RoomMove {
  room: RoomKey;
  from: number;
  to: number;
}

/** Share of a report in the means: four seconds back weigh a third of now, a burst of speech does not move rooms. */
const SHARE = 0.25;
/** Reports, one a second, before figures are believed, of a room that is new as of a thread that changed. */
const REPORTS = 5;
/** By how much of what the busier thread has to do the other one must stay below it afterwards. */
const MARGIN = 0.2;
/** Of a thread's time: what is less is the measure's own noise. */
const LEAST_MARGIN = 0.005;
/** Milliseconds that a room stays where it was moved to. */
const HOLD_MS = 60_000;
/** Share of frames that were late: with so many a thread is helped when it is half as busy. */
const LATE = 0.02;

interface Measured {
  busy: number;
  late: number;
  reports: number;
  readonly rooms: Map<RoomKey, { cost: number; reports: number }>;
}

export class Rebalancer {
  readonly #moveFrom: number;
  readonly #threads = new Map<number, Measured>();
  readonly #heldUntil = new Map<RoomKey, number>();

  /**
   * `moveFrom`: how busy a thread is, 0 … 1, when it begins to give rooms away; 0: never. At 0.5 no frame is
   * late yet, as the benchmark shows, and there is room for what begins meanwhile.
   */
  constructor(moveFrom: number) {
    this.#moveFrom = moveFrom;
  }

  /** A thread's report; `isThere`: whether it has a room now. */
  report(thread: number, load: ThreadLoad, isThere: (room: RoomKey) => boolean): void {
    const known = this.#threads.get(thread);
    // One that slept is measured anew.
    const before = known !== undefined && known.rooms.size > 0 ? known : newMeasured();
    const rooms = load.rooms.filter(({ room }) => isThere(room));
    const measured: Measured = {
      busy: mean(before.busy, load.busy, before.reports),
      late: mean(before.late, load.late, before.reports),
      reports: before.reports + 1,
      rooms: new Map(
        rooms.map(({ room, cost }) => {
          const { cost: mostly, reports } = before.rooms.get(room) ?? { cost: 0, reports: 0 };

          return [room, { cost: mean(mostly, cost, reports), reports: reports + 1 }];
        }),
      ),
    };
    this.#threads.set(thread, measured);
  }

  /** The thread has no room: it sleeps, and reports nothing. */
  idle(thread: number): void {
    this.#threads.set(thread, { ...newMeasured(), reports: REPORTS });
  }

  /** The thread is gone. */
  forget(thread: number): void {
    this.#threads.delete(thread);
  }

  /** How busy a thread is, as it is judged. */
  busy(thread: number): number {
    return this.#threads.get(thread)?.busy ?? 0;
  }

  next(now: number): RoomMove | undefined {
    const known = [...this.#threads].filter(([, { reports }]) => reports >= REPORTS);
    if (this.#moveFrom <= 0 || known.length < this.#threads.size || known.length < 2) {
      return undefined;
    }
    const [most, ...others] = known.sort(([, a], [, b]) => b.busy - a.busy);
    const least = others.at(-1);
    if (most === undefined || least === undefined || !this.#isPressed(most[1])) return undefined;
    const room = this.#bestRoom(most[1], least[1], now);

    return room === undefined ? undefined : { room, from: most[0], to: least[0] };
  }

  /** The move was made, or found to be impossible: both threads are measured anew. */
  moved({ room, from, to }: RoomMove, now: number): void {
    for (const [held, until] of this.#heldUntil) if (until <= now) this.#heldUntil.delete(held);
    this.#heldUntil.set(room, now + HOLD_MS);
    this.#threads.set(from, newMeasured());
    this.#threads.set(to, newMeasured());
  }

  #isPressed({ busy, late }: Measured): boolean {
    return busy >= this.#moveFrom || (late >= LATE && busy >= this.#moveFrom / 2);
  }

  /** The one that brings both nearest to each other. */
  #bestRoom(most: Measured, least: Measured, now: number): RoomKey | undefined {
    const difference = most.busy - least.busy;
    const margin = Math.max(LEAST_MARGIN, MARGIN * most.busy);
    let best: RoomKey | undefined;
    let bestRest = Infinity;
    for (const [room, { cost, reports }] of most.rooms) {
      const held = (this.#heldUntil.get(room) ?? -Infinity) > now;
      if (held || reports < REPORTS || cost <= 0 || difference - cost < margin) continue;
      const rest = Math.abs(difference - 2 * cost);
      if (rest >= bestRest) continue;
      best = room;
      bestRest = rest;
    }

    return best;
  }
}

function newMeasured(): Measured {
  return { busy: 0, late: 0, reports: 0, rooms: new Map() };
}

/** The first values count in full, until there are enough for the share to be that of a later one. */
function mean(before: number, value: number, count: number): number {
  return before + Math.max(SHARE, 1 / (count + 1)) * (value - before);
}
