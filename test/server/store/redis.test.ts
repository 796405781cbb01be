import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { SystemClock, silentLogger } from '../../../base/index.ts';
import type { RoomNumber } from '../../../base/index.ts';
import {
  RedisBindingStore,
  RedisProcess,
  createRedisClient,
  openStore,
} from '../../../server/store/index.ts';
import type { Store } from '../../../server/store/index.ts';
import { startRedis } from '../../support/redis-for-tests.ts';
import { waitUntil } from '../../support/wait-until.ts';

// Processes start here, on machines that may be busy.
jest.setTimeout(30_000);

const clock = new SystemClock();
const logger = silentLogger;
const room = { number: '1000' as RoomNumber, name: 'Board', createdAt: 5, guestPin: '12' };

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('the private redis-server', () => {
  const open: { close(): Promise<void> }[] = [];

  afterEach(async () => {
    for (const item of open.splice(0)) await item.close();
  });

  /** One that also a failing test leaves no process of. */
  const start = async (): ReturnType<typeof startRedis> => {
    const started = await startRedis();
    open.push(started);

    return started;
  };

  it('stops with us and leaves no process', async () => {
    const { redis, close } = await start();
    const { pid } = redis;
    expect(isAlive(pid!)).toBe(true);
    await close();

    expect(isAlive(pid!)).toBe(false);
  });

  it('says what to do when redis-server is not installed', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'parley-redis-'));
    const starting = RedisProcess.start({ dataDir, clock, logger, command: 'no-redis-server' });

    await expect(starting).rejects.toThrow('apt-get install redis-server');
    await rm(dataDir, { recursive: true });
  });

  it('tells what it said when it does not start', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'parley-redis-'));
    const starting = RedisProcess.start({ dataDir, clock, logger, command: 'false' });

    await expect(starting).rejects.toThrow('ended at its start (1)');
    await rm(dataDir, { recursive: true });
  });

  it('takes a loopback port with a password where the path is too long for a socket', async () => {
    const base = await mkdtemp(join(tmpdir(), 'parley-redis-'));
    const dataDir = join(base, 'x'.repeat(100));
    const store = await openStore({ dataDir, clock, logger, onDegraded: () => undefined });

    open.push(store);
    expect(store.address).toMatchObject({ host: '127.0.0.1', password: expect.any(String) });
    expect(store.unreadyReason()).toBeUndefined();
    await store.close();
    await rm(base, { recursive: true });
  });

  it('refuses a folder that another Parley uses', async () => {
    const { redis, dataDir } = await start();
    // Any living process but us stands for the other Parley.
    const owner = join(dataDir, 'redis', 'owner');
    await writeFile(owner, `${process.ppid} ${redis.pid}\n`);

    await expect(RedisProcess.start({ dataDir, clock, logger })).rejects.toThrow('another Parley');
  });

  it('stops one that a killed Parley left behind, and starts with its data', async () => {
    const left = await start();
    const gone = spawn('true');
    await new Promise((resolve) => gone.once('exit', resolve));
    await writeFile(join(left.dataDir, 'redis', 'owner'), `${gone.pid} ${left.redis.pid}\n`);
    const before = left.redis.pid;
    open.push(await RedisProcess.start({ dataDir: left.dataDir, clock, logger }));

    expect(isAlive(before!)).toBe(false);
  });
});

describe('the store', () => {
  let dataDir: string;
  let store: Store;
  let degraded = 0;
  const open = (): Promise<Store> => {
    return openStore({ dataDir, clock, logger, onDegraded: () => degraded++ });
  };

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'parley-store-'));
    store = await open();
  });

  afterAll(async () => {
    await store.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  it('keeps rooms over a restart', async () => {
    await store.rooms.save(room);
    await store.close();
    store = await open();

    expect(await store.rooms.list()).toEqual([room]);
    expect(await store.rooms.find(room.number)).toEqual(room);
    await store.rooms.remove(room.number);
    expect(await store.rooms.find(room.number)).toBeUndefined();
    expect(degraded).toBe(0);
  });

  it('answers from memory at once while Redis is away, and catches up when it is back', async () => {
    const backAgain = new Promise<void>((resolve) => {
      store.onUp(resolve);
    });
    const owner = join(dataDir, 'redis', 'owner');
    const pid = Number((await readFile(owner, 'utf8')).split(' ')[1]);
    process.kill(pid, 'SIGKILL');
    await waitUntil('the connection notices', () =>
      store.unreadyReason() === undefined ? 'up' : undefined,
    );
    const began = performance.now();
    await store.rooms.save(room);
    expect(await store.rooms.find(room.number)).toEqual(room);
    expect(performance.now() - began).toBeLessThan(1000);
    expect(degraded).toBeGreaterThan(0);
    await backAgain;
    await store.close();
    store = await open();

    expect(await store.rooms.list()).toEqual([room]);
  });
});

describe('what phones and providers need', () => {
  it('bindings are kept until they expire, and Redis forgets them by itself', async () => {
    const { redis, close } = await startRedis();
    const client = createRedisClient(redis.address, {});
    const endpoint = { address: '192.0.2.1', port: 5070 };
    const bindings = new RedisBindingStore(client, clock, logger);
    const binding = {
      contact: 'sip:bob@192.0.2.1:5070',
      params: [],
      callId: 'c',
      cseq: 1,
      expiresAt: clock.wallTime() + 60_000,
      registeredAt: clock.wallTime(),
      path: [],
      flow: { protocol: 'UDP' as const, remote: endpoint, local: endpoint, process: 'p' },
    };
    const entry = { username: 'bob', bindings: [binding] };
    await bindings.save(entry);
    expect(await bindings.list()).toEqual([entry]);
    expect(await bindings.find('bob')).toEqual(entry);
    const left = await client.pttl('parley:bindings:bob');
    expect(left).toBeGreaterThan(50_000);
    expect(left).toBeLessThanOrEqual(60_000);
    await client.set('parley:bindings:carol', '{"bindings":[{}]}');
    expect(await bindings.find('carol')).toBeUndefined();
    await bindings.save({ username: 'bob', bindings: [{ ...binding, expiresAt: 0 }] });
    expect(await bindings.find('bob')).toBeUndefined();
    client.disconnect();
    await close();
  });
});
