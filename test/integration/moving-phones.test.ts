import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { parseRtcp } from '../../media/rtp/index.ts';
import { stopAllChildren } from '../support/child-process.ts';
import { ParleyServer } from '../support/parley-server.ts';
import { writeTonePcap } from '../support/rtp-pcap.ts';
import { scratchFolder } from '../support/scratch.ts';
import { runScenario } from '../support/sipp.ts';
import { SipCaller } from '../support/sip-caller.ts';
import { toneLevel } from '../support/tone-meter.ts';
import { UdpPhone, type HeardPacket } from '../support/udp-phone.ts';
import { letRun, waitUntil } from '../support/wait-until.ts';

const LISTENER = 1010;
/** Samples of a packet of PCMU, and the packets that a tone is looked for in. */
const FRAME = 160;
const WINDOW = 10;
const HEARD_AGAIN_MS = 1000;
const QUARANTINE_MS = 10_000;
const EXHAUSTED = 'parley_rtp_ports_exhausted_total';

interface Caller {
  phone: UdpPhone;
  sip: SipCaller;
}

describe('phones that move', () => {
  const callers: Caller[] = [];

  afterAll(async () => {
    for (const { phone, sip } of callers) {
      sip.close();
      await phone.close();
    }
    await stopAllChildren();
  });

  async function caller(frequency: number, room: string, address = '127.0.0.1'): Promise<Caller> {
    const phone = await UdpPhone.open({ codec: 'PCMU', frequency, address });
    const sip = await SipCaller.open({ server: { address, port: 5060 }, room, phone });
    callers.push({ phone, sip });

    return { phone, sip };
  }

  it('are heard again, and hear, within a second', async () => {
    const server = await ParleyServer.start({
      folder: scratchFolder('moving-phones'),
      // Two phones fill them.
      env: { RTP_PORT_MIN: '40000', RTP_PORT_MAX: '40003' },
    });
    const mover = await caller(440, 'moves');
    const listener = await caller(LISTENER, 'moves');
    await mover.sip.call();
    await listener.sip.call();
    await heardAfter(listener.phone, 440, performance.now());

    // A NAT that binds anew: the same stream, from another port, then from another address.
    await expectFollowed(mover, listener, 660, () => mover.phone.move());
    await expectFollowed(mover, listener, 550, () => mover.phone.move('127.0.0.2'));
    // A phone that says where it went, and begins a new stream there, or goes on with its stream.
    await expectFollowed(mover, listener, 770, async () => {
      await mover.phone.move('127.0.0.3');
      mover.phone.ssrc = 0x770;
      mover.phone.sequenceNumber = 7;
      mover.phone.timestamp = 77;
      expect((await mover.sip.invite()).status).toBe(200);
    });
    await expectFollowed(mover, listener, 880, async () => {
      await mover.phone.move('127.0.0.1');
      expect((await mover.sip.invite()).status).toBe(200);
    });

    await expectFull(server);
    await mover.sip.hangUp();
    const leftAt = performance.now();
    await expectFull(server);
    await letRun(QUARANTINE_MS - (performance.now() - leftAt));
    const next = await caller(990, 'moves');
    await waitUntil('its ports have rested', async () => {
      const { status } = await next.sip.invite();

      return status === 200 ? undefined : `answered with ${status}`;
    });
    next.sip.talk();
    expect(await heardAfter(listener.phone, 990, performance.now())).toBeLessThan(2000);
    for (const { sip } of [listener, next]) await sip.hangUp();
    await expectReports(listener.phone);
    await server.stop();
  });

  /** All ports are taken, or rest after a call. */
  async function expectFull(server: ParleyServer): Promise<void> {
    const before = (await server.metrics()).get(EXHAUSTED) ?? 0;
    const { phone, sip } = await caller(990, 'moves');
    const refusal = await sip.invite();
    expect(refusal.status).toBe(503);
    expect(refusal.headers.get('Retry-After')).toBeDefined();
    expect(server.log).toContain('no free RTP port');
    expect((await server.metrics()).get(EXHAUSTED)).toBe(before + 1);
    expect(phone.heard).toHaveLength(0);
  }

  it('hear one another and SIPp over IPv6, and when they move there', async () => {
    const folder = scratchFolder('phones-ipv6');
    const server = await ParleyServer.start({
      folder,
      env: { SIP_HOST: '::1', PUBLIC_ADDRESS: '::1' },
    });
    const [mover, listener] = [
      await caller(440, 'six', '::1'),
      await caller(LISTENER, 'six', '::1'),
    ];
    await mover.sip.call();
    await listener.sip.call();
    const since = performance.now();
    expect(await heardAfter(listener.phone, 440, since)).toBeLessThan(2000);
    expect(await heardAfter(mover.phone, LISTENER, since)).toBeLessThan(2000);
    await expectFollowed(mover, listener, 660, () => mover.phone.move());
    mkdirSync(path.join(folder, 'media'));
    writeTonePcap(path.join(folder, 'media/audio.pcap'), {
      codec: 'PCMU',
      hertz: 880,
      seconds: 4,
      ssrc: 0x880,
    });
    const joinedAt = performance.now();
    const played = runScenario({
      folder,
      scenario: 'one-codec.xml',
      target: '[::1]:5060',
      address: '::1',
      user: 'six',
      port: 5190,
      seconds: 20,
      pause: 3000,
      keys: { payload: '0', codec: 'PCMU/8000' },
    });
    expect(await heardAfter(listener.phone, 880, joinedAt)).toBeLessThan(5000);
    expect(await played).toEqual({ exitCode: 0, errors: '' });
    for (const { sip } of [mover, listener]) await sip.hangUp();
    await server.stop();
  });
});

