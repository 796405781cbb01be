import { setLogEventListeners, type types as mediasoup } from 'mediasoup';
import {
  AppError,
  TimerSet,
  toError,
  TypedEmitter,
  type Clock,
  type Logger,
} from '../base/index.ts';
import type { MediaCounters, MediaSettings } from './media-api.ts';
import { endMediaWorker, routerCodecs, startMediaWorker, type MediaWorker } from './sfu/index.ts';

export interface RoomRouter {
  router: mediasoup.Router;
  /** The worker's WebRTC port. */
  webRtcServer: mediasoup.WebRtcServer;
}

interface Slot {
  readonly index: number;
  /** Undefined while it is down. */
  running: MediaWorker | undefined;
  /** In a row, for the backoff. */
  failures: number;
  startedAt: number;
}

/** A room has a cost of its own: it will soon have streams. */
const ROUTER_LOAD = 10;
const FIRST_RESTART_DELAY = 500;
const MAX_RESTART_DELAY = 30_000;
/** A worker that lived so long did not die of its start. */
const HEALTHY_AFTER = 60_000;

/** The mediasoup workers, one WebRTC port each. A dead one is replaced; its rooms are gone. */
export class WorkerPool {
  readonly events = new TypedEmitter<{ workerDied: [pid: number] }>();
  readonly #settings: Pick<MediaSettings, 'publicAddress' | 'webRtcPort'>;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #restarts: TimerSet<`worker ${number}`>;
  readonly #slots: Slot[];
  readonly #starting = new Set<Promise<void>>();
  #deaths = 0;
  #draining = false;

  private constructor(settings: MediaSettings, deps: { logger: Logger; clock: Clock }) {
    this.#settings = settings;
    this.#logger = deps.logger.child({ tag: 'worker-pool' });
    this.#clock = deps.clock;
    this.#restarts = new TimerSet(deps.clock);
    this.#slots = Array.from({ length: settings.workers }, (_, index) => ({
      index,
      running: undefined,
      failures: 0,
      startedAt: 0,
    }));
  }

  /** Rejects with what to do about it when a worker does not start; none is left running then. */
  static async start(
    settings: MediaSettings,
    deps: { logger: Logger; clock: Clock },
  ): Promise<WorkerPool> {
    routeMediasoupLog(deps.logger.child({ tag: 'mediasoup' }));
    const pool = new WorkerPool(settings, deps);
    const starts = await Promise.allSettled(pool.#slots.map((slot) => pool.#start(slot)));
    const failed = starts.find((start) => start.status === 'rejected');
    if (failed !== undefined) {
      await pool.close();
      throw failed.reason;
    }

    return pool;
  }

  get deaths(): number {
    return this.#deaths;
  }

  /** For tests and diagnostics. */
  get pids(): number[] {
    return this.#slots.flatMap(({ running }) => running?.worker.pid ?? []);
  }

  open(): Pick<MediaCounters['open'], 'transports' | 'producers' | 'consumers'> {
    const total = { transports: 0, producers: 0, consumers: 0 };
    for (const { running } of this.#slots) {
      total.transports += running?.open.transports ?? 0;
      total.producers += running?.open.producers ?? 0;
      total.consumers += running?.open.consumers ?? 0;
    }

    return total;
  }

  /** One worker is enough to serve calls. */
  unreadyReason(): string | undefined {
    if (this.#slots.some(({ running }) => running !== undefined)) return undefined;

    return 'no media worker is running';
  }

  /** A router on the least loaded worker. */
  async createRouter(mediaCodecs = routerCodecs()): Promise<RoomRouter> {
    const slot = this.#leastLoaded();
    if (slot?.running === undefined) {
      throw new AppError('MEDIA_UNAVAILABLE', 'no media worker is running');
    }
    const { worker, webRtcServer } = slot.running;
    try {
      const router = await worker.createRouter({ mediaCodecs });

      return { router, webRtcServer };
    } catch (error) {
      throw new AppError('MEDIA_UNAVAILABLE', `no router: ${toError(error).message}`, {
        cause: error,
      });
    }
  }

  /**
   * From now on a worker that ends was meant to: Ctrl-C on a terminal reaches the workers too, and they end
   * while we still say goodbye. None is started again.
   */
  drain(): void {
    this.#draining = true;
    this.#restarts.close();
  }

  async close(): Promise<void> {
    this.drain();
    await Promise.allSettled(this.#starting);
    await Promise.all(
      this.#slots.map(async (slot) => {
        const { running } = slot;
        slot.running = undefined;
        if (running !== undefined) await endMediaWorker(running.worker);
      }),
    );
  }

  #leastLoaded(): Slot | undefined {
    let best: { slot: Slot; load: number } | undefined;
    for (const slot of this.#slots) {
      if (slot.running === undefined) continue;
      const { routers, consumers } = slot.running.open;
      const load = routers * ROUTER_LOAD + consumers;
      if (best === undefined || load < best.load) best = { slot, load };
    }

    return best?.slot;
  }

  async #start(slot: Slot): Promise<void> {
    const { publicAddress, webRtcPort } = this.#settings;
    const running = await startMediaWorker({ publicAddress, port: webRtcPort + slot.index });
    const { worker } = running;
    if (worker.died) throw new AppError('MEDIA_UNAVAILABLE', 'the media worker died at its start');
    worker.on('died', (error) => {
      this.#died(slot, worker, error);
    });
    slot.running = running;
    slot.startedAt = this.#clock.now();
    this.#logger.info(
      { workerPid: worker.pid, port: webRtcPort + slot.index },
      'media worker started',
    );
  }

  #died(slot: Slot, worker: mediasoup.Worker, error: Error): void {
    if (slot.running?.worker !== worker) return;
    slot.running = undefined;
    if (this.#draining) return;
    this.#deaths++;
    if (this.#clock.now() - slot.startedAt >= HEALTHY_AFTER) slot.failures = 0;
    this.#logger.error({ workerPid: worker.pid, err: error }, 'media worker died');
    this.#restartLater(slot);
    this.events.emit('workerDied', worker.pid);
  }

  #restartLater(slot: Slot): void {
    const delay = Math.min(MAX_RESTART_DELAY, FIRST_RESTART_DELAY * 2 ** slot.failures);
    slot.failures++;
    this.#restarts.start(`worker ${slot.index}`, delay, () => {
      const restart = this.#restart(slot);
      this.#starting.add(restart);
      void restart.then(() => this.#starting.delete(restart));
    });
  }

  async #restart(slot: Slot): Promise<void> {
    try {
      await this.#start(slot);
    } catch (error) {
      if (this.#draining) return;
      this.#logger.error({ worker: slot.index, err: error }, 'media worker does not start again');
      this.#restartLater(slot);
    }
  }
}

/** mediasoup has one log for the process. What the worker warns of is a peer's doing. */
function routeMediasoupLog(logger: Logger): void {
  setLogEventListeners({
    onwarn: (namespace, log) => {
      logger.debug({ namespace }, log);
    },
    onerror: (namespace, log, error) => {
      logger.warn({ namespace, err: error }, log);
    },
  });
}
