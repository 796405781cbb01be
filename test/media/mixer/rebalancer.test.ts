import { describe, expect, it } from '@jest/globals';
import { Rebalancer, type RoomMove } from '../../../media/mixer/rebalancer.ts';

const SECOND = 1000;

/** Threads with rooms of these costs, measured once a second as mixer threads are. */
class Threads {
  readonly rebalancer: Rebalancer;
  readonly rooms: Map<number, number>[];
  readonly moves: RoomMove[] = [];
  readonly #noise: () => number;
  now = 0;
  late = 0;

  constructor(rooms: readonly (readonly number[])[], moveFrom = 0.5, noise = (): number => 0) {
    let next = 1;
    this.rooms = rooms.map((costs) => new Map(costs.map((cost) => [next++, cost])));
    this.rebalancer = new Rebalancer(moveFrom);
    this.#noise = noise;
  }

  run(seconds: number): this {
    for (let i = 0; i < seconds; i++) this.#second();

    return this;
  }

  busy(): number[] {
    return this.rooms.map((rooms) => [...rooms.values()].reduce((sum, cost) => sum + cost, 0));
  }

  #second(): void {
    this.now += SECOND;
    for (const [thread, rooms] of this.rooms.entries()) {
      if (rooms.size === 0) {
        this.rebalancer.idle(thread);
        continue;
      }
      const costs = [...rooms].map(([room, cost]) => ({
        room,
        cost: Math.max(0, cost * (1 + this.#noise())),
      }));
      const busy = Math.min(
        1,
        costs.reduce((sum, { cost }) => sum + cost, 0),
      );
      this.rebalancer.report(thread, { busy, late: this.late, rooms: costs }, (room) =>
        rooms.has(room),
      );
    }
    const move = this.rebalancer.next(this.now);
    if (move === undefined) return;
    const cost = this.rooms[move.from]!.get(move.room)!;
    this.rooms[move.from]!.delete(move.room);
    this.rooms[move.to]!.set(move.room, cost);
    this.moves.push(move);
    this.rebalancer.moved(move, this.now);
  }
}

/** The same numbers each time. */
function numbers(seed: number): () => number {
  let state = seed;

  return () => {
    state = (state * 48_271) % 2_147_483_647;

    return state / 2_147_483_647;
  };
}

describe('which room goes to another mixer thread', () => {
  it('is the one that brings the most and the least busy thread nearest to each other', () => {
    const threads = new Threads([[0.05, 0.3, 0.35], [0.2], [0.1]]).run(10);

    expect(threads.moves).toEqual([{ room: 2, from: 0, to: 2 }]);
  });

  it('is none while the thread has time left, and none when there is no other thread', () => {
    expect(new Threads([[0.2, 0.25], []]).run(60).moves).toEqual([]);
    expect(new Threads([[0.4, 0.5]]).run(60).moves).toEqual([]);
  });

  it('is none when its thread would only change places with the other one', () => {
    expect(new Threads([[0.9], []]).run(60).moves).toEqual([]);
    expect(new Threads([[0.45, 0.45], [0.4]]).run(60).moves).toEqual([]);
  });

  it('is none when it is switched off', () => {
    expect(new Threads([[0.5, 0.5], []], 0).run(60).moves).toEqual([]);
  });

  it('goes earlier where frames are late', () => {
    const threads = new Threads([[0.15, 0.15], []]).run(30);
    expect(threads.moves).toEqual([]);
    threads.late = 0.05;

    expect(threads.run(30).moves).toHaveLength(1);
  });

  it('is looked for only after seconds of measuring, before the first move and between two', () => {
    const threads = new Threads([[0.25, 0.25, 0.25, 0.25], [], []]);
    expect(threads.run(4).moves).toHaveLength(0);
    expect(threads.run(1).moves).toHaveLength(1);
    expect(threads.run(4).moves).toHaveLength(1);
    expect(threads.run(10).moves).toHaveLength(2);
  });

  it('is never one that was moved less than a minute ago', () => {
    const threads = new Threads([[0.3, 0.3], []]).run(5);
    const { room } = threads.moves[0]!;
    // What was little has become much: without the hold it would be the best one to go.
    threads.rooms[1]!.set(room, 0.4).set(9, 0.5);
    threads.rooms[0]!.clear();
    threads.run(40);

    expect(threads.moves.filter((move) => move.room === room)).toHaveLength(1);
  });

  it('is none of a burst: speech that lasts two seconds moves nothing', () => {
    const threads = new Threads([[0.2, 0.2], []]).run(20);
    threads.rooms[0]!.set(1, 0.4);
    threads.run(2);
    threads.rooms[0]!.set(1, 0.2);

    expect(threads.run(20).moves).toEqual([]);
  });

  it('comes to an end with rooms that stay as they are, each going once at most a minute, and leaves none that would help', () => {
    const random = numbers(7);
    for (let round = 0; round < 20; round++) {
      const count = 2 + Math.floor(random() * 4);
      const rooms = Array.from({ length: count }, () =>
        Array.from({ length: Math.floor(random() * 8) }, () => 0.01 + 0.2 * random() ** 2),
      );
      const threads = new Threads(rooms).run(400);
      const moves = threads.moves.length;
      const spread = Math.max(...threads.busy());
      expect(threads.run(400).moves).toHaveLength(moves);
      expect(spread).toBeLessThanOrEqual(Math.max(...new Threads(rooms).busy()) + 1e-9);
      const [most, least] = [Math.max(...threads.busy()), Math.min(...threads.busy())];
      const busiest = threads.rooms[threads.busy().indexOf(most)]!;
      const helps = [...busiest.values()].some((cost) => most - least - cost >= 0.2 * most + 1e-9);
      if (most >= 0.5 && most <= 1) expect(helps).toBe(false);
    }
  });

  it('does not go to and fro when every figure is off by up to a tenth', () => {
    const random = numbers(11);
    for (let round = 0; round < 15; round++) {
      const rooms = Array.from({ length: 3 }, () =>
        Array.from({ length: 1 + Math.floor(random() * 6) }, () => 0.02 + 0.15 * random()),
      );
      const threads = new Threads(rooms, 0.5, () => 0.2 * (random() - 0.5)).run(600);
      const total = rooms.flat().length;

      expect(threads.moves.length).toBeLessThanOrEqual(total);
    }
  });
});
