/**
 * The mixer threads as the rest of media/ sees them. Rooms go to the thread with the fewest phones, and
 * later to the least busy one when theirs has too much to do; ports are handed out here alone, so that no
 * two threads ever get the same.
 */
import { AppError, TimerSet, type Clock, type Logger } from '../../base/index.ts';
import type { MediaSettings } from '../media-api.ts';
import { PortAllocator } from '../rtp/index.ts';
import { addHistogram, emptyHistogram } from './frame-histogram.ts';
import type { MixerPool, MixerRoom } from './mixer-api.ts';
import type { RoomKey, ThreadReport } from './mixer-protocol.ts';
import { MIXER_THREAD, MixerWorker, type MixerNotice } from './mixer-worker.ts';
import { PooledRoom } from './pooled-room.ts';
import { Rebalancer, type RoomMove } from './rebalancer.ts';

/** A thread that dies at once must not be started in a circle. */
const RESTART_DELAY_MS = 1000;

export type MixerSettings = Pick<
  MediaSettings,
  'rtpPortMin' | 'rtpPortMax' | 'rtpTimeout' | 'mixerThreads' | 'opus'
> &
  Partial<Pick<MediaSettings, 'rtpDscp' | 'autoGain' | 'mixerMoveFrom'>>;

export interface MixerPoolDeps {
  clock: Clock;
  logger: Logger;
  /** Local address of the phones' sockets. */
  bindAddress?: string;
  /** Ports inside the phones' range that are not theirs. */
  reservedPorts?: { min: number; max: number };
  /** What each thread runs. */
  entry?: URL;
}

/** Resolves when all mixer threads are up; rejects when one does not start. */
export async function createMixerPool(
  settings: MixerSettings,
  deps: MixerPoolDeps,
): Promise<MixerPool> {
  const pool = new ThreadedMixerPool(settings, deps);
  try {
    await pool.started();
  } catch (error) {
    await pool.close();
    throw error;
  }

  return pool;
}

/** As a share of a thread's time, where nobody says otherwise. */
const MOVE_FROM = 0.5;

interface Slot {
  worker: MixerWorker;
  rooms: Map<RoomKey, PooledRoom>;
}

class ThreadedMixerPool implements MixerPool {
  readonly #settings: MixerSettings;
  readonly #bindAddress: string;
  readonly #entry: URL;
  readonly #logger: Logger;
  readonly ports: PortAllocator;
  readonly #timers: TimerSet;
  readonly #slots: Slot[] = [];
  /** All of them: one that moves is in no slot alone. */
  readonly #rooms = new Map<RoomKey, PooledRoom>();
  readonly #clock: Clock;
  readonly #rebalancer: Rebalancer;
  readonly #moves = { moved: 0, refused: 0, lost: 0 };
  #moving = false;
  /** Of threads that are gone. */
  readonly #past = emptyReport();
  #nextRoom: RoomKey = 1;
  #closed = false;

  constructor(settings: MixerSettings, deps: MixerPoolDeps) {
    if (settings.mixerThreads < 1) throw new TypeError('a mixer pool needs a thread');
    this.#settings = settings;
    this.#bindAddress = deps.bindAddress ?? '0.0.0.0';
    this.#entry = deps.entry ?? MIXER_THREAD;
    this.#logger = deps.logger.child({ tag: 'mixer' });
    this.#timers = new TimerSet(deps.clock);
    this.#clock = deps.clock;
    this.#rebalancer = new Rebalancer(settings.mixerMoveFrom ?? MOVE_FROM);
    this.ports = new PortAllocator({
      min: settings.rtpPortMin,
      max: settings.rtpPortMax,
      clock: deps.clock,
      ...(deps.reservedPorts !== undefined && { reserved: deps.reservedPorts }),
    });
    for (let index = 0; index < settings.mixerThreads; index++) this.#startThread(index);
  }

