import { createSocket } from 'node:dgram';
import { afterEach, describe, expect, it } from '@jest/globals';
import { AppError } from '../../base/index.ts';
import { WorkerPool } from '../../media/worker-pool.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { errorLogger } from '../support/error-logger.ts';
import { waitUntil } from '../support/wait-until.ts';
import { testDeps, testSettings } from './media-fixture.ts';

describe('the worker pool', () => {
  let pool: WorkerPool | undefined;

  afterEach(async () => {
    await pool?.close();
    pool = undefined;
  });

  it('puts a room on the least loaded worker', async () => {
    pool = await WorkerPool.start(await testSettings({ workers: 2 }), testDeps);
    const first = await pool.createRouter();
    const second = await pool.createRouter();
    expect(second.webRtcServer.id).not.toBe(first.webRtcServer.id);
    first.router.close();
    const third = await pool.createRouter();
    expect(third.webRtcServer.id).toBe(first.webRtcServer.id);
  });

  it('replaces a worker that was killed, after a pause, and counts it', async () => {
    const clock = new FakeClock();
    pool = await WorkerPool.start(await testSettings(), { ...testDeps, clock });
    const deaths: number[] = [];
    pool.events.on('workerDied', (pid) => deaths.push(pid));
    const { router } = await pool.createRouter();
    await router.createPlainTransport({ listenInfo: { protocol: 'udp', ip: '127.0.0.1' } });
    expect(pool.open().transports).toBe(1);

    const [pid] = pool.pids;
    process.kill(pid!, 'SIGKILL');
    await waitUntil('the death is seen', () => (deaths.length > 0 ? undefined : 'alive'));

    expect(deaths).toEqual([pid]);
    expect(pool.deaths).toBe(1);
    expect(pool.open().transports).toBe(0);
    expect(router.closed).toBe(true);
    expect(pool.unreadyReason()).toMatch(/worker/);
    await expect(pool.createRouter()).rejects.toMatchObject({ code: 'MEDIA_UNAVAILABLE' });

    clock.advance(500);
    await waitUntil('it is replaced', () => pool?.unreadyReason());
    expect(pool.pids).not.toContain(pid);
    await expect(pool.createRouter()).resolves.toBeDefined();
    await pool.close();
    expect(clock.pendingTimers).toBe(0);
  });

  it('lets workers end when the server stops, as Ctrl-C on a terminal makes them', async () => {
    const clock = new FakeClock();
    const errors: string[] = [];
    const logger = errorLogger(errors);
    pool = await WorkerPool.start(await testSettings(), { logger, clock });
    const { router } = await pool.createRouter();
    const [pid] = pool.pids;
    pool.drain();
    process.kill(pid!, 'SIGINT');
    await waitUntil('it is gone', () => (router.closed ? undefined : 'alive'));

    expect(errors).toEqual([]);
    expect(pool.deaths).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  it('tries again, later each time, while the port is taken', async () => {
    const clock = new FakeClock();
    const settings = await testSettings();
    pool = await WorkerPool.start(settings, { ...testDeps, clock });
    process.kill(pool.pids[0]!, 'SIGKILL');
    await waitUntil('the death is seen', () => (pool?.deaths === 1 ? undefined : 'alive'));

    const thief = createSocket('udp4');
    await new Promise<void>((resolve) => thief.bind(settings.webRtcPort, '127.0.0.1', resolve));
    clock.advance(500);
    await waitUntil('the restart failed', () =>
      clock.pendingTimers === 1 ? undefined : 'no second attempt',
    );
    await new Promise<void>((resolve) => thief.close(() => resolve()));
    clock.advance(500);
    expect(pool.unreadyReason()).toBeDefined();
    clock.advance(500);
    await waitUntil('it is replaced', () => pool?.unreadyReason());
    expect(pool.deaths).toBe(1);
  });

  it('says which port is taken and what to do, and leaves no worker behind', async () => {
    const settings = await testSettings({ workers: 2 });
    pool = await WorkerPool.start(settings, testDeps);
    const second = WorkerPool.start(settings, testDeps);
    await expect(second).rejects.toThrow(AppError);
    await expect(second).rejects.toThrow(new RegExp(`${settings.webRtcPort}.*WEBRTC_PORT`));
  });

  it('says what to do when the worker cannot be run', async () => {
    const settings = await testSettings();
    const workerBin = process.env['MEDIASOUP_WORKER_BIN'];
    process.env['MEDIASOUP_WORKER_BIN'] = '/nowhere/mediasoup-worker';
    try {
      await expect(WorkerPool.start(settings, testDeps)).rejects.toThrow(
        /nowhere.*MEDIASOUP_WORKER_BIN/,
      );
    } finally {
      process.env['MEDIASOUP_WORKER_BIN'] = workerBin;
    }
  });

  it('leaves SIGTERM and SIGINT to the process: it drains before its workers end', async () => {
    const count = (): number => process.listenerCount('SIGTERM') + process.listenerCount('SIGINT');
    const before = count();
    pool = await WorkerPool.start(await testSettings(), testDeps);
    expect(count()).toBe(before);
  });

  it('frees its ports when it is closed', async () => {
    const settings = await testSettings({ workers: 2 });
    pool = await WorkerPool.start(settings, testDeps);
    const pids = pool.pids;
    await pool.close();
    for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow(/ESRCH/);
    pool = await WorkerPool.start(settings, testDeps);
    expect(pool.unreadyReason()).toBeUndefined();
  });
});
