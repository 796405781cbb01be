import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { BaresipPhone } from '../support/baresip-phone.ts';
import { findBursts } from '../support/burst-meter.ts';
import { launchChromium, RoomPage } from '../support/browser.ts';
import { stopAllChildren } from '../support/child-process.ts';
import { ParleyServer } from '../support/parley-server.ts';
import { projectPath, scratchFolder } from '../support/scratch.ts';
import { readWav, slice, toneLevel } from '../support/tone-meter.ts';
import { letRun, waitUntil } from '../support/wait-until.ts';

const TONE = 620;

const folder = scratchFolder('mixed');
const pages: RoomPage[] = [];
let server: ParleyServer;
let browser: Browser;

beforeAll(async () => {
  server = await ParleyServer.start({ folder });
  browser = await launchChromium();
  pages.push(await RoomPage.join(browser, server, '300', 'Ann'));
});

afterAll(async () => {
  await browser.close();
  await stopAllChildren();
});

describe.each(['pcmu', 'pcma', 'opus'] as const)('a phone (%s) and two pages', (codec) => {
  let phone: BaresipPhone;

  beforeAll(async () => {
    phone = await BaresipPhone.start({
      folder: path.join(folder, codec),
      name: 'reception',
      port: 5070,
      codec,
      tone: TONE,
    });
    await phone.call(server.sipUri('300'));
    // With the first phone one page is there before it, and one comes after it.
    if (pages.length === 1) pages.push(await RoomPage.join(browser, server, '300', 'Bob'));
  });

  it('lists three in both rosters, the phone marked', async () => {
    for (const page of pages) {
      await waitUntil('the roster is whole', async () => {
        const kinds = (await page.roster()).map((row) => row.kind).sort();

        return kinds.join() === 'browser,browser,phone' ? undefined : kinds.join();
      });
      expect((await page.roster()).find((row) => row.kind === 'phone')?.text).toContain(
        'reception',
      );
    }
  });

  it('lets each page hear the tone of the phone', async () => {
    for (const page of pages) {
      await waitUntil('the tone is heard', async () => {
        const { level, beside } = await page.toneLevel(TONE, 1);

        return level > -45 && level - beside > 20
          ? undefined
          : `${level} dB, beside it ${beside} dB\n${page.console}`;
      });
    }
  });

  it('shows who speaks: data-speaking follows the tone', async () => {
    for (const page of pages) await waitForSpeaking(page, true);
    await phone.command('mute');
    for (const page of pages) await waitForSpeaking(page, false);
    await phone.command('mute');
    for (const page of pages) await waitForSpeaking(page, true);
  });

  it("lets the phone hear the beep of Chromium's fake microphone", async () => {
    await letRun(4000);
    if (codec === 'opus') await keepScreenshots();
    await phone.hangUp();
    await phone.stop();

    const recording = readWav(phone.recording());
    const end = recording.samples.length / recording.sampleRate;
    const signal = slice(recording, end - 4, end);
    // Two microphones that beep about once a second each, and silence between the beeps.
    const bursts = findBursts(signal);
    expect(bursts.length).toBeGreaterThanOrEqual(3);
    expect(bursts.length).toBeLessThanOrEqual(20);
    expect(toneLevel(signal, TONE)).toBeLessThan(-50);
  });

  async function waitForSpeaking(page: RoomPage, speaking: boolean): Promise<void> {
    await waitUntil(`the phone is ${speaking ? '' : 'not '}speaking`, async () => {
      const row = (await page.roster()).find((each) => each.kind === 'phone');

      return row?.speaking === speaking ? undefined : `row ${JSON.stringify(row)}`;
    });
  }

  /** The pictures of the README are of this meeting, taken anew when asked for. */
  async function keepScreenshots(): Promise<void> {
    const target = process.env['PARLEY_SCREENSHOTS'] === '1' ? projectPath('docs') : folder;
    await pages[0]!.screenshot(path.join(target, 'stage.png'));
    const visitor = await pages[0]!.context.newPage();
    await visitor.goto(server.url);
    await visitor.screenshot({ path: path.join(target, 'landing.png') });
    await visitor.goto(`${server.url}/room/300?name=Cleo`);
    await visitor.getByTestId('join').waitFor();
    await letRun(1000);
    await visitor.screenshot({ path: path.join(target, 'preview.png') });
    await visitor.close();
  }
});
