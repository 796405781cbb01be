import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { silentLogger, SystemClock, type LegId } from '../../../base/index.ts';
import { createMixerPool, type MixerPool, type MixerRoom } from '../../../media/mixer/index.ts';
import { toneLevel } from '../../support/tone-meter.ts';
import { letRun, waitUntil } from '../../support/wait-until.ts';
import { Callers, expectOthersOnly, listen } from './calls-heard.ts';

const TIMEOUT = 400;

// Tones are measured in real time, on machines that may be busy.
jest.setTimeout(60_000);

let pool: MixerPool;
const rooms: MixerRoom[] = [];
const callers = new Callers();

beforeAll(async () => {
  pool = await createMixerPool(
    { rtpPortMin: 36_100, rtpPortMax: 36_199, rtpTimeout: TIMEOUT, mixerThreads: 2 },
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

describe('a mixer room', () => {
  it('lets each of three phones hear the two others and not itself, all PCMU', async () => {
    const room = openRoom();
    const calls = [
      await callers.call(room, 'PCMU', 440),
      await callers.call(room, 'PCMU', 660),
      await callers.call(room, 'PCMU', 880),
    ];

    await expectOthersOnly(calls);
  });

  it('mixes PCMU, PCMA and Opus, and packets of 10, 20 and 30 ms', async () => {
    const room = openRoom();
    const calls = [
      await callers.call(room, 'PCMU', 440, { ptime: 30 }),
      await callers.call(room, 'PCMA', 660, { ptime: 10 }),
      await callers.call(room, 'opus', 880),
    ];

    await expectOthersOnly(calls);
  });

  it('keeps rooms apart, each on a thread of its own', async () => {
    const first = await callers.call(openRoom(), 'PCMU', 440);
    const second = await callers.call(openRoom(), 'PCMU', 660);
    const [heard] = await listen([first, second]);

    expect(toneLevel(heard!, 660)).toBeLessThan(-70);
    expect(pool.counters()).toMatchObject({ phoneLegs: 2, rtpPorts: 4 });
  });

  it('sends without a pause while nobody talks, and takes Opus in and out of a call', async () => {
    const room = openRoom();
    const quiet = await callers.call(room, 'PCMU', 440);
    quiet.phone.stop();
    const opus = await callers.call(room, 'opus', 880);
    await letRun(700);
    await room.closeLeg(opus.legId);
    opus.phone.stop();
    await letRun(700);
    const { heard } = quiet.phone;

    expect(heard.length).toBeGreaterThan(60);
    for (let i = 1; i < heard.length; i++) {
      expect((heard[i]!.sequenceNumber - heard[i - 1]!.sequenceNumber) & 0xffff).toBe(1);
      // More than one packet's worth only where a late thread gave frames up.
      expect(((heard[i]!.timestamp - heard[i - 1]!.timestamp) >>> 0) % 160).toBe(0);
    }
    expect(new Set(heard.map(({ ssrc }) => ssrc)).size).toBe(1);
    // Comfort noise: a few of the smallest steps of µ-law around nothing.
    const magnitudes = [...heard[heard.length - 1]!.payload].map((octet) => ~octet & 0x7f);
    expect(Math.max(...magnitudes)).toBeLessThan(16);
    expect(new Set(magnitudes).size).toBeGreaterThan(2);
  });

  it('neither hears nor feeds a phone on hold, and both again afterwards', async () => {
    const room = openRoom();
    const held = await callers.call(room, 'PCMU', 440);
    const other = await callers.call(room, 'PCMA', 660);
    const third = await callers.call(room, 'PCMU', 880);
    await room.configureLeg(held.legId, held.phone.audio('recvonly'));
    await letRun(100);
    const before = held.phone.heard.length;
    const [, heardByOther] = await listen([held, other]);
    expect(held.phone.heard.length).toBe(before);
    expect(toneLevel(heardByOther!, 440)).toBeLessThan(-60);
    expect(toneLevel(heardByOther!, 880)).toBeGreaterThan(-25);
    await room.configureLeg(held.legId, held.phone.audio('sendrecv'));

    const calls = [held, other, third];
    await expectOthersOnly(calls);
  });

  it('mutes a phone, which still hears', async () => {
    const room = openRoom();
    const muted = await callers.call(room, 'PCMU', 440);
    const other = await callers.call(room, 'PCMU', 660);
    await room.setLegMuted(muted.legId, true);
    const [byMuted, byOther] = await listen([muted, other]);

    expect(toneLevel(byOther!, 440)).toBeLessThan(-70);
    expect(toneLevel(byMuted!, 660)).toBeGreaterThan(-25);
  });

  it('says who speaks, loudest first, and when nobody does any more', async () => {
    const room = openRoom();
    const said: LegId[][] = [];
    room.events.on('speakers', (speakers) => said.push(speakers.map(({ legId }) => legId)));
    const only = await callers.call(room, 'PCMU', 440);
    await waitUntil('the speaker', () => (said.at(-1)?.[0] === only.legId ? undefined : 'unsaid'));
    only.phone.stop();

    await waitUntil('silence', () => (said.at(-1)?.length === 0 ? undefined : 'still speaking'));
  });

  it('reports a phone that vanished once, and none that is on hold', async () => {
    const room = openRoom();
    const timeouts: LegId[] = [];
    room.events.on('legTimeout', (legId) => timeouts.push(legId));
    const gone = await callers.call(room, 'PCMU', 440);
    const held = await callers.call(room, 'PCMU', 660, { direction: 'recvonly' });
    const there = await callers.call(room, 'PCMU', 880);
    gone.phone.stop();
    held.phone.stop();
    await waitUntil('the timeout', () => (timeouts.length > 0 ? undefined : 'none'));
    await letRun(TIMEOUT * 2);

    expect(timeouts).toEqual([gone.legId]);
    expect(there.phone.heard.length).toBeGreaterThan(0);
  });

  it('takes keys out of the audio and reports each once', async () => {
    const room = openRoom();
    const digits: string[] = [];
    room.events.on('legDtmf', (_legId, digit) => digits.push(digit));
    const { phone, rtpPort } = await callers.call(room, 'PCMU', 440);
    for (const [end, duration] of [
      [0, 160],
      [0, 320],
      [0x80, 480],
      [0x80, 480],
      [0x80, 480],
    ] as const) {
      phone.send(rtpPort, 101, Uint8Array.of(7, end | 10, duration >> 8, duration & 0xff));
    }

    await waitUntil('the key', () => (digits.length > 0 ? undefined : 'not reported'));
    await letRun(200);
    expect(digits).toEqual(['7']);
  });
});
