import { createSocket } from 'node:dgram';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { newLegId, silentLogger, SystemClock } from '../../../base/index.ts';
import { audioCodec } from '../../../media/codecs.ts';
import { createMixerPool, type MixerPool } from '../../../media/mixer/index.ts';
import { letRun, waitUntil } from '../../support/wait-until.ts';
import { Callers } from './calls-heard.ts';

const ADDRESS = '127.0.0.1';
const PORT_MIN = 36_000;
const PORT_MAX = 36_099;

// Threads start in real time, on machines that may be busy.
jest.setTimeout(60_000);

let pool: MixerPool;
const callers = new Callers();

beforeEach(async () => {
  pool = await createMixerPool(
    { rtpPortMin: PORT_MIN, rtpPortMax: PORT_MAX, rtpTimeout: 30_000, mixerThreads: 2 },
    { clock: new SystemClock(), logger: silentLogger, bindAddress: ADDRESS },
  );
});

afterEach(async () => {
  await pool.close();
  await callers.close();
});

describe('the counters of a mixer pool', () => {
  it('counts what goes in and out, and answers statistics of a leg', async () => {
    const room = pool.createRoom();
    const { legId } = await callers.call(room, 'PCMU', 440);
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
    const first = await callers.call(room, 'PCMU', 440);
    await callers.call(room, 'PCMU', 660);
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
    const { rtpPort } = await callers.call(pool.createRoom(), 'PCMU', 440);
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
    const { room, legId, phone } = await callers.call(pool.createRoom(), 'PCMU', 440);
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
