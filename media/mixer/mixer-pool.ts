/**
 * The mixer threads as the rest of media/ sees them. Rooms go to the thread with the fewest phones;
 * ports are handed out here alone, so that no two threads ever get the same.
 */
import { AppError, TimerSet, type Clock, type Logger } from '../../base/index.ts';
import type { MediaSettings } from '../media-api.ts';
import { PortAllocator } from '../rtp/index.ts';
import { addHistogram, emptyHistogram } from './frame-histogram.ts';
import type { MixerPool, MixerRoom } from './mixer-api.ts';
import type { RoomKey, ThreadReport } from './mixer-protocol.ts';
import { MIXER_THREAD, MixerWorker, type MixerNotice } from './mixer-worker.ts';
import { PooledRoom } from './pooled-room.ts';

/** A thread that dies at once must not be started in a circle. */
const RESTART_DELAY_MS = 1000;

export type MixerSettings = Pick<
  MediaSettings,
  'rtpPortMin' | 'rtpPortMax' | 'rtpTimeout' | 'mixerThreads' | 'opus'
> &
  Partial<Pick<MediaSettings, 'rtpDscp' | 'autoGain'>>;

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
  /** Of threads that are gone. */
  readonly #past: ThreadReport = emptyReport();
  #nextRoom: RoomKey = 1;
  #closed = false;

  constructor(settings: MixerSettings, deps: MixerPoolDeps) {
    if (settings.mixerThreads < 1) throw new TypeError('a mixer pool needs a thread');
    this.#settings = settings;
    this.#bindAddress = deps.bindAddress ?? '0.0.0.0';
    this.#entry = deps.entry ?? MIXER_THREAD;
    this.#logger = deps.logger.child({ tag: 'mixer' });
    this.#timers = new TimerSet(deps.clock);
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
      slot.rooms.delete(key);
    });
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

    return { ...total, phoneLegs, rtpPorts: inUse * 2, rtpPortsExhausted: refused };
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
    const rooms = this.#slots.flatMap((slot) => [...slot.rooms.values()]);
    await Promise.all(rooms.map((room) => room.close()));
    await Promise.all(this.#slots.map(({ worker }) => worker.close()));
  }

  #startThread(index: number): void {
    const { rtpTimeout, rtpDscp = 0, autoGain = false, opus } = this.#settings;
    const bindAddress = this.#bindAddress;
    const data = { bindAddress, rtpTimeout, dscp: rtpDscp, autoGain, ...(opus && { opus }) };
    const rooms = new Map<RoomKey, PooledRoom>();
    const worker = new MixerWorker(this.#entry, `mixer-${index}`, data, {
      onNotice: (notice) => {
        this.#onNotice(rooms, notice);
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

  #onNotice(rooms: ReadonlyMap<RoomKey, PooledRoom>, notice: MixerNotice): void {
    if (notice.type === 'fault') {
      this.#logger.error({ room: notice.room, err: notice.error }, 'a frame of a room was lost');

      return;
    }
    rooms.get(notice.room)?.notice(notice);
  }

  #onDeath(index: number, reason: string): void {
    const slot = this.#slots[index];
    if (slot === undefined) return;
    this.#logger.error({ thread: index, rooms: slot.rooms.size, reason }, 'mixer thread died');
    if (slot.worker.report !== undefined) addReport(this.#past, slot.worker.report);
    const rooms = [...slot.rooms.values()];
    slot.rooms.clear();
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

function emptyReport(): ThreadReport {
  return {
    rtpPacketsIn: 0,
    rtpPacketsOut: 0,
    rtpLost: 0,
    mixerLateFrames: 0,
    mixerFrameSeconds: emptyHistogram(),
  };
}

function addReport(into: ThreadReport, report: ThreadReport): void {
  into.rtpPacketsIn += report.rtpPacketsIn;
  into.rtpPacketsOut += report.rtpPacketsOut;
  into.rtpLost += report.rtpLost;
  into.mixerLateFrames += report.mixerLateFrames;
  addHistogram(into.mixerFrameSeconds, report.mixerFrameSeconds);
}