  async started(): Promise<void> {
    await Promise.all(this.#slots.map(({ worker }) => worker.started));
  }

  createRoom(): MixerRoom {
    if (this.#closed) throw new AppError('SHUTTING_DOWN', 'the mixer is closed');
    const slot = this.#leastLoaded();
    const key = this.#nextRoom++;
    const room: PooledRoom = new PooledRoom(key, slot.worker, this.ports, () => {
      this.#rooms.delete(key);
      for (const { rooms } of this.#slots) rooms.delete(key);
    });
    this.#rooms.set(key, room);
    slot.rooms.set(key, room);

    return room;
  }

  counters(): ReturnType<MixerPool['counters']> {
    const total = emptyReport();
    addReport(total, this.#past);
    let phoneLegs = 0;
    for (const { worker, rooms } of this.#slots) {
      if (worker.report !== undefined && !worker.ended) addReport(total, worker.report);
      phoneLegs += countLegs(rooms);
    }

    const { inUse, refused } = this.ports;

    return {
      ...total,
      phoneLegs,
      rtpPorts: inUse * 2,
      rtpPortsExhausted: refused,
      mixerMoves: { ...this.#moves },
      mixerThreadsBusy: this.#slots.map(({ rooms }, index) =>
        rooms.size === 0 ? 0 : this.#rebalancer.busy(index),
      ),
    };
  }

  unreadyReason(): string | undefined {
    if (this.#closed) return 'the mixer is closed';
    const missing = this.#slots.filter(({ worker }) => !worker.alive).length;

    return missing === 0 ? undefined : `${missing} of ${this.#slots.length} mixer threads not up`;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#timers.close();
    await Promise.all([...this.#rooms.values()].map((room) => room.close()));
    await Promise.all(this.#slots.map(({ worker }) => worker.close()));
  }

  #startThread(index: number): void {
    const { rtpTimeout, rtpDscp = 0, autoGain = false, opus } = this.#settings;
    const bindAddress = this.#bindAddress;
    const data = { bindAddress, rtpTimeout, dscp: rtpDscp, autoGain, ...(opus && { opus }) };
    const rooms = new Map<RoomKey, PooledRoom>();
    const worker = new MixerWorker(this.#entry, `mixer-${index}`, data, {
      onNotice: (notice) => {
        this.#onNotice(notice);
      },
      onReport: () => {
        this.#onReport(index);
      },
      onDeath: (reason) => {
        this.#onDeath(index, reason);
      },
    });
    this.#slots[index] = { worker, rooms };
  }

  #leastLoaded(): Slot {
    const usable = this.#slots.filter(({ worker }) => !worker.ended);
    if (usable.length === 0) throw new AppError('MEDIA_UNAVAILABLE', 'no mixer thread is up');

    return usable.reduce((best, slot) => (isLess(slot, best) ? slot : best));
  }

  #onReport(index: number): void {
    const { worker, rooms } = this.#slots[index]!;
    if (worker.report !== undefined && rooms.size > 0) {
      this.#rebalancer.report(index, worker.report.load, (room) => rooms.has(room));
    }
    if (this.#closed || this.#moving) return;
    this.#slots.forEach((slot, thread) => {
      if (!slot.worker.alive) this.#rebalancer.forget(thread);
      else if (slot.rooms.size === 0) this.#rebalancer.idle(thread);
    });
    const move = this.#rebalancer.next(this.#clock.now());
    if (move !== undefined) void this.#move(move);
  }

  /** One at a time, so that each is judged by what the one before it changed. */
  async #move(move: RoomMove): Promise<void> {
    const from = this.#slots[move.from];
    const to = this.#slots[move.to];
    const room = this.#rooms.get(move.room);
    if (from === undefined || to === undefined || room === undefined) return;
    const busy = [move.from, move.to].map((thread) => this.#rebalancer.busy(thread).toFixed(2));
    this.#moving = true;
    const outcome = await room.moveTo(to.worker);
    this.#moving = false;
    this.#moves[outcome]++;
    this.#rebalancer.moved(move, this.#clock.now());
    if (outcome !== 'refused' && from.rooms.delete(move.room) && outcome === 'moved') {
      to.rooms.set(move.room, room);
    }
    this.#logger.info({ ...move, busy, legs: room.legCount, outcome }, 'room to another thread');
  }

  #onNotice(notice: MixerNotice): void {
    if (notice.type === 'fault') {
      this.#logger.error({ room: notice.room, err: notice.error }, 'a frame of a room was lost');

      return;
    }
    this.#rooms.get(notice.room)?.notice(notice);
  }

  #onDeath(index: number, reason: string): void {
    const slot = this.#slots[index];
    if (slot === undefined) return;
    this.#logger.error({ thread: index, rooms: slot.rooms.size, reason }, 'mixer thread died');
    if (slot.worker.report !== undefined) addReport(this.#past, slot.worker.report);
    const rooms = [...slot.rooms.values()];
    slot.rooms.clear();
    this.#rebalancer.forget(index);
    for (const room of rooms) room.fail(reason);
    this.#timers.start(`restart-${index}`, RESTART_DELAY_MS, () => {
      this.#startThread(index);
    });
  }
}

function isLess(left: Slot, right: Slot): boolean {
  const difference = countLegs(left.rooms) - countLegs(right.rooms);

  return difference !== 0 ? difference < 0 : left.rooms.size < right.rooms.size;
}

function countLegs(rooms: ReadonlyMap<RoomKey, PooledRoom>): number {
  let legs = 0;
  for (const room of rooms.values()) legs += room.legCount;

  return legs;
}

type Totals = Omit<ThreadReport, 'load'>;

function emptyReport(): Totals {
  return {
    rtpPacketsIn: 0,
    rtpPacketsOut: 0,
    rtpLost: 0,
    mixerLateFrames: 0,
    mixerFrameSeconds: emptyHistogram(),
  };
}

function addReport(into: Totals, report: Totals): void {
  into.rtpPacketsIn += report.rtpPacketsIn;
  into.rtpPacketsOut += report.rtpPacketsOut;
  into.rtpLost += report.rtpLost;
  into.mixerLateFrames += report.mixerLateFrames;
  addHistogram(into.mixerFrameSeconds, report.mixerFrameSeconds);
}
