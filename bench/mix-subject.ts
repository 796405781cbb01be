/** A server under a mix load: Parley by SIP calls, Janus by its API; the rest is the same for both. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { BenchCalls } from './bench-calls.ts';
import { SERVER_HTTP, SERVER_MAIN, serverSettings, untilReady } from './bench-server.ts';
import { JanusBridge } from './janus-bridge.ts';
import { BENCH_KEY, type LoadCodec } from './load-tracks.ts';
import { FIRST_PORT } from './mix-legs.ts';

export interface SubjectLeg {
  room: number;
  codec: LoadCodec;
  rtpPort: number;
}

export interface MixSubject {
  readonly name: string;
  readonly pid: number;
  /** Answers where each leg must send its audio to. */
  join(legs: readonly SubjectLeg[]): Promise<number[]>;
  /** Frames that were mixed too late since the start; undefined: it does not tell. */
  lateFrames(): Promise<number | undefined>;
  /** Gives it the time to let go of what it needs no more. */
  settleMemory(): Promise<void>;
  close(): Promise<void>;
}

/** Other work on the machine should not be what is measured; without the right to this it only warns. */
const BEFORE_OTHERS = ['nice', '-n', '-15'];
const COLLECT = path.join(import.meta.dirname, 'collect-garbage.ts');
const COLLECTING_MS = 1500;
const AFTER_START_MS = 3000;
/** Calls that came and went before memory is measured: what the first ones load is no leg's. */
const WARM_UP_CALLS = 20;

export async function startParley(
  folder: string,
  core: number,
  srtp: boolean,
): Promise<MixSubject> {
  const first = ['-c', String(core), ...BEFORE_OTHERS];
  const node = [process.execPath, '--expose-gc', '--import', COLLECT, SERVER_MAIN];
  const child = spawn('taskset', [...first, ...node], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      ...process.env,
      ...serverSettings(folder),
      MAX_ROOM_PARTICIPANTS: '5000',
      SIP_RATE_LIMIT: '1000000',
    },
  });
  await untilReady(child);
  const key = srtp ? BENCH_KEY : undefined;
  // A server that is busy with its own start refuses calls.
  await delay(AFTER_START_MS);
  await warmUp(await BenchCalls.open(key));
  const calls = await BenchCalls.open(key);

  return {
    name: 'Parley',
    pid: child.pid!,
    join: (legs) =>
      calls.dial(
        legs.map(({ room, codec, rtpPort }) => ({ room: String(1000 + room), codec, rtpPort })),
      ),
    lateFrames: async () => {
      const text = await (await fetch(`${SERVER_HTTP}/metrics`)).text();

      return Number(/^parley_mixer_late_frames_total (\S+)/m.exec(text)?.[1]);
    },
    settleMemory: async () => {
      for (let i = 0; i < 2; i++) {
        child.kill('SIGUSR2');
        await delay(COLLECTING_MS);
      }
    },
    close: async () => {
      await calls.hangUp();
      await end(child);
    },
  };
}

/** What the rooms mix at: as the peer's own default for G.711, full band for Opus. */
export async function startJanus(
  folder: string,
  core: number,
  codecs: readonly LoadCodec[],
): Promise<MixSubject> {
  const bridge = await JanusBridge.start(folder, core);
  const sampleRate = codecs.includes('opus') ? 48_000 : 16_000;

  return {
    name: 'Janus',
    pid: bridge.process.pid!,
    join: (legs) =>
      bridge.join(
        legs.map((leg) => ({ ...leg, room: leg.room + 1 })),
        sampleRate,
      ),
    lateFrames: () => Promise.resolve(undefined),
    settleMemory: () => delay(COLLECTING_MS),
    close: () => bridge.close(),
  };
}

async function warmUp(calls: BenchCalls): Promise<void> {
  await calls.dial(
    Array.from({ length: WARM_UP_CALLS }, (_unused, index) => ({
      room: '999',
      codec: index % 2 === 0 ? ('opus' as const) : ('PCMU' as const),
      rtpPort: FIRST_PORT + 2 * index,
    })),
  );
  await delay(1000);
  await calls.hangUp();
}

async function end(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}
