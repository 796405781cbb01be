/**
 * What mixing for phones costs, and how long a word takes through the server: real calls by SIP, audio
 * by a generator that first proves itself, the server on one core and all else on the other, and the
 * same load on Janus' AudioBridge in the same run.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { BenchRow } from './bench-row.ts';
import { BENCH_KEY, makeTrack, type TrackKind } from './load-tracks.ts';
import { JANUS_CASES, MORE_SERVER_CASES, resized, SERVER_CASES } from './mix-cases.ts';
import type { MixCase } from './mix-cases.ts';
import { delaysOf, disturbance, FIRST_PORT, FRAME_US, legsOf } from './mix-legs.ts';
import { startJanus, startParley, type MixSubject } from './mix-subject.ts';
import { proveGenerator } from './prove-generator.ts';
import { costOf, setSessionNice, stolenSeconds } from './process-cost.ts';
import { compileLoad, RtpLoad, type LoadLeg, type LoadReport } from './rtp-load.ts';

const SERVER_CORE = 0;
const LOAD_CORE = 1;
/** Share of a core up to which a server is filled. */
const FULL = 0.7;
const HALF = 0.5;
/** Rooms of two in which clicks are timed. */
const CLICK_ROOMS = 20;

interface Times {
  settle: number;
  measure: number;
  /** Whether what is computed for 70 % of a core is tried. */
  verify: boolean;
}

const QUICK: Times = { settle: 3, measure: 5, verify: false };
const THOROUGH: Times = { settle: 4, measure: 10, verify: true };

interface Measured {
  shape: MixCase;
  legs: number;
  /** Of one core, 0 … 1. */
  cpu: number;
  perLegUs: number;
  legsAt70: number;
  memoryPerLeg: number;
  lateFrames: number | undefined;
  load: LoadReport;
  /** Something else took the cores meanwhile. */
  disturbed: string;
}

type Start = (folder: string, shape: MixCase) => Promise<MixSubject>;

const parley: Start = (folder, { srtp }) => startParley(folder, SERVER_CORE, srtp);
const janus: Start = (folder, { codecs }) => startJanus(folder, SERVER_CORE, codecs);

export async function benchMix(options: readonly string[]): Promise<BenchRow[]> {
  const quick = options.includes('--quick');
  const only = options.find((option) => option.startsWith('--only='))?.slice('--only='.length);
  const wanted = ({ family, name }: MixCase): boolean =>
    only === undefined || `${family} ${name}`.includes(only);
  const bench = new MixBench(quick ? QUICK : THOROUGH);
  setSessionNice(-15);
  try {
    const rows = await bench.prove();
    const all = [...SERVER_CASES, ...MORE_SERVER_CASES];
    const cases = quick && only === undefined ? SERVER_CASES : all;
    for (const shape of cases.filter(wanted)) rows.push(...(await bench.parley(shape)));
    for (const shape of JANUS_CASES.filter(wanted)) rows.push(...(await bench.janus(shape)));
    if (only === undefined || 'delay'.includes(only)) rows.push(...(await bench.delays()));

    return [...rows, ...bench.ratios()];
  } finally {
    bench.close();
    setSessionNice(0);
  }
}

