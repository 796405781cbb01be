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

const ROOM = '300';
const TONES = { jssip: 620, 'sip.js': 910, baresip: 440 };

interface Listener {
  readonly console: string;
  toneLevel(frequency: number, seconds: number): Promise<{ level: number; beside: number }>;
}

async function hears(listener: Listener, tone: number): Promise<void> {
  await waitUntil(
    `${tone} Hz is heard`,
    async () => {
      const { level, beside } = await listener.toneLevel(tone, 1);

      return level > -45 && level - beside > 20
        ? undefined
        : `${level} dB, beside it ${beside} dB\n${listener.console}`;
    },
    30_000,
  );
}

async function sees(phone: WebPhone, count: number): Promise<void> {
  let before: Record<string, number> = {};
  await waitUntil(
    `${count} videos run`,
    async () => {
      const { videos, transceivers } = await phone.state();
      const receiving = new Set(
        transceivers.filter(({ direction }) => direction === 'recvonly').map(({ mid }) => mid),
      );
      const times = Object.fromEntries(videos.map(({ mid, time }) => [mid, time]));
      const running = videos.filter(
        ({ mid, time, width }) => receiving.has(mid) && width > 2 && time > (before[mid] ?? time),
      );
      before = times;

      return running.length === count ? undefined : JSON.stringify({ videos, transceivers });
    },
    30_000,
  );
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

  describe.each(['jssip', 'sip.js'] as const)('%s', (library) => {
    it('is heard by the pages', async () => {
      const tone = TONES[library];
      phones[library] = await WebPhone.start(browser, server, {
        library,
        tone,
        user: library,
        ...(library === 'jssip' && { colour: 'red' }),
      });
      await phones[library].call(ROOM);
      for (const page of pages) await hears(page, tone);
    });
  });

  it('JsSIP sees both pages, and hears all', async () => {
    await sees(phones.jssip!, 2);
    await hears(phones.jssip!, TONES.baresip);
    await hears(phones.jssip!, TONES['sip.js']);
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

  // On a busy machine the microphone and the camera of a page may come far apart: then they are two.
  it('one who joins is seen after a re-INVITE, and two who leave are another', async () => {
    const phone = phones.jssip!;
    await phone.settle();
    const before = await phone.count('reinvite');
    const guest = await RoomPage.join(browser, server, ROOM, 'Cat');
    await sees(phone, 3);
    await phone.settle();
    const joined = await phone.count('reinvite');
    expect(joined - before).toBeLessThanOrEqual(2);
    const lines = (await phone.state()).transceivers.length;

    await Promise.all([guest.leave(), pages[1]!.leave()]);
    await sees(phone, 1);
    await phone.settle();
    expect((await phone.count('reinvite')) - joined).toBeLessThanOrEqual(2);

    pages[1] = await RoomPage.join(browser, server, ROOM, 'Dan');
    await sees(phone, 2);
    // The m-lines of those who left are used again (RFC 3264 8).
    expect((await phone.state()).transceivers).toHaveLength(lines);
  });
});
