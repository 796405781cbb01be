import { pathToFileURL } from 'node:url';
import { resolve } from 'node:path';
import { describe, expect, it, jest } from '@jest/globals';
import { newLegId, silentLogger } from '../../../base/index.ts';
import { createMixerPool, type MixerPool } from '../../../media/mixer/index.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { waitUntil } from '../../support/wait-until.ts';

// Threads start in real time, on machines that may be busy.
jest.setTimeout(60_000);

function start(entry: string, clock: FakeClock): Promise<MixerPool> {
  return createMixerPool(
    { rtpPortMin: 36_200, rtpPortMax: 36_219, rtpTimeout: 30_000, mixerThreads: 1 },
    {
      clock,
      logger: silentLogger,
      entry: pathToFileURL(resolve(__dirname, '../../support', entry)),
    },
  );
}

describe('a mixer thread that dies', () => {
  it('fails its rooms and their calls, frees the ports, and is replaced', async () => {
    const clock = new FakeClock();
    const pool = await start('dying-mixer-thread.mjs', clock);
    expect(pool.unreadyReason()).toBeUndefined();
    const room = pool.createRoom();
    const reasons: string[] = [];
    room.events.on('failed', (reason) => reasons.push(reason));

    await expect(room.createLeg(newLegId())).rejects.toMatchObject({ code: 'MEDIA_UNAVAILABLE' });
    await waitUntil('failed', () => (reasons.length > 0 ? undefined : 'not said'));
    expect(reasons).toHaveLength(1);
    expect(reasons[0]).toContain('dies on purpose');
    expect(pool.counters()).toMatchObject({ phoneLegs: 0, rtpPorts: 0 });
    expect(pool.unreadyReason()).toContain('1 of 1');
    expect(() => pool.createRoom()).toThrow('no mixer thread');
    await expect(room.createLeg(newLegId())).rejects.toMatchObject({ code: 'MEDIA_UNAVAILABLE' });

    clock.advance(1000);
    await waitUntil('the new thread', () => pool.unreadyReason());
    pool.createRoom();
    await pool.close();
    expect(clock.pendingTimers).toBe(0);
  });

  it('at its start, makes the pool fail with the reason', async () => {
    await expect(start('broken-mixer-thread.mjs', new FakeClock())).rejects.toThrow(
      'nothing works here',
    );
  });
});
