import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { TimerSet, randomToken, toError } from '../../base/index.ts';
import type { Clock, Closeable, Logger } from '../../base/index.ts';
import type { RedisAddress } from './redis-address.ts';
import { claimDataDir } from './redis-owner.ts';

/** `sun_path` holds 108 octets, the terminating zero included (unix(7)); the BSDs give 104. */
const MAX_SOCKET_PATH = 103;
const RESTART_FIRST_MS = 200;
const RESTART_MAX_MS = 5000;
const STOP_MS = 3000;
const KEPT_LINES = 20;

export interface RedisProcessOptions {
  dataDir: string;
  clock: Clock;
  logger: Logger;
  /** The program; another name in tests. */
  command?: string;
}

/**
 * A private redis-server as our child: its data below DATA_DIR, reachable by us alone, started again when
 * it dies. It has a session of its own, so that Ctrl-C on the terminal ends us first and it last.
 */
export class RedisProcess implements Closeable {
  readonly address: RedisAddress;
  readonly #command: string;
  readonly #configPath: string;
  readonly #dir: string;
  readonly #logger: Logger;
  readonly #timers: TimerSet<'restart' | 'kill'>;
  readonly #lastLines: string[] = [];
  #child: ChildProcess | undefined;
  #restarts = 0;
  #closed = false;

  /** Resolves when it takes commands. */
  static async start(options: RedisProcessOptions): Promise<RedisProcess> {
    const dir = join(options.dataDir, 'redis');
    await mkdir(dir, { recursive: true, mode: 0o700 });
    await claimDataDir(dir, options.clock);
    const address = await chooseAddress(dir);
    const configPath = join(dir, 'redis.conf');
    await writeFile(configPath, configText(dir, address), { mode: 0o600 });
    const redis = new RedisProcess(options, dir, configPath, address);
    try {
      await redis.#run();
    } catch (error) {
      await redis.close();
      throw error;
    }

    return redis;
  }

  private constructor(
    options: RedisProcessOptions,
    dir: string,
    configPath: string,
    address: RedisAddress,
  ) {
    this.address = address;
    this.#dir = dir;
    this.#configPath = configPath;
    this.#command = options.command ?? 'redis-server';
    this.#logger = options.logger.child({ tag: 'redis' });
    this.#timers = new TimerSet(options.clock);
    process.on('exit', this.#killNow);
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Stops it after what was written is on the disk. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#timers.stopAll();
    process.off('exit', this.#killNow);
    const child = this.#child;
    if (child?.pid !== undefined && child.exitCode === null && child.signalCode === null) {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      this.#timers.start('kill', STOP_MS, () => child.kill('SIGKILL'));
      await exited;
    }
    this.#timers.close();
    await rm(join(this.#dir, 'owner'), { force: true });
  }

  readonly #killNow = (): void => {
    this.#child?.kill('SIGTERM');
  };

  /** Resolves when the new child is ready, rejects when it ends before. */
  async #run(): Promise<void> {
    const child = spawn(this.#command, [this.#configPath], {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    this.#child = child;
    await new Promise<void>((resolve, reject) => {
      child.once('error', (error) => {
        reject(startError(this.#command, error));
      });
      child.once('exit', (code, signal) => {
        const output = this.#lastLines.join('\n');
        reject(new Error(`redis-server ended at its start (${signal ?? code}): ${output}`));
      });
      const onOutput = (chunk: Buffer): void => {
        const text = chunk.toString();
        this.#keep(text);
        if (/ready to accept connections/i.test(text)) resolve();
      };
      child.stdout.on('data', onOutput);
      child.stderr.on('data', onOutput);
    });
    await writeFile(join(this.#dir, 'owner'), `${process.pid} ${child.pid}\n`, { mode: 0o600 });
    child.once('exit', (code, signal) => {
      this.#onDeath(signal ?? String(code));
    });
    if (child.exitCode !== null || child.signalCode !== null) this.#onDeath('at once');
    this.#restarts = 0;
  }

  #onDeath(how: string): void {
    if (this.#closed) return;
    const delay = Math.min(RESTART_MAX_MS, RESTART_FIRST_MS * 2 ** this.#restarts);
    this.#restarts++;
    this.#logger.error({ how, delay, output: this.#lastLines.slice(-3) }, 'redis-server died');
    this.#timers.start('restart', delay, () => {
      this.#run().catch((error: unknown) => {
        this.#logger.error({ err: toError(error) }, 'redis-server does not start again');
        this.#onDeath('at its start');
      });
    });
  }

  #keep(text: string): void {
    const lines = text.split('\n').filter((line) => line.trim() !== '');
    this.#lastLines.push(...lines.map((line) => line.slice(0, 300)));
    this.#lastLines.splice(0, Math.max(0, this.#lastLines.length - KEPT_LINES));
  }
}

function startError(command: string, error: NodeJS.ErrnoException): Error {
  const missing = error.code === 'ENOENT';

  return missing
    ? new Error(
        `${command} is not installed. Install it (Debian: apt-get install redis-server), or set ` +
          'REDIS_URL to a Redis server of yours.',
        { cause: error },
      )
    : error;
}

/** A socket file in the data folder; where its path is too long for one, a port that asks a password. */
async function chooseAddress(dir: string): Promise<RedisAddress> {
  const path = join(dir, 'redis.sock');
  if (Buffer.byteLength(path) <= MAX_SOCKET_PATH) return { path };

  return { host: '127.0.0.1', port: await freePort(), password: randomToken(24) };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');

  return port;
}

function configText(dir: string, address: RedisAddress): string {
  const listen =
    'path' in address
      ? ['port 0', `unixsocket ${quote(address.path)}`, 'unixsocketperm 700']
      : 'url' in address
        ? []
        : [`port ${address.port}`, `bind ${address.host}`, `requirepass ${address.password}`];

  return [
    ...listen,
    `dir ${quote(dir)}`,
    'daemonize no',
    'appendonly yes',
    'appendfsync everysec',
    'save ""',
    'maxmemory-policy noeviction',
    'loglevel notice',
    '',
  ].join('\n');
}

function quote(text: string): string {
  return `"${text.replace(/[\\"]/g, '\\$&')}"`;
}
