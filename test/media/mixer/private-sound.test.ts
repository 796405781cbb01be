import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { silentLogger, SystemClock } from '../../../base/index.ts';
import type { Sound } from '../../../media/media-api.ts';
import { createMixerPool, type MixerPool, type MixerRoom } from '../../../media/mixer/index.ts';
import { slice, toneLevel } from '../../support/tone-meter.ts';
import { letRun, waitUntil } from '../../support/wait-until.ts';
import { Callers, expectOthersOnly, listen } from './calls-heard.ts';

// Tones are measured in real time, on machines that may be busy.
jest.setTimeout(60_000);

let pool: MixerPool;
const rooms: MixerRoom[] = [];
const callers = new Callers();

beforeAll(async () => {
  pool = await createMixerPool(
    { rtpPortMin: 36_300, rtpPortMax: 36_399, rtpTimeout: 5000, mixerThreads: 2 },
    { clock: new SystemClock(), logger: silentLogger, bindAddress: '127.0.0.1' },
  );
});

afterEach(async () => {
  await Promise.all(rooms.splice(0).map((room) => room.close()));
  await callers.close();
  expect(pool.counters()).toMatchObject({ phoneLegs: 0, rtpPorts: 0 });
});

afterAll(async () => {
  await pool.close();
});

function openRoom(): MixerRoom {
  const room = pool.createRoom();
  rooms.push(room);

  return room;
}

function tone(frequency: number, seconds: number): Sound {
  const samples = new Int16Array(new SharedArrayBuffer(2 * 16_000 * seconds));
  for (let i = 0; i < samples.length; i++) {
    samples[i] = 8000 * Math.sin((2 * Math.PI * frequency * i) / 16_000);
  }

  return { rate: 16_000, samples };
}

describe('sound for one phone', () => {
  it.each(['PCMU', 'opus'] as const)(
    'is heard by that phone and by no other, and its end is told: %s',
    async (codec) => {
      const room = openRoom();
      const [one, other] = [
        await callers.call(room, codec, 440),
        await callers.call(room, codec, 660),
      ];
      const played: unknown[] = [];
      room.events.on('legPlayed', (...event) => played.push(event));
      await room.playTo(one.legId, 7, [tone(1000, 2)]);
      const [heard, elsewhere] = await listen([one, other]);

      expect(toneLevel(slice(heard!, 0.1), 1000)).toBeGreaterThan(-16);
      expect(toneLevel(slice(elsewhere!, 0.1), 1000)).toBeLessThan(-55);
      // As it was sent, −15 dBFS.
      expect(Math.abs(toneLevel(slice(elsewhere!, 0.3, 0.7), 440) + 15)).toBeLessThan(1);
      await waitUntil('its end', () => (played.length > 0 ? undefined : 'none'), 5000);
      expect(played).toEqual([[one.legId, 7, true]]);
      await expectOthersOnly([one, other]);
    },
  );

  it('is heard by all when it is of the room', async () => {
    const room = openRoom();
    const calls = [await callers.call(room, 'PCMU', 440), await callers.call(room, 'opus', 660)];
    await room.playTone([tone(1000, 2)]);
    const heard = await listen(calls);

    for (const signal of heard) {
      expect(toneLevel(slice(signal, 0.1), 1000)).toBeGreaterThan(-16);
    }
  });
});

describe('a phone that goes from one room to another', () => {
  it.each(['the same thread', 'another thread'])(
    'is heard there with the ports that it has, and no longer here: %s',
    async (thread) => {
      const [first, second, third] = [openRoom(), openRoom(), openRoom()];
      const mover = await callers.call(first, 'PCMU', 440);
      const stays = await callers.call(first, 'PCMU', 550);
      // Rooms go to the threads in turn.
      const to = thread === 'the same thread' ? third : second;
      const there = await callers.call(to, 'opus', 660);
      await first.moveLeg(mover.legId, to);
      await letRun(200);

      await expectOthersOnly([{ ...mover, room: to }, there]);
      const [left] = await listen([stays]);
      expect(toneLevel(left!, 440)).toBeLessThan(-60);
      await to.closeLeg(mover.legId);
      expect(pool.counters()).toMatchObject({ phoneLegs: 2, rtpPorts: 4 });
    },
  );
});
