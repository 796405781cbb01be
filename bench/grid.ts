/** What a composed picture costs: the share of a core that a compositor's process takes. */
import { fork, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { SystemClock } from '../base/index.ts';
import {
  CompositorHost,
  type GridCodec,
  type GridReport,
  type GridStream,
} from '../media/index.ts';
import type { BenchRow } from './bench-row.ts';
import type { SourceAnswer, SourceOrder } from './grid-source.ts';
import { setSessionNice } from './process-cost.ts';

interface Case {
  tiles: number;
  framesPerSecond: number;
  codecs: readonly GridCodec[];
  /** Of a core. */
  limit: number;
  /** Lines of the cameras; 360 by default. */
  lines?: number;
}

const NO_LIMIT = 4;
const BITRATE = 1_500_000;
const WARM_UP_MS = 3000;

const CASES: readonly Case[] = [
  { tiles: 4, framesPerSecond: 25, codecs: ['H264'], limit: NO_LIMIT },
  { tiles: 4, framesPerSecond: 30, codecs: ['H264'], limit: NO_LIMIT },
  { tiles: 9, framesPerSecond: 25, codecs: ['H264'], limit: NO_LIMIT },
  { tiles: 9, framesPerSecond: 30, codecs: ['H264'], limit: NO_LIMIT },
  { tiles: 4, framesPerSecond: 25, codecs: ['VP8'], limit: NO_LIMIT },
  { tiles: 9, framesPerSecond: 25, codecs: ['H264', 'VP8'], limit: NO_LIMIT },
  { tiles: 9, framesPerSecond: 25, codecs: ['VP8'], limit: NO_LIMIT },
  { tiles: 9, framesPerSecond: 25, codecs: ['H264'], limit: 0.3 },
  { tiles: 9, framesPerSecond: 25, codecs: ['H264'], limit: 0.3, lines: 180 },
];

export async function benchGrid(options: readonly string[]): Promise<BenchRow[]> {
  const seconds = options.includes('--quick') ? 6 : 20;
  setSessionNice(-15);
  const rows: BenchRow[] = [];
  for (const each of CASES) rows.push(...(await measure(each, seconds)));

  return rows;
}

async function measure(each: Case, seconds: number): Promise<BenchRow[]> {
  const source = await startSource();
  let report: GridReport | undefined;
  const { framesPerSecond, codecs, limit } = each;
  const settings = { framesPerSecond, cpuShare: limit, bitrate: BITRATE };
  const [host, port] = await new Promise<[CompositorHost, number]>((resolve, reject) => {
    const started: CompositorHost = new CompositorHost(
      settings,
      {
        ready: (itsPort) => {
          resolve([started, itsPort]);
        },
        report: (latest) => (report = latest),
        ended: (reason) => {
          reject(new Error(reason));
        },
      },
      new SystemClock(),
    );
  });
  pin(source.child.pid, 1);
  pin(host.pid, 0);
  // Half of them send H.264, as rooms with phones do.
  const streams = Array.from({ length: each.tiles }, (_, index): GridStream => {
    const codec = index % 2 === 0 ? 'VP8' : 'H264';

    return { codec, ssrc: 100 + index, payloadType: 96 };
  });
  host.show({
    type: 'scene',
    peerPort: source.port,
    tiles: streams.map((stream, index) => ({
      id: String(index),
      name: `Camera ${index + 1}`,
      highlighted: index === 0,
      stream,
    })),
    outputs: codecs.map((codec, index) => ({ codec, ssrc: 1 + index, payloadType: 97 + index })),
  });
  source.child.send({ port, streams, framesPerSecond, size: sizeOf(each) } satisfies SourceOrder);
  await delay(WARM_UP_MS);
  const [before, octetsBefore] = [report, await received(source.child)];
  await delay(seconds * 1000);
  const [after, octetsAfter] = [report, await received(source.child)];
  source.child.kill('SIGKILL');
  await host.close();
  if (before === undefined || after === undefined) throw new Error('the compositor said nothing');

  return rowsOf(each, before, after, { seconds, octets: octetsAfter - octetsBefore });
}

function sizeOf({ lines = 360 }: Case): { width: number; height: number } {
  return { width: (lines * 16) / 9, height: lines };
}

function rowsOf(
  each: Case,
  before: GridReport,
  after: GridReport,
  run: { seconds: number; octets: number },
): BenchRow[] {
  const { tiles, framesPerSecond, codecs, limit } = each;
  const { width, height } = sizeOf(each);
  const limited = limit === NO_LIMIT ? '' : `, held to ${limit * 100} %`;
  const name = `${tiles} tiles of ${width}x${height}, ${framesPerSecond} fps, to ${codecs.join(' and ')}${limited}`;
  const cpu = after.cpuSeconds - before.cpuSeconds;
  const pictures = (after.framesEncoded - before.framesEncoded) / codecs.length;
  const row = (what: string, value: number, unit: string): BenchRow => ({
    bench: 'grid',
    what: `${name}: ${what}`,
    value: Math.round(value * 10) / 10,
    unit,
  });

  return [
    row('CPU', (cpu / run.seconds) * 100, '% of a core'),
    row('CPU a picture', (cpu / pictures) * 1000, 'ms'),
    row('pictures', pictures / run.seconds, 'a second'),
    row('bit rate', (run.octets * 8) / run.seconds / 1000, 'kbit/s'),
    row('input frames not decoded', after.framesDiscarded - before.framesDiscarded, 'frames'),
  ];
}

async function startSource(): Promise<{ child: ChildProcess; port: number }> {
  const child = fork(path.join(import.meta.dirname, 'grid-source.ts'), {
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  const [{ port }] = (await once(child, 'message')) as [SourceAnswer];

  return { child, port };
}

async function received(source: ChildProcess): Promise<number> {
  const answer = once(source, 'message') as Promise<[SourceAnswer]>;
  source.send('count');

  return (await answer)[0].octets;
}

function pin(pid: number | undefined, core: number): void {
  if (pid !== undefined) spawnSync('taskset', ['-acp', String(core), String(pid)]);
}
