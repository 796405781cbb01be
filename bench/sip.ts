/**
 * Call set-ups a second: INVITE, 200, ACK, BYE with SIPp as the caller on one core and everything of
 * ours (main thread, mixer, media worker, Redis) on one other core. Once with the whole server, so
 * that each call gets a media leg in a room, and once with the SIP stack alone.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { BenchRow } from './bench-row.ts';
import { SERVER_MAIN, serverSettings, untilReady } from './bench-server.ts';

const SIP_PORT = 5060;
const SECONDS = 5;
const RATES = [50, 100, 150, 200, 300, 400, 500, 650, 800, 1000, 1250, 1500, 2000, 2500, 3000];
/** A retransmission tells that an answer was later than T1: more than these and the rate is lost. */
const MAX_RETRANSMISSIONS = 0.01;

interface Run {
  completed: number;
  failed: number;
  retransmissions: number;
  /** Calls that ended in the time of the run, a second. */
  perSecond: number;
  /** Milliseconds from INVITE to 200, sorted. */
  setupTimes: number[];
}

export async function benchSip(): Promise<BenchRow[]> {
  const folder = mkdtempSync(path.join(tmpdir(), 'parley-bench-'));
  try {
    return [
      ...(await measure('with media', folder, () => startServer(folder))),
      ...(await measure('signalling alone', folder, startSignallingOnly)),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(
  what: string,
  folder: string,
  start: () => Promise<ChildProcess>,
): Promise<BenchRow[]> {
  const server = await start();
  try {
    await callAt(20, folder);
    let best = 0;
    for (const rate of RATES) {
      const run = await callAt(rate, folder);
      const holds =
        run.failed === 0 &&
        run.retransmissions <= MAX_RETRANSMISSIONS * run.completed &&
        run.perSecond >= 0.95 * rate;
      console.log(
        `${what}: ${String(rate)}/s ${holds ? 'holds' : 'is too much'}: ` +
          `${run.perSecond.toFixed(0)}/s done, ${String(run.failed)} failed, ` +
          `${String(run.retransmissions)} retransmissions, p99 ${percentile(run, 0.99).toFixed(1)} ms`,
      );
      if (!holds) break;
      best = rate;
    }
    const half = await callAt(Math.max(10, Math.round(best / 2)), folder);

    return [
      { bench: 'sip', what: `${what}: call set-ups, one core`, value: best, unit: '1/s' },
      ...[0.5, 0.99].map((share) => ({
        bench: 'sip',
        what: `${what}: INVITE to 200 at half of that, p${String(share * 100)}`,
        value: Number(percentile(half, share).toFixed(1)),
        unit: 'ms',
      })),
    ];
  } finally {
    server.kill('SIGTERM');
    await once(server, 'exit');
  }
}

async function startServer(folder: string): Promise<ChildProcess> {
  const server = onCore(0, [process.execPath, SERVER_MAIN], serverSettings(folder));
  await untilReady(server);

  return server;
}

async function startSignallingOnly(): Promise<ChildProcess> {
  const script = path.join(import.meta.dirname, 'signalling-only.ts');
  const server = onCore(0, [process.execPath, script, String(SIP_PORT)], {});
  await delay(2000);

  return server;
}

function onCore(core: number, command: string[], env: Record<string, string>): ChildProcess {
  return spawn('taskset', ['-c', String(core), ...command], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, ...env },
  });
}

async function callAt(rate: number, folder: string): Promise<Run> {
  const workDir = mkdtempSync(path.join(folder, 'sipp-'));
  const calls = rate * SECONDS;
  const started = performance.now();
  const sipp = spawn(
    'taskset',
    [
      ...['-c', '1', 'sipp', `127.0.0.1:${String(SIP_PORT)}`],
      ...['-sf', path.join(import.meta.dirname, 'call-setup.xml'), '-s', '100'],
      ...['-i', '127.0.0.1', '-mi', '127.0.0.1', '-p', '5190', '-mp', '36000', '-nostdin'],
      ...['-m', String(calls), '-r', String(rate), '-d', '0', '-l', '100000'],
      ...['-timeout', '30s', '-trace_stat', '-stf', 'stat.csv', '-fd', '1s'],
      ...['-trace_rtt', '-rtt_freq', '1'],
    ],
    { cwd: workDir, stdio: 'ignore', env: { ...process.env, TERM: 'dumb' } },
  );
  await once(sipp, 'exit');
  const seconds = (performance.now() - started) / 1000;
  const last = lastRow(path.join(workDir, 'stat.csv'));
  const completed = Number(last['SuccessfulCall(C)'] ?? 0);
  const setupTimes = readSetupTimes(workDir);
  // SIPp needs a moment to start and to end, which is not the server's.
  await delay(500);

  return {
    completed,
    failed: Number(last['FailedCall(C)'] ?? 0) + (calls - Number(last['TotalCallCreated'] ?? 0)),
    retransmissions: Number(last['Retransmissions(C)'] ?? 0),
    perSecond: completed / Math.max(SECONDS, seconds - 1),
    setupTimes,
  };
}

function readSetupTimes(folder: string): number[] {
  const file = readdirSync(folder).find((name) => name.endsWith('_rtt.csv'));
  if (file === undefined) return [];
  const rows = readFileSync(path.join(folder, file), 'utf8').trim().split('\n').slice(1);

  return rows
    .map((row) => Number(row.split(';')[1]))
    .filter((time) => Number.isFinite(time))
    .sort((left, right) => left - right);
}

function percentile({ setupTimes }: Run, share: number): number {
  return setupTimes[Math.min(setupTimes.length - 1, Math.floor(share * setupTimes.length))] ?? NaN;
}

function lastRow(file: string): Record<string, string> {
  const [header, ...rows] = readFileSync(file, 'utf8').trim().split('\n');
  const names = header?.split(';') ?? [];
  const values = rows.at(-1)?.split(';') ?? [];

  return Object.fromEntries(names.map((name, i) => [name, values[i] ?? '']));
}
