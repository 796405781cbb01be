import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { BaresipPhone } from '../support/baresip-phone.ts';
import { launchChromium, RoomPage } from '../support/browser.ts';
import { stopAllChildren } from '../support/child-process.ts';
import { ParleyServer } from '../support/parley-server.ts';
import { scratchFolder } from '../support/scratch.ts';
import { runSipp } from '../support/sipp.ts';
import { waitUntil } from '../support/wait-until.ts';

describe('a room as a SIP conference', () => {
  const folder = scratchFolder('conference');
  let server: ParleyServer;
  let browser: Browser;
  let page: RoomPage;
  let reception: BaresipPhone;

  beforeAll(async () => {
    server = await ParleyServer.start({ folder });
    await server.api('POST', '/rooms', { number: '400', hostPin: '4711' });
    browser = await launchChromium();
    reception = await BaresipPhone.start({
      folder: path.join(folder, 'reception'),
      name: 'reception',
      port: 5070,
    });
    // The host: only who has proved to be it may call others in.
    await reception.call(server.sipUri('400*4711'));
    page = await RoomPage.join(browser, server, '400', 'Ann');
  });

  afterAll(async () => {
    await browser.close();
    await stopAllChildren();
  });

  const scenario = (name: string) =>
    runSipp({
      folder,
      scenario: name,
      target: `127.0.0.1:${String(server.sipPort)}`,
      user: '400',
      calls: 1,
      callsPerSecond: 1,
      duration: 500,
    });

  it('4575-3.2-a can be watched with SUBSCRIBE', async () => {
    const result = await scenario('subscribe-conference.xml');

    expect(result).toMatchObject({ exitCode: 0, successful: 1, errors: '' });
  });

  it('carries chat lines from a phone to a page and back', async () => {
    const phone = scenario('chat-in-call.xml');
    await page.page.getByTestId('toggle-chat').click();
    const lines = page.page.getByTestId('chat-message');
    await lines.filter({ hasText: 'hello from the desk' }).waitFor({ timeout: 40_000 });
    await page.page.getByTestId('chat-input').fill('hello from the page');
    await page.page.getByTestId('chat-input').press('Enter');

    expect(await phone).toMatchObject({ exitCode: 0, successful: 1 });
    await waitUntil('the page shows both lines', async () =>
      (await lines.count()) === 2 ? undefined : `${String(await lines.count())} of 2`,
    );
    await page.screenshot(path.join(folder, 'chat.png'));
  });

  it('4579-5.5-a calls the phone that a host transfers to, and tells how it went', async () => {
    const desk = await BaresipPhone.start({
      folder: path.join(folder, 'desk'),
      name: 'desk',
      port: 5080,
    });
    const from = reception.events.length;
    await reception.command('transfer', 'sip:desk@127.0.0.1:5080');
    await desk.waitFor('CALL_INCOMING');
    await desk.command('accept');
    await desk.waitFor('CALL_ESTABLISHED');
    // Its call is transferred: it leaves as soon as it is told that the other one is in.
    await waitUntil('the reception has left', () =>
      reception.events.slice(from).some(({ type }) => type === 'CALL_CLOSED')
        ? undefined
        : reception.log.slice(-2000),
    );
    await waitUntil('the desk is in the room', async () => {
      const names = (await server.participants('400')).map((each) => each.name).sort();

      return names.join() === 'Ann,desk' ? undefined : names.join();
    });
    await desk.hangUp();
  });
});