class MixBench {
  readonly #times: Times;
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'parley-mix-'));
  readonly #program: string;
  readonly #tracks = new Map<string, Uint8Array[]>();
  readonly #best = { Parley: new Map<string, number>(), Janus: new Map<string, number>() };
  #runs = 0;

  constructor(times: Times) {
    this.#times = times;
    this.#program = compileLoad(this.#folder);
  }

  async prove(): Promise<BenchRow[]> {
    const silence = this.#track({ codec: 'PCMU', sound: 'silence', seed: 0 }, false);
    const cores = { load: LOAD_CORE, sink: SERVER_CORE };
    const { lateP99, lost } = await proveGenerator(this.#program, this.#folder, silence, cores);

    return [
      row('generator: packets left late, p99 (500 phones)', lateP99, 'ms'),
      row('generator: lost on the way to a sink', lost, 'packets'),
    ];
  }

  async parley(shape: MixCase): Promise<BenchRow[]> {
    const first = await this.#measure(parley, shape);
    const rows = this.#rowsOf('Parley', first);
    let best = first.legsAt70;
    if (this.#times.verify) {
      const tried = await this.#measure(parley, resized(shape, Math.floor(best)));
      rows.push(...this.#rowsOf('Parley, filled', tried));
      best = tried.legsAt70;
      const half = await this.#measure(parley, resized(shape, Math.floor((best * HALF) / FULL)));
      rows.push(...this.#rowsOf('Parley, half full', half));
    }
    this.#remember('Parley', shape.family, best);

    return rows;
  }

  async janus(shape: MixCase): Promise<BenchRow[]> {
    const measured = await this.#measure(janus, shape);
    this.#remember('Janus', shape.family, measured.legsAt70);

    return this.#rowsOf('Janus', measured);
  }

  async delays(): Promise<BenchRow[]> {
    const rows: BenchRow[] = [];
    for (const [who, start] of [['Parley', parley] as const, ['Janus', janus] as const]) {
      const delays = await this.#clickDelays(start);
      const at = (share: number): number =>
        delays[Math.min(delays.length - 1, Math.floor(share * delays.length))] ?? NaN;
      console.log(`${who}: ${delays.length} clicks, p50 ${at(0.5)} p95 ${at(0.95)} ms`);
      rows.push(
        row(`${who}: mouth to ear, p50 of ${delays.length} clicks`, at(0.5), 'ms'),
        row(`${who}: mouth to ear, p95`, at(0.95), 'ms'),
      );
    }

    return rows;
  }

  ratios(): BenchRow[] {
    return [...this.#best.Janus].flatMap(([family, theirs]) => {
      const ours = this.#best.Parley.get(family);

      return ours === undefined
        ? []
        : [row(`${family}: legs on a core, Parley / Janus`, ours / theirs, 'times')];
    });
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #remember(who: 'Parley' | 'Janus', family: string, legs: number): void {
    this.#best[who].set(family, Math.max(legs, this.#best[who].get(family) ?? 0));
  }

  async #measure(start: Start, shape: MixCase): Promise<Measured> {
    const { settle, measure } = this.#times;
    const subject = await start(this.#runFolder(), shape);
    try {
      const { kinds, legs: wanted } = legsOf(shape);
      const tracks = kinds.map((kind) => this.#track(kind, shape.srtp));
      // What it takes before the first call, without what its start leaves behind for a while.
      await subject.settleMemory();
      const before = costOf(subject.pid);
      const ports = await subject.join(
        wanted.map(({ room, codec, rtpPort }) => ({ room, codec, rtpPort })),
      );
      const load = await this.#open(
        tracks,
        wanted.map(({ rtpPort, track, phaseUs }, index) => ({
          localPort: rtpPort,
          remotePort: ports[index]!,
          track,
          phaseUs,
          probe: false,
        })),
        settle + measure,
        settle,
      );
      load.start();
      await load.measuring();
      const late = await subject.lateFrames();
      const stolen = stolenSeconds();
      const started = performance.now();
      const busy = costOf(subject.pid);
      await delay(measure * 1000 - 300);
      const after = costOf(subject.pid);
      const seconds = (performance.now() - started) / 1000;
      const steal = stolenSeconds() - stolen;
      const lateAfter = await subject.lateFrames();
      const report = await load.report();
      await subject.settleMemory();
      const cpu = (after.cpu - busy.cpu) / seconds;
      const legs = wanted.length;

      return {
        shape,
        legs,
        cpu,
        perLegUs: (cpu * 1e6) / legs,
        legsAt70: (legs * FULL) / cpu,
        memoryPerLeg: (costOf(subject.pid).memory - before.memory) / legs,
        lateFrames: late === undefined || lateAfter === undefined ? undefined : lateAfter - late,
        load: report,
        disturbed: disturbance(report, cpu, steal / seconds),
      };
    } finally {
      await subject.close();
    }
  }

  #rowsOf(who: string, measured: Measured): BenchRow[] {
    const { shape, cpu, perLegUs, legsAt70, memoryPerLeg, lateFrames, load, disturbed } = measured;
    console.log(
      `${who}: ${shape.name}: ${(cpu * 100).toFixed(1)} % of a core, late frames ${lateFrames ?? '?'}, ` +
        `each phone got ${load.leastPerSecond} … ${load.mostPerSecond} packets/s, ${load.lost} lost, ` +
        `longest gap ${load.longestGapMs} ms (generator late p99 ${load.lateMs.p99} ms), ` +
        `load average ${loadavg()[0]!.toFixed(2)}${disturbed}`,
    );
    const what = `${who}: ${shape.name}${disturbed === '' ? '' : ' (disturbed)'}`;

    return [
      row(`${what}: CPU`, cpu * 100, '% of a core'),
      row(`${what}: CPU a leg`, perLegUs, 'µs/s'),
      row(`${what}: legs a core at 70 %`, legsAt70, 'legs'),
      row(`${what}: memory a leg`, memoryPerLeg / 1000, 'kB'),
      ...(lateFrames === undefined ? [] : [row(`${what}: late frames`, lateFrames, 'frames')]),
      row(`${what}: packets to the worst-served phone`, load.leastPerSecond, '1/s'),
    ];
  }

  async #clickDelays(start: Start): Promise<number[]> {
    const shape = { ...SERVER_CASES[0]!, name: 'clicks' };
    const subject = await start(this.#runFolder(), shape);
    try {
      const wanted = Array.from({ length: CLICK_ROOMS * 2 }, (_unused, index) => ({
        room: index >> 1,
        codec: 'PCMU' as const,
        rtpPort: FIRST_PORT + 2 * index,
      }));
      const ports = await subject.join(wanted);
      const tracks = [
        this.#track({ codec: 'PCMU', sound: 'clicks', seed: 0 }, false),
        this.#track({ codec: 'PCMU', sound: 'silence', seed: 0 }, false),
      ];
      const load = await this.#open(
        tracks,
        wanted.map(({ rtpPort }, index) => ({
          localPort: rtpPort,
          remotePort: ports[index]!,
          track: index & 1,
          phaseUs: Math.floor((FRAME_US * ((index * 7) % 40)) / 40),
          probe: true,
        })),
        this.#times.measure + 7,
        3,
      );
      load.start();
      await load.measuring();

      return delaysOf((await load.report()).clicks);
    } finally {
      await subject.close();
    }
  }

  /** The packets go on counting for longer than any run lasts. */
  #track(kind: TrackKind, srtp: boolean): Uint8Array[] {
    const name = `${kind.codec} ${kind.sound} ${kind.seed} ${srtp}`;
    const known = this.#tracks.get(name);
    if (known !== undefined) return known;
    const track = makeTrack(kind, 40, srtp ? BENCH_KEY : undefined);
    this.#tracks.set(name, track);

    return track;
  }

  async #open(
    tracks: Uint8Array[][],
    legs: LoadLeg[],
    seconds: number,
    settleSeconds: number,
  ): Promise<RtpLoad> {
    const plan = { folder: this.#folder, name: `run-${this.#runs}`, tracks, legs };

    return RtpLoad.open(this.#program, { ...plan, seconds, settleSeconds, core: LOAD_CORE });
  }

  #runFolder(): string {
    return mkdtempSync(path.join(this.#folder, `subject-${++this.#runs}-`));
  }
}

function row(what: string, value: number, unit: string): BenchRow {
  return { bench: 'mix', what, value: Number(value.toFixed(value < 100 ? 2 : 0)), unit };
}
