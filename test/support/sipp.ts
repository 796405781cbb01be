import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createEncoder } from '../../media/codec/index.ts';
import { audioCodec } from '../../media/index.ts';
import { Child } from './child-process.ts';
import { projectPath } from './scratch.ts';
import { ToneSource } from './tone-source.ts';

/** Below the server's, above the phones'. */
const MEDIA_PORTS = 30_000;

export interface SippOptions {
  folder: string;
  /** File name in test/fixtures/sipp. */
  scenario: string;
  target: string;
  user: string;
  calls: number;
  callsPerSecond: number;
  /** Milliseconds of the scenario's pause. */
  duration: number;
  transport?: 'udp' | 'tcp';
}

export interface SippResult {
  exitCode: number;
  successful: number;
  failed: number;
  errors: string;
}

/** Runs SIPp, a call generator, to its end. */
export async function runSipp(options: SippOptions): Promise<SippResult> {
  const { folder, calls, callsPerSecond, duration } = options;
  const statistics = path.join(folder, 'sipp.csv');
  const child = new Child({
    name: 'sipp',
    command: 'sipp',
    logFile: path.join(folder, 'sipp.log'),
    cwd: folder,
    env: { TERM: 'dumb' },
    args: [
      options.target,
      ...['-sf', projectPath('test/fixtures/sipp', options.scenario)],
      ...['-s', options.user, '-i', '127.0.0.1', '-mi', '127.0.0.1', '-p', '5190'],
      ...['-cp', '8190', '-nostdin', '-t', options.transport === 'tcp' ? 't1' : 'u1'],
      ...['-m', String(calls), '-r', String(callsPerSecond), '-d', String(duration)],
      ...['-timeout', `${Math.ceil(calls / callsPerSecond + duration / 1000 + 40)}s`],
      ...['-timeout_error', '-trace_err', '-error_file', path.join(folder, 'sipp.err')],
      ...['-trace_stat', '-stf', statistics, '-fd', '1s'],
    ],
  });
  const exitCode = await child.exited;
  const last = lastRow(statistics);

  return {
    exitCode,
    successful: Number(last['SuccessfulCall(C)'] ?? 0),
    failed: Number(last['FailedCall(C)'] ?? 0),
    errors: errorsOf(folder),
  };
}

export interface ScenarioOptions {
  /** Of its own: logs. */
  folder: string;
  /** Below test/fixtures/sipp, or a whole path. */
  scenario: string;
  /** Undefined: it waits to be called. */
  target?: string;
  user: string;
  /** Its own; 127.0.0.1 by default. */
  address?: string;
  /** Of its own for each that runs at once: SIPp's SIP port; control and media ports follow from it. */
  port: number;
  /** After which it has failed. */
  seconds: number;
  /** Holds the `media/` that it plays; by default `folder`. */
  cwd?: string;
  /** How often the script is played; 1 by default. */
  calls?: number;
  /** Milliseconds of its `<pause/>`. */
  pause?: number;
  /** [name] in the scenario. */
  keys?: Readonly<Record<string, string>>;
  /** [field0] and the password that [field1], the credentials, is made of. */
  account?: { username: string; password: string };
  /** Messages that cross its own are no reason to give up. */
  takesCrossing?: boolean;
}

export interface ScenarioResult {
  exitCode: number;
  errors: string;
}

/** Plays one call by the script; SIPp ends with 0 when all came as it says. */
export async function runScenario(options: ScenarioOptions): Promise<ScenarioResult> {
  const { folder, cwd = folder } = options;
  const child = new Child({
    name: 'sipp',
    command: 'sipp',
    logFile: path.join(folder, 'sipp.log'),
    cwd,
    env: { TERM: 'dumb' },
    args: scenarioArguments(options),
  });
  const exitCode = await child.exited;

  return { exitCode, errors: exitCode === 0 ? '' : errorsOf(folder) };
}

/** Of the first call of a SIPp at this SIP port. */
export function mediaPort(port: number): number {
  return MEDIA_PORTS + (port - 5000) * 10;
}

/** Every message that the scenario sent and received. */
export function scenarioMessages(folder: string): string {
  return readdirSync(folder).includes('sipp.msg')
    ? readFileSync(path.join(folder, 'sipp.msg'), 'utf8')
    : '';
}

function scenarioArguments(options: ScenarioOptions): string[] {
  const {
    folder,
    target,
    port,
    seconds,
    account,
    pause,
    keys = {},
    takesCrossing,
    calls = 1,
    address = '127.0.0.1',
  } = options;
  const accounts = path.join(folder, 'accounts.csv');
  if (account !== undefined) {
    const { username, password } = account;
    const credentials = `[authentication username=${username} password=${password}]`;
    writeFileSync(accounts, `SEQUENTIAL\n${username};${credentials}\n`);
  }

  return [
    ...(target === undefined ? [] : [target]),
    ...['-sf', path.resolve(projectPath('test/fixtures/sipp'), options.scenario)],
    ...['-s', options.user],
    ...['-i', address, '-mi', address, '-p', String(port), '-cp', String(port + 3000)],
    ...['-mp', String(mediaPort(port))],
    ...[
      '-nostdin',
      '-t',
      'u1',
      '-m',
      String(calls),
      '-timeout',
      `${String(seconds)}s`,
      '-timeout_error',
    ],
    ...['-trace_err', '-error_file', path.join(folder, 'sipp.err')],
    ...['-trace_msg', '-message_file', path.join(folder, 'sipp.msg')],
    ...(pause === undefined ? [] : ['-d', String(pause)]),
    ...(account === undefined ? [] : ['-inf', accounts]),
    ...(takesCrossing === true ? ['-default_behaviors', 'all,-abortunexp'] : []),
    ...Object.entries(keys).flatMap(([name, value]) => ['-key', name, value]),
  ];
}

function errorsOf(folder: string): string {
  return readdirSync(folder).includes('sipp.err')
    ? readFileSync(path.join(folder, 'sipp.err'), 'utf8').slice(-3000)
    : '';
}

/** Headless mu-law of one tone, as `rtp_stream` plays it: one second, repeated by SIPp. */
export function writeMuLaw(file: string, hertz: number): void {
  const encoder = createEncoder(audioCodec('PCMU'), 8000, 20);
  const tone = new ToneSource(hertz, 8000);
  const packets = Array.from({ length: 50 }, () => {
    const packet = new Uint8Array(160);
    encoder.encode(tone.next(160), packet);

    return packet;
  });
  encoder.close();
  writeFileSync(file, Buffer.concat(packets));
}

function lastRow(file: string): Record<string, string> {
  const [header, ...rows] = readFileSync(file, 'utf8').trim().split('\n');
  const names = header?.split(';') ?? [];
  const values = rows.at(-1)?.split(';') ?? [];

  return Object.fromEntries(names.map((name, i) => [name, values[i] ?? '']));
}
