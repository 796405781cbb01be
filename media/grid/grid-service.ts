import { createRequire } from 'node:module';
import type { Clock, Logger } from '../../base/index.ts';
import type { GridCounters, GridLimits } from '../grid-api.ts';
import { CompositorHost, type CompositorHandlers } from './compositor-host.ts';
import type { GridReport } from './grid-protocol.ts';

/** A running compositor of one room. */
export interface Compositor {
  readonly pid: number | undefined;
  show: CompositorHost['show'];
  close(): Promise<void>;
}

export interface GridServiceDeps {
  logger: Logger;
  clock: Clock;
  /** What each process runs. */
  entry?: URL;
  /** Why node-av cannot be used here. */
  missing?: string | undefined;
}

const NO_COUNTS: Omit<GridReport, 'type'> = {
  cpuSeconds: 0,
  framesEncoded: 0,
  framesDropped: 0,
  framesDecoded: 0,
  framesDiscarded: 0,
};

/** Who may start a compositor, and what all of them cost. */
export class GridService {
  readonly #limits: GridLimits;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #entry: URL | undefined;
  readonly #running = new Map<CompositorHost, Omit<GridReport, 'type'>>();
  #past = NO_COUNTS;
  #deaths = 0;
  #missing: string | undefined;

  constructor(limits: GridLimits, deps: GridServiceDeps) {
    this.#limits = limits;
    this.#logger = deps.logger.child({ tag: 'grid' });
    this.#clock = deps.clock;
    this.#entry = deps.entry;
    this.#missing = 'missing' in deps ? deps.missing : missingLibrary();
  }

  /** Why no grid can be had on this machine at all; undefined: it can. */
  unavailableReason(): string | undefined {
    if (this.#limits.rooms === 0) return 'grids are switched off (GRID_ROOMS=0)';

    return this.#missing;
  }

  /** Why none can be started now. */
  refusal(): string | undefined {
    const { rooms } = this.#limits;
    const full =
      this.#running.size >= rooms ? `${rooms} grids run already (GRID_ROOMS)` : undefined;

    return this.unavailableReason() ?? full;
  }

  /** Call only when `refusal` has no reason against it. */
  start(handlers: CompositorHandlers): Compositor {
    const host: CompositorHost = new CompositorHost(
      this.#limits,
      {
        ready: (port) => {
          handlers.ready(port);
        },
        report: (report) => {
          if (!this.#running.has(host)) return;
          this.#running.set(host, report);
          handlers.report(report);
        },
        ended: (reason, unusable) => {
          this.#forget(host);
          this.#deaths++;
          if (unusable) this.#missing = `node-av does not work here: ${reason}`;
          this.#logger.error({ reason }, 'a compositor ended');
          handlers.ended(reason, unusable);
        },
      },
      this.#clock,
      ...(this.#entry === undefined ? [] : [this.#entry]),
    );
    this.#running.set(host, NO_COUNTS);

    return {
      pid: host.pid,
      show: (scene) => {
        host.show(scene);
      },
      close: () => {
        this.#forget(host);

        return host.close();
      },
    };
  }

  /** For tests and diagnostics. */
  get pids(): number[] {
    return [...this.#running.keys()].flatMap(({ pid }) => pid ?? []);
  }

  counters(): GridCounters {
    const total = [...this.#running.values()].reduce(add, this.#past);

    return { ...total, rooms: this.#running.size, deaths: this.#deaths };
  }

  #forget(host: CompositorHost): void {
    this.#past = add(this.#past, this.#running.get(host) ?? NO_COUNTS);
    this.#running.delete(host);
  }
}

function add(a: Omit<GridReport, 'type'>, b: Omit<GridReport, 'type'>): Omit<GridReport, 'type'> {
  return {
    cpuSeconds: a.cpuSeconds + b.cpuSeconds,
    framesEncoded: a.framesEncoded + b.framesEncoded,
    framesDropped: a.framesDropped + b.framesDropped,
    framesDecoded: a.framesDecoded + b.framesDecoded,
    framesDiscarded: a.framesDiscarded + b.framesDiscarded,
  };
}

/** The package is optional, and its binary a package of its own for each platform. */
function missingLibrary(): string | undefined {
  const require = createRequire(import.meta.url);
  const platform = `${process.platform}-${process.arch}`;
  try {
    require.resolve('node-av/lib');
  } catch {
    return 'the optional package node-av is not installed';
  }
  if (process.platform === 'win32') return undefined;
  try {
    require.resolve(`@seydx/node-av-${platform}/package.json`);
  } catch {
    return `node-av has no binary for ${platform} here`;
  }

  return undefined;
}
