import type { types as mediasoup } from 'mediasoup';
import { TimerSet, TypedEmitter, type Clock, type Logger } from '../../base/index.ts';
import { openLoopback, Reconciler, type PortRange } from '../sfu/index.ts';
import type { GridCodec, GridOutput, GridTile } from './grid-protocol.ts';
import { GridInputs, type GridMember } from './grid-inputs.ts';
import type { Compositor, GridService } from './grid-service.ts';
import { GridPlaces } from './places.ts';
import { produceOutput, type RoomOutput } from './room-output.ts';
import { Thrift } from './thrift.ts';

export interface RoomGridContext {
  router: mediasoup.Router;
  ports: PortRange;
  grids: GridService;
  clock: Clock;
  logger: Logger;
}

/** The codecs that viewers take, and the bits a second that all of them do; undefined: no limit. */
export type WantedOutputs = ReadonlyMap<GridCodec, number | undefined>;

/** From the start of a process to its end. */
interface Session {
  compositor: Compositor;
  /** Undefined until it is up. */
  transport: mediasoup.PlainTransport | undefined;
  inputs: GridInputs | undefined;
  outputs: Map<GridCodec, RoomOutput>;
  thrift: Thrift;
}

const FIRST_RESTART_DELAY = 1000;
const MAX_RESTART_DELAY = 60_000;
/** A process that lived so long did not die of its start. */
const HEALTHY_AFTER = 60_000;
/** One that finds no place looks again: rooms end. */
const RETRY_DELAY = 5000;
/** Between two changes of the bit rate: each costs a key frame. */
const LIMIT_INTERVAL = 3000;

/**
 * The composed picture of a room: streams of the members go to a process of its own over the
 * loopback, and the picture comes back as a producer for each codec that somebody wants. Whenever
 * there is none, viewers take what they take in rooms without a grid.
 */
export class RoomGrid {
  readonly events = new TypedEmitter<{
    /** Another producer is there, or one is gone. */
    outputs: [];
  }>();
  readonly #context: RoomGridContext;
  readonly #places = new GridPlaces();
  readonly #timers: TimerSet<'restart' | 'limits'>;
  readonly #reconciler = new Reconciler(() => this.#step());
  #members: readonly GridMember[] = [];
  #speaking: ReadonlySet<string> = new Set();
  #wanted: WantedOutputs = new Map();
  /** The limits that hold. */
  #limits: WantedOutputs = new Map();
  #session: Session | undefined;
  #failures = 0;
  #startedAt = 0;
  #reason: string | undefined;
  #closed = false;

  constructor(context: RoomGridContext) {
    this.#context = context;
    this.#timers = new TimerSet(context.clock);
  }

  /** Who can be shown, in the order of joining. */
  setMembers(members: readonly GridMember[]): void {
    if (areSame(members, this.#members)) return;
    this.#members = members;
    this.#run();
  }

  /** Who speaks, the loudest first. */
  setSpeakers(ids: readonly string[]): void {
    this.#places.spoke(ids);
    const known = ids.filter((id) => this.#members.some((member) => member.id === id));
    const same =
      known.length === this.#speaking.size && known.every((id) => this.#speaking.has(id));
    if (same) return;
    this.#speaking = new Set(known);
    this.#run();
  }

  /** The codecs that viewers take; none ends the process. */
  setWanted(wanted: WantedOutputs): void {
    if ([...wanted.keys()].sort().join() === [...this.#wanted.keys()].sort().join()) {
      this.#wanted = new Map(wanted);
      this.#takeLimits();

      return;
    }
    this.#wanted = new Map(wanted);
    this.#limits = this.#wanted;
    this.#run();
  }

  /** What viewers of `codec` consume; undefined: there is none now. */
  output(codec: GridCodec): mediasoup.Producer | undefined {
    return this.#session?.outputs.get(codec)?.producer;
  }

  /** Why the picture that is wanted is not there; undefined: it is, or it comes at once. */
  get reason(): string | undefined {
    return this.#context.grids.unavailableReason() ?? this.#reason;
  }

  /** Of the process; for tests and diagnostics. */
  get pid(): number | undefined {
    return this.#session?.compositor.pid;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timers.close();
    await this.#reconciler.run();
  }

  get #isWanted(): boolean {
    return !this.#closed && this.#wanted.size > 0 && !this.#context.router.closed;
  }

  #takeLimits(): void {
    const same = [...this.#wanted].every(([codec, limit]) => this.#limits.get(codec) === limit);
    if (same || this.#timers.isRunning('limits')) return;
    this.#timers.start('limits', LIMIT_INTERVAL, () => {
      this.#takeLimits();
    });
    this.#limits = this.#wanted;
    this.#run();
  }

  #run(): void {
    this.#reconciler.run().catch((error: unknown) => {
      if (this.#closed || this.#context.router.closed) return;
      this.#context.logger.warn({ err: error }, 'grid not changed');
    });
  }