/** What the offer asks for (RFC 3611 5.1) is in them, and a good-bye at the end (RFC 3550 6.6). */
async function expectReports({ rtcpHeard }: UdpPhone): Promise<void> {
  const all = (): ReturnType<typeof parseRtcp>[] => rtcpHeard.map((data) => parseRtcp(data));
  const types = (): string[] => [
    ...new Set(all().flatMap((packets) => packets!.map(({ type }) => type))),
  ];
  await waitUntil('the good-bye is here', () =>
    types().includes('BYE') ? undefined : types().join(),
  );
  expect(types().sort()).toEqual(['BYE', 'SDES', 'SR', 'XR']);
  const reports = all();
  const metrics = reports.flat().flatMap((packet) => {
    return packet?.type === 'XR' ? packet.voipMetrics : [];
  });
  expect(metrics.at(-1)!.rFactor).toBeGreaterThan(80);
  expect(metrics.at(-1)!.mosLq).toBeGreaterThan(40);
}

async function expectFollowed(
  mover: Caller,
  listener: Caller,
  tone: number,
  move: () => Promise<void>,
): Promise<void> {
  const since = performance.now();
  mover.phone.setTone(tone);
  await move();
  expect(await heardAfter(listener.phone, tone, since)).toBeLessThan(HEARD_AGAIN_MS);
  const { remoteRtpPort } = mover.phone.audio();
  const first = (): HeardPacket | undefined =>
    mover.phone.heard.find(({ port, at }) => port === remoteRtpPort && at > since);
  await waitUntil('it hears', () => (first() === undefined ? 'silence' : undefined));
  expect(first()!.at - since).toBeLessThan(HEARD_AGAIN_MS);
}

/** Milliseconds from `since` to the first packet of which on the tone is heard. */
async function heardAfter(phone: UdpPhone, frequency: number, since: number): Promise<number> {
  let found = -1;
  await waitUntil(`${frequency} Hz is heard`, () => {
    const first = phone.heard.findIndex(({ at }) => at > since);
    if (first < 0) return 'silence';
    const { samples, sampleRate } = phone.signal(first);
    for (let at = 0; at + WINDOW <= samples.length / FRAME; at++) {
      const heard = { samples: samples.slice(at * FRAME, (at + WINDOW) * FRAME), sampleRate };
      if (toneLevel(heard, frequency) > -30) {
        found = first + at;

        return undefined;
      }
    }

    return 'not heard';
  });

  return phone.heard[found]!.at - since;
}
