import { createSocket } from 'node:dgram';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { newLegId, silentLogger, SystemClock, type LegId } from '../../../base/index.ts';
import { audioCodec } from '../../../media/codecs.ts';
import type { MediaDirection } from '../../../media/media-api.ts';
import { createMixerPool, type MixerPool, type MixerRoom } from '../../../media/mixer/index.ts';
import { toneLevel } from '../../support/tone-meter.ts';
import { UdpPhone } from '../../support/udp-phone.ts';
import { letRun, waitUntil } from '../../support/wait-until.ts';
import { expectOthersOnly, listen, type Call } from './calls-heard.ts';

const ADDRESS = '127.0.0.1';
const PORT_MIN = 36_000;
const PORT_MAX = 36_099;
const TIMEOUT = 400;

// Threads start and tones are measured in real time, on machines that may be busy.
jest.setTimeout(60_000);

let pool: MixerPool;
const phones: UdpPhone[] = [];

beforeEach(async () => {
  pool = await createMixerPool(
    { rtpPortMin: PORT_MIN, rtpPortMax: PORT_MAX, rtpTimeout: TIMEOUT, mixerThreads: 2 },
    { clock: new SystemClock(), logger: silentLogger, bindAddress: ADDRESS },
  );
});

afterEach(async () => {
  await pool.close();
  await Promise.all(phones.splice(0).map((phone) => phone.close()));
});

async function call(
  room: MixerRoom,
  codec: 'PCMU' | 'PCMA' | 'opus',
  frequency: number,
  options: { ptime?: number; direction?: MediaDirection } = {},
): Promise<Call> {
  const ptime = options.ptime ?? 20;
  const phone = await UdpPhone.open({ codec, frequency, ptime });
  phones.push(phone);
  const legId = newLegId();
  const { rtpPort } = await room.createLeg(legId);
  await room.configureLeg(legId, phone.audio(options.direction, ptime));
  phone.start(rtpPort);

  return { phone, room, legId, rtpPort, frequency };
}