  async #step(): Promise<void> {
    if (!this.#isWanted) {
      this.#timers.stop('restart');
      this.#reason = undefined;
      await this.#end();
    } else if (this.#session === undefined) {
      if (!this.#timers.isRunning('restart')) this.#start();
    } else if (this.#session.transport !== undefined) {
      await this.#update(this.#session, this.#session.transport);
    }
  }

  #start(): void {
    const { grids, clock } = this.#context;
    const refusal = grids.refusal();
    if (refusal !== undefined) {
      this.#reason = refusal;
      if (grids.unavailableReason() === undefined) this.#startLater(RETRY_DELAY);

      return;
    }
    this.#startedAt = clock.now();
    const session: Session = {
      compositor: grids.start({
        ready: (port) => {
          this.#ready(session, port).catch((error: unknown) => {
            this.#context.logger.warn({ err: error }, 'grid not connected');
          });
        },
        report: ({ framesDropped }) => {
          if (session.thrift.report(framesDropped, clock.now())) this.#run();
        },
        ended: (reason, unusable) => {
          this.#died(session, reason, unusable);
        },
      }),
      transport: undefined,
      inputs: undefined,
      outputs: new Map(),
      thrift: new Thrift(clock.now()),
    };
    this.#session = session;
  }

  async #ready(session: Session, port: number): Promise<void> {
    const { router, ports } = this.#context;
    const transport = await openLoopback(router, ports, false);
    if (this.#session !== session) {
      transport.close();

      return;
    }
    await transport.connect({ ip: transport.tuple.localAddress, port });
    session.transport = transport;
    session.inputs = new GridInputs(router, transport, () => {
      this.#run();
    });
    this.#reason = undefined;
    this.#run();
  }

  #died(session: Session, reason: string, unusable: boolean): void {
    if (this.#session !== session) return;
    const { clock } = this.#context;
    if (clock.now() - this.#startedAt >= HEALTHY_AFTER) this.#failures = 0;
    this.#reason = `the compositor ${reason}`;
    this.#drop(session);
    if (unusable || this.#closed) return;
    this.#startLater(Math.min(MAX_RESTART_DELAY, FIRST_RESTART_DELAY * 2 ** this.#failures));
    this.#failures++;
  }

  #startLater(delay: number): void {
    this.#timers.start('restart', delay, () => {
      this.#run();
    });
  }

  async #update(session: Session, transport: mediasoup.PlainTransport): Promise<void> {
    const shown = this.#places.update(this.#members.map(({ id }) => id));
    const members = shown.flatMap((id) => this.#members.find((member) => member.id === id) ?? []);
    await session.inputs?.update(members, session.thrift.level);
    const changed = await this.#updateOutputs(session, transport);
    if (this.#session !== session) return;
    const tiles = members.map(({ id, name }): GridTile => {
      const stream = session.inputs?.stream(id);

      return { id, name, highlighted: this.#speaking.has(id), ...(stream && { stream }) };
    });
    session.compositor.show({
      type: 'scene',
      peerPort: transport.tuple.localPort,
      tiles,
      outputs: [...session.outputs].map(([codec, { ssrc, payloadType }]): GridOutput => {
        const bitrate = this.#limits.get(codec);

        return { codec, ssrc, payloadType, ...(bitrate !== undefined && { bitrate }) };
      }),
    });
    if (changed) this.events.emit('outputs');
  }

  async #updateOutputs(session: Session, transport: mediasoup.PlainTransport): Promise<boolean> {
    let changed = false;
    for (const [codec, { producer }] of session.outputs) {
      if (this.#wanted.has(codec)) continue;
      producer.close();
      changed = session.outputs.delete(codec);
    }
    for (const codec of this.#wanted.keys()) {
      if (session.outputs.has(codec) || transport.closed) continue;
      session.outputs.set(codec, await produceOutput(transport, this.#context.router, codec));
      changed = true;
    }

    return changed;
  }

  async #end(): Promise<void> {
    const session = this.#session;
    if (session === undefined) return;
    this.#drop(session);
    await session.compositor.close();
  }

  #drop(session: Session): void {
    this.#session = undefined;
    const had = session.outputs.size > 0;
    session.outputs.clear();
    // With it go all that it consumes and produces.
    session.transport?.close();
    if (had) this.events.emit('outputs');
  }
}

function areSame(a: readonly GridMember[], b: readonly GridMember[]): boolean {
  const isSame = ({ id, name, producer }: GridMember, index: number): boolean =>
    b[index]?.id === id && b[index].name === name && b[index].producer === producer;

  return a.length === b.length && a.every(isSame);
}
