/** The load generator: a C program beside this file, compiled when it is needed. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { writeTracks } from './load-tracks.ts';

export interface LoadLeg {
  localPort: number;
  /** 0: only receives. */
  remotePort: number;
  track: number;
  phaseUs: number;
  probe: boolean;
}

/** What the generator measured; milliseconds and packets a second. */
export interface LoadReport {
  seconds: number;
  legs: number;
  sent: number;
  sendErrors: number;
  received: number;
  lost: number;
  /** Longer than 40 ms between two packets of a phone. */
  gaps: number;
  longestGapMs: number;
  silentLegs: number;
  leastPerSecond: number;
  mostPerSecond: number;
  /** How much after they were due its own packets left. */
  lateMs: { p50: number; p99: number; max: number };
  cpuSeconds: number;
  /** Leg, 1 for out or 0 for in, microseconds. */
  clicks: [leg: number, out: number, at: number][];
}

export function compileLoad(folder: string): string {
  const program = path.join(folder, 'rtp-load');
  const source = path.join(import.meta.dirname, 'rtp-load.c');
  const { status, stderr } = spawnSync('gcc', ['-O2', '-o', program, source], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`gcc cannot compile the load generator: ${stderr}`);

  return program;
}

export interface LoadPlan {
  folder: string;
  name: string;
  tracks: Uint8Array[][];
  legs: readonly LoadLeg[];
  seconds: number;
  settleSeconds: number;
  core: number;
}

export class RtpLoad {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #reader: Interface;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#reader = createInterface({ input: child.stdout! });
    this.#lines = this.#reader[Symbol.asyncIterator]();
  }

  /** Resolves when its sockets are bound. */
  static async open(program: string, plan: LoadPlan): Promise<RtpLoad> {
    const { folder, name, tracks, legs, seconds, settleSeconds, core } = plan;
    const trackFile = path.join(folder, `${name}.tracks`);
    const legFile = path.join(folder, `${name}.legs`);
    writeFileSync(trackFile, writeTracks(tracks));
    const lines = legs.map(
      ({ localPort, remotePort, track, phaseUs, probe }) =>
        `${localPort} ${remotePort} ${track} ${phaseUs} ${probe ? 1 : 0}\n`,
    );
    writeFileSync(legFile, lines.join(''));
    const args = [program, trackFile, legFile, String(seconds), String(settleSeconds)];
    const child = spawn('taskset', ['-c', String(core), ...args], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const load = new RtpLoad(child);
    await load.#expect('ready');

    return load;
  }

  start(): void {
    this.#child.stdin!.write('\n');
  }

  async measuring(): Promise<void> {
    await this.#expect('measuring');
  }

  async report(): Promise<LoadReport> {
    const { value } = (await this.#lines.next()) as IteratorResult<string, undefined>;
    if (value === undefined) throw new Error('the load generator ended without a report');
    this.#reader.close();
    if (this.#child.exitCode === null) await once(this.#child, 'exit');

    return JSON.parse(value) as LoadReport;
  }

  async #expect(word: string): Promise<void> {
    const { value } = (await this.#lines.next()) as IteratorResult<string, undefined>;
    if (value !== word) throw new Error(`the load generator said "${value}", not "${word}"`);
  }
}