describe('a mixer room', () => {
  it('lets each of three phones hear the two others and not itself, all PCMU', async () => {
    const room = pool.createRoom();
    const calls = [
      await call(room, 'PCMU', 440),
      await call(room, 'PCMU', 660),
      await call(room, 'PCMU', 880),
    ];

    await expectOthersOnly(calls);
  });

  it('mixes PCMU, PCMA and Opus, and packets of 10, 20 and 30 ms', async () => {
    const room = pool.createRoom();
    const calls = [
      await call(room, 'PCMU', 440, { ptime: 30 }),
      await call(room, 'PCMA', 660, { ptime: 10 }),
      await call(room, 'opus', 880),
    ];

    await expectOthersOnly(calls);
  });

  it('keeps rooms apart, each on a thread of its own', async () => {
    const first = await call(pool.createRoom(), 'PCMU', 440);
    const second = await call(pool.createRoom(), 'PCMU', 660);
    const [heard] = await listen([first, second]);

    expect(toneLevel(heard!, 660)).toBeLessThan(-70);
    expect(pool.counters()).toMatchObject({ phoneLegs: 2, rtpPorts: 4 });
  });

  it('sends without a pause while nobody talks, and takes Opus in and out of a call', async () => {
    const room = pool.createRoom();
    const quiet = await call(room, 'PCMU', 440);
    quiet.phone.stop();
    const opus = await call(room, 'opus', 880);
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
    expect([...heard[heard.length - 1]!.payload].every((octet) => octet === 0xff)).toBe(true);
  });

  it('neither hears nor feeds a phone on hold, and both again afterwards', async () => {
    const room = pool.createRoom();
    const held = await call(room, 'PCMU', 440);
    const other = await call(room, 'PCMA', 660);
    const third = await call(room, 'PCMU', 880);
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
    const room = pool.createRoom();
    const muted = await call(room, 'PCMU', 440);
    const other = await call(room, 'PCMU', 660);
    await room.setLegMuted(muted.legId, true);
    const [byMuted, byOther] = await listen([muted, other]);

    expect(toneLevel(byOther!, 440)).toBeLessThan(-70);
    expect(toneLevel(byMuted!, 660)).toBeGreaterThan(-25);
  });

  it('says who speaks, loudest first, and when nobody does any more', async () => {
    const room = pool.createRoom();
    const said: LegId[][] = [];
    room.events.on('speakers', (speakers) => said.push(speakers.map(({ legId }) => legId)));
    const only = await call(room, 'PCMU', 440);
    await waitUntil('the speaker', () => (said.at(-1)?.[0] === only.legId ? undefined : 'unsaid'));
    only.phone.stop();

    await waitUntil('silence', () => (said.at(-1)?.length === 0 ? undefined : 'still speaking'));
  });

  it('reports a phone that vanished once, and none that is on hold', async () => {
    const room = pool.createRoom();
    const timeouts: LegId[] = [];
    room.events.on('legTimeout', (legId) => timeouts.push(legId));
    const gone = await call(room, 'PCMU', 440);
    const held = await call(room, 'PCMU', 660, { direction: 'recvonly' });
    const there = await call(room, 'PCMU', 880);
    gone.phone.stop();
    held.phone.stop();
    await waitUntil('the timeout', () => (timeouts.length > 0 ? undefined : 'none'));
    await letRun(TIMEOUT * 2);

    expect(timeouts).toEqual([gone.legId]);
    expect(there.phone.heard.length).toBeGreaterThan(0);
  });

  it('takes keys out of the audio and reports each once', async () => {
    const room = pool.createRoom();
    const digits: string[] = [];
    room.events.on('legDtmf', (_legId, digit) => digits.push(digit));
    const { phone, rtpPort } = await call(room, 'PCMU', 440);
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

  it('counts what goes in and out, and answers statistics of a leg', async () => {
    const room = pool.createRoom();
    const { legId } = await call(room, 'PCMU', 440);
    await letRun(600);
    const stats = await room.legStats(legId);

    expect(stats.packetsReceived).toBeGreaterThan(20);
    expect(stats.packetsSent).toBeGreaterThan(20);
    expect(stats).toMatchObject({ packetsLost: 0, codec: 'PCMU' });
    await waitUntil('the report', () =>
      pool.counters().rtpPacketsIn > 20 ? undefined : 'not there',
    );
    expect(pool.counters().mixerFrameSeconds.count).toBeGreaterThan(20);
  });
});

describe('the ports of a mixer pool', () => {
  it('are free again after a leg, a room and the pool are closed', async () => {
    const room = pool.createRoom();
    const first = await call(room, 'PCMU', 440);
    await call(room, 'PCMU', 660);
    await room.closeLeg(first.legId);
    expect(pool.counters()).toMatchObject({ phoneLegs: 1, rtpPorts: 2 });
    await expect(bindable(first.rtpPort)).resolves.toBe(true);
    await room.close();

    expect(pool.counters()).toMatchObject({ phoneLegs: 0, rtpPorts: 0 });
    await expect(bindable(first.rtpPort + 3)).resolves.toBe(true);
  });

  it('skips a pair that another process has', async () => {
    const taken = createSocket('udp4');
    await new Promise<void>((resolve) => {
      taken.bind(PORT_MIN + 1, ADDRESS, resolve);
    });
    const { rtpPort } = await call(pool.createRoom(), 'PCMU', 440);
    taken.close();

    expect(rtpPort).toBe(PORT_MIN + 2);
  });

  it('run out as MEDIA_UNAVAILABLE', async () => {
    const room = pool.createRoom();
    const legs = await Promise.all(Array.from({ length: 50 }, () => room.createLeg(newLegId())));
    expect(new Set(legs.map(({ rtpPort }) => rtpPort)).size).toBe(50);

    await expect(room.createLeg(newLegId())).rejects.toMatchObject({ code: 'MEDIA_UNAVAILABLE' });
  });

  it('send a BYE over RTCP when a leg ends', async () => {
    const { room, legId, phone } = await call(pool.createRoom(), 'PCMU', 440);
    await letRun(200);
    await room.closeLeg(legId);

    await waitUntil('the BYE', () => {
      const last = phone.rtcpHeard.at(-1);

      return last !== undefined && Buffer.from(last).includes(Buffer.of(0x81, 203))
        ? undefined
        : 'not there';
    });
  });
});

describe('calls at the wrong moment', () => {
  it('are refused: a leg that does not exist, a room that is closed', async () => {
    const room = pool.createRoom();
    const audio = {
      codec: audioCodec('PCMU'),
      sendPayloadType: 0,
      receivePayloadTypes: new Map([[0, audioCodec('PCMU')]]),
      remoteAddress: ADDRESS,
      remoteRtpPort: 9,
      remoteRtcpPort: 9,
      rtcpMux: false,
      ptime: 20,
      direction: 'sendrecv' as const,
    };
    await expect(room.configureLeg(newLegId(), audio)).rejects.toMatchObject({
      code: 'INVALID_STATE',
    });
    await room.close();

    await expect(room.createLeg(newLegId())).rejects.toMatchObject({ code: 'MEDIA_UNAVAILABLE' });
  });
});

async function bindable(port: number): Promise<boolean> {
  const socket = createSocket('udp4');

  return new Promise((resolve) => {
    socket.once('error', () => {
      resolve(false);
    });
    socket.bind({ port, address: ADDRESS, exclusive: true }, () => {
      socket.close(() => {
        resolve(true);
      });
    });
  });
}
