import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { BaresipPhone } from '../support/baresip-phone.ts';
import { launchChromium, RoomPage } from '../support/browser.ts';
import { stopAllChildren } from '../support/child-process.ts';
import { ParleyServer } from '../support/parley-server.ts';
import { scratchFolder } from '../support/scratch.ts';
import { readWav, slice, toneLevel } from '../support/tone-meter.ts';
import { letRun, waitUntil } from '../support/wait-until.ts';
import { WebPhone } from '../support/web-phone.ts';
import { WebRtcPeer } from '../support/webrtc-peer.ts';

const ROOM = '300';
const COLOURS = { jssip: 'red', 'sip.js': 'lime' };
const TONES = { jssip: 620, 'sip.js': 910, baresip: 440 };

interface Listener {
  readonly console: string;
  toneLevel(frequency: number, seconds: number): Promise<{ level: number; beside: number }>;
}

async function hears(listener: Listener, tone: number): Promise<void> {
  await waitUntil(`${tone} Hz is heard`, async () => {
    const { level, beside } = await listener.toneLevel(tone, 1);

    return level > -45 && level - beside > 20
      ? undefined
      : `${level} dB, beside it ${beside} dB\n${listener.console}`;
  });
}

async function sees(phone: WebPhone, count: number): Promise<void> {
  let before: Record<string, number> = {};
  await waitUntil(`${count} videos run`, async () => {
    const { videos, transceivers } = await phone.state();
    const receiving = new Set(
      transceivers.filter(({ direction }) => direction === 'recvonly').map(({ mid }) => mid),
    );
    const times = Object.fromEntries(videos.map(({ mid, time }) => [mid, time]));
    const running = videos.filter(
      ({ mid, time, width }) => receiving.has(mid) && width > 2 && time > (before[mid] ?? time),
    );
    if (running.length === count) return undefined;
    before = times;
    // A busy browser shows few pictures a second.
    await letRun(500);

    return JSON.stringify({ videos, transceivers });
  });
}

describe('web phones in a room with two pages and a phone', () => {
  const folder = scratchFolder('web-phones');
  let server: ParleyServer;
  let browser: Browser;
  let baresip: BaresipPhone;
  const pages: RoomPage[] = [];
  const phones: Partial<Record<'jssip' | 'sip.js', WebPhone>> = {};

  beforeAll(async () => {
    server = await ParleyServer.start({ folder });
    browser = await launchChromium();
    baresip = await BaresipPhone.start({
      folder: path.join(folder, 'phone'),
      name: 'reception',
      port: 5070,
      codec: 'opus',
      tone: TONES.baresip,
    });
    await baresip.call(server.sipUri(ROOM));
    pages.push(await RoomPage.join(browser, server, ROOM, 'Ann'));
    pages.push(await RoomPage.join(browser, server, ROOM, 'Bob'));
  });

  afterAll(async () => {
    await browser.close();
    await stopAllChildren();
  });

  async function join(library: 'jssip' | 'sip.js'): Promise<WebPhone> {
    const tone = TONES[library];
    const phone = await WebPhone.start(browser, server, {
      ...{ library, tone, user: library, colour: COLOURS[library] },
      // What it sends is then known by rids, and not by SSRCs.
      simulcast: library === 'jssip',
    });
    phones[library] = phone;
    await phone.call(ROOM);

    return phone;
  }

  it('JsSIP, which sends in several sizes, sees both pages, and they hear it', async () => {
    await sees(await join('jssip'), 2);
    for (const page of pages) await hears(page, TONES.jssip);
  });

  it('SIP.js, the fourth who can be seen, is one re-INVITE to JsSIP', async () => {
    const phone = phones.jssip!;
    await phone.settle();
    const before = await phone.count('reinvite');
    await join('sip.js');
    await bothSee(3);
    await phone.settle();
    expect((await phone.count('reinvite')) - before).toBe(1);
    for (const page of pages) await hears(page, TONES['sip.js']);
  });

  it('they hear all', async () => {
    await hears(phones.jssip!, TONES.baresip);
    await hears(phones.jssip!, TONES['sip.js']);
    await hears(phones['sip.js']!, TONES.baresip);
    await hears(phones['sip.js']!, TONES.jssip);
  });

  it('the phone without pictures hears them both', async () => {
    await letRun(2000);
    await baresip.hangUp();
    await baresip.stop();
    const recording = readWav(baresip.recording());
    const end = recording.samples.length / recording.sampleRate;
    const signal = slice(recording, end - 2, end);
    expect(toneLevel(signal, TONES.jssip)).toBeGreaterThan(-45);
    expect(toneLevel(signal, TONES['sip.js'])).toBeGreaterThan(-45);
  });

  /** Re-INVITEs that JsSIP and SIP.js got while this was done, once both are at rest. */
  async function reinvitesWhile(act: () => Promise<void>): Promise<number[]> {
    const both = [phones.jssip!, phones['sip.js']!];
    const counts = (): Promise<number[]> =>
      Promise.all(both.map((phone) => phone.count('reinvite')));
    await Promise.all(both.map((phone) => phone.settle()));
    const before = await counts();
    await act();
    await Promise.all(both.map((phone) => phone.settle()));

    return (await counts()).map((count, index) => count - before[index]!);
  }

  async function bothSee(count: number): Promise<void> {
    await Promise.all([sees(phones.jssip!, count), sees(phones['sip.js']!, count)]);
  }

  it('two who leave are one re-INVITE', async () => {
    const ids = (await server.participants(ROOM)).filter(({ kind }) => kind === 'browser');
    const left = await reinvitesWhile(async () => {
      await Promise.all(
        ids.map(({ id }) => server.api('DELETE', `/rooms/${ROOM}/participants/${id}`)),
      );
      await Promise.all(pages.map((page) => page.context.close()));
      await bothSee(1);
    });
    expect(left).toEqual([1, 1]);
  });

  it('one who joins with microphone and camera is one, in m-lines of those who left (RFC 3264 8)', async () => {
    const lines = (): Promise<number[]> =>
      Promise.all(
        [phones.jssip!, phones['sip.js']!].map(
          async (phone) => (await phone.state()).transceivers.length,
        ),
      );
    const before = await lines();
    const joined = await reinvitesWhile(async () => {
      await RoomPage.join(browser, server, ROOM, 'Cat');
      await bothSee(2);
    });
    expect(joined).toEqual([1, 1]);
    expect(await lines()).toEqual(before);
  });

  it('ten who join in 200 ms are at most two re-INVITEs', async () => {
    const { sipPort: port } = server;
    const peers = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        WebRtcPeer.open({
          server: { address: '127.0.0.1', port },
          ...{ room: ROOM, name: `peer ${index}`, video: true },
        }),
      ),
    );
    const joined = await reinvitesWhile(async () => {
      await Promise.all(
        peers.map(async (peer, index) => {
          await letRun(20 * index);
          await peer.call();
        }),
      );
      await waitUntil('all know them', async () => {
        const states = await Promise.all([phones.jssip!, phones['sip.js']!].map((p) => p.state()));
        const seen = states.map(
          ({ transceivers }) =>
            transceivers.filter(
              ({ kind, direction }) => kind === 'video' && /recv/.test(direction ?? ''),
            ).length,
        );

        return seen.every((count) => count === 12) ? undefined : seen.join();
      });
    });
    for (const count of joined) expect([1, 2]).toContain(count);
    await Promise.all(peers.map((peer) => peer.hangUp()));
    for (const peer of peers) peer.close();
  });
});
