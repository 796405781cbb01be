import { AppError, toError, TypedEmitter, type Clock, type Logger } from '../base/index.ts';
import type { DoorCodec, PhoneDoor } from './door-api.ts';
import type {
  MediaCounters,
  MediaEngine,
  MediaSettings,
  PhoneLeg,
  RoomMedia,
} from './media-api.ts';
import { GridService } from './grid/index.ts';
import { createMixerPool, type MixerPool } from './mixer/index.ts';
import { createRoomMedia, type SfuRoomMedia } from './room-media.ts';
import { doorCodecs, listenAddress, loopbackPorts, MediasoupDoor } from './sfu/index.ts';
import { VideoTotals, type PhoneVideoDeps } from './video/index.ts';
import { createWaitingLeg } from './waiting-leg.ts';
import { WorkerPool, type RoomRouter } from './worker-pool.ts';

/** Of whoever does not say otherwise. */
const NO_GRID = { rooms: 0, framesPerSecond: 25, cpuShare: 0.5, bitrate: 1_500_000 };

/**
 * Seconds. Peers check every 4 to 6 s (RFC 7675 5.1), so two may be lost; a browser itself gives up after some 15 s.
 */
const CONSENT_TIMEOUT = 12;

export interface MediaEngineDeps {
  logger: Logger;
  clock: Clock;
}

/** Starts the workers and the mixer threads; rejects with what to do when they do not start. */
export async function createMediaEngine(
  settings: MediaSettings,
  deps: MediaEngineDeps,
): Promise<MediaEngine> {
  const workers = await WorkerPool.start(settings, deps);
  try {
    return new SfuMediaEngine(settings, deps, workers, await startMixers(settings, deps));
  } catch (error) {
    await workers.close();
    throw error;
  }
}

/**
 * Phones are where browsers are: on the public address itself where this machine has it. The workers' ports
 * may lie inside the phones' range, and are free for a moment while a worker is replaced.
 */
function startMixers(settings: MediaSettings, deps: MediaEngineDeps): Promise<MixerPool> {
  const { webRtcPort, workers } = settings;

  return createMixerPool(settings, {
    ...deps,
    bindAddress: listenAddress(settings.publicAddress),
    reservedPorts: { min: webRtcPort, max: webRtcPort + workers - 1 },
  });
}

class SfuMediaEngine implements MediaEngine {
  readonly events = new TypedEmitter<{ workerDied: [] }>();
  readonly #settings: MediaSettings;
  readonly #logger: Logger;
  readonly #workers: WorkerPool;
  readonly #mixers: MixerPool;
  readonly #video: PhoneVideoDeps;
  readonly #grids: GridService;
  readonly #rooms = new Set<SfuRoomMedia>();
  readonly #doors = new Set<PhoneDoor>();
  #closing: Promise<void> | undefined;

  constructor(
    settings: MediaSettings,
    deps: MediaEngineDeps,
    workers: WorkerPool,
    mixers: MixerPool,
  ) {
    this.#settings = settings;
    this.#logger = deps.logger.child({ tag: 'room-media' });
    this.#workers = workers;
    this.#mixers = mixers;
    this.#video = {
      clock: deps.clock,
      ports: mixers.ports,
      bindAddress: listenAddress(settings.publicAddress),
      dscp: settings.rtpDscp,
      totals: new VideoTotals(),
    };
    this.#grids = new GridService(settings.grid ?? NO_GRID, deps);
    workers.events.on('workerDied', () => {
      this.events.emit('workerDied');
    });
  }

  async createRoom(): Promise<RoomMedia> {
    this.#assertOpen();
    const place = await this.#workers.createRouter();
    try {
      const room = await this.#createRoomOn(place);
      this.#assertOpen();
      this.#rooms.add(room);

      return room;
    } catch (error) {
      place.router.close();
      if (error instanceof AppError) throw error;
      throw new AppError('MEDIA_UNAVAILABLE', toError(error).message, { cause: error });
    }
  }

  createWaitingLeg(): Promise<PhoneLeg> {
    this.#assertOpen();

    return createWaitingLeg(this.#mixers, this.#video);
  }

  async createDoor(codecs: readonly DoorCodec[], rtpPort: number): Promise<PhoneDoor> {
    this.#assertOpen();
    const place = await this.#workers.createRouter(doorCodecs(codecs));
    const door = await MediasoupDoor.open({
      ...place,
      ...insideOf(listenAddress(this.#settings.publicAddress), rtpPort),
      ports: this.#loopbackPorts,
      codecs,
    });
    this.#doors.add(door);
    door.events.on('closed', () => this.#doors.delete(door));
    if (this.#closing !== undefined) {
      door.close();
      this.#assertOpen();
    }

    return door;
  }

  unreadyReason(): string | undefined {
    if (this.#closing !== undefined) return 'the media engine is closed';

    return this.#workers.unreadyReason() ?? this.#mixers.unreadyReason();
  }

  gridUnavailable(): string | undefined {
    return this.#grids.unavailableReason();
  }

  counters(): MediaCounters {
    const { phoneLegs, rtpPorts, ...mixing } = this.#mixers.counters();
    const { totals } = this.#video;
    const video = totals.counters();

    return {
      ...mixing,
      rtpPacketsIn: mixing.rtpPacketsIn + video.packetsIn,
      rtpPacketsOut: mixing.rtpPacketsOut + video.packetsOut,
      rtpLost: mixing.rtpLost + video.lost,
      video,
      workerDeaths: this.#workers.deaths,
      grid: this.#grids.counters(),
      open: { phoneLegs, phoneVideos: totals.open, rtpPorts, ...this.#workers.open() },
    };
  }

  drain(): void {
    this.#workers.drain();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();

    return this.#closing;
  }

  async #close(): Promise<void> {
    for (const door of [...this.#doors]) door.close();
    await Promise.all([...this.#rooms].map((room) => room.close()));
    await this.#mixers.close();
    await this.#workers.close();
  }

  get #loopbackPorts(): ReturnType<typeof loopbackPorts> {
    return loopbackPorts({ min: this.#settings.rtpPortMin, max: this.#settings.rtpPortMax });
  }

  #createRoomOn(place: RoomRouter): Promise<SfuRoomMedia> {
    return createRoomMedia({
      ...place,
      mixers: this.#mixers,
      video: this.#video,
      consentTimeout: Math.min(CONSENT_TIMEOUT, Math.ceil(this.#settings.rtpTimeout / 1000)),
      loopbackPorts: this.#loopbackPorts,
      grids: this.#grids,
      logger: this.#logger,
      closed: (room) => {
        this.#rooms.delete(room);
      },
    });
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) {
      throw new AppError('SHUTTING_DOWN', 'the media engine is closed');
    }
  }
}

/** Where a phone leg is reached from this machine: sockets of all addresses answer from the one asked. */
function insideOf(
  bindAddress: string,
  port: number,
): { leg: { address: string; port: number }; loopback: string } {
  const loopback = bindAddress.includes(':') ? '::1' : '127.0.0.1';
  const isAny = bindAddress === '0.0.0.0' || bindAddress === '::';

  return { leg: { address: isAny ? loopback : bindAddress, port }, loopback };
}
