import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { chromium, type Browser, type BrowserServer } from 'playwright-core';
import { BaresipPhone } from '../support/baresip-phone.ts';
import { chromiumOptions, RoomPage } from '../support/browser.ts';
import { stopAllChildren } from '../support/child-process.ts';
import { ParleyServer } from '../support/parley-server.ts';
import { scratchFolder } from '../support/scratch.ts';
import { expectSettled, restingResources, type OpenResources } from '../support/settled.ts';
import { waitUntil } from '../support/wait-until.ts';

const ROOM = '400';

/** Short enough for a test; everything else is as in production. */
const QUICK = { RTP_TIMEOUT_S: '3', RECONNECT_TIMEOUT_S: '2', SIP_T1_MS: '50' };

describe('leaving a meeting of a phone and a page', () => {
  const folder = scratchFolder('leaving');
  let server: ParleyServer;
  let browserServer: BrowserServer;
  let browser: Browser;
  let phone: BaresipPhone;
  let page: RoomPage;
  let before: OpenResources;
  let meetings = 0;

  beforeAll(async () => {
    server = await ParleyServer.start({ folder, env: QUICK });
    // What is made once and kept (a mixer thread, say) is made by a first meeting.
    await meet();
    await page.leave();
    await phone.hangUp();
    await endPeers();
    before = await restingResources(server);
  });

  beforeEach(async () => {
    await meet();
  });

  afterEach(async () => {
    await endPeers();
  });

  afterAll(async () => {
    await stopAllChildren();
  });

  async function meet(): Promise<void> {
    browserServer = await chromium.launchServer(chromiumOptions());
    browser = await chromium.connect(browserServer.wsEndpoint());
    page = await RoomPage.join(browser, server, ROOM, 'Ann');
    phone = await BaresipPhone.start({
      folder: path.join(folder, `phone${meetings++}`),
      name: 'reception',
      port: 5070,
      tone: 620,
    });
    await phone.call(server.sipUri(ROOM));
    await waitUntil('both are in', async () => {
      const kinds = (await page.roster()).map((row) => row.kind).sort();

      return kinds.join() === 'browser,phone' ? undefined : kinds.join();
    });
  }

  async function endPeers(): Promise<void> {
    await browserServer.close();
    await phone.stop();
  }

  async function waitForKinds(kinds: string): Promise<void> {
    await waitUntil(`left in the room: ${kinds}`, async () => {
      const left = (await server.participants(ROOM)).map((each) => each.kind).join();

      return left === kinds ? undefined : `"${left}"`;
    });
  }

  async function waitForText(text: RegExp): Promise<void> {
    await waitUntil(`the page says ${String(text)}`, async () => {
      const shown = (await page.page.textContent('body')) ?? '';

      return text.test(shown) ? undefined : shown;
    });
  }

  it('BYE: the phone is gone for the page, and nothing of it stays', async () => {
    await phone.hangUp();
    await waitForKinds('browser');
    await waitUntil('the page sees it', async () =>
      (await page.roster()).length === 1 ? undefined : 'two rows',
    );
    await page.leave();
    await endPeers();
    await expectSettled(server, before);
  });

  it('a closed tab leaves at once', async () => {
    await page.closeTab();
    await waitForKinds('phone');
    await phone.hangUp();
    await endPeers();
    await expectSettled(server, before);
  });

  it('a killed phone sends no BYE: the RTP timeout ends its call', async () => {
    phone.child.kill('SIGKILL');
    await waitForKinds('browser');
    await page.leave();
    await endPeers();
    await expectSettled(server, before);
  });

  it('a killed browser is given up after the time to reconnect', async () => {
    browserServer.process().kill('SIGKILL');
    await waitForKinds('phone');
    await phone.hangUp();
    await endPeers();
    await expectSettled(server, before);
  });

  it('DELETE /rooms/{n}: the phone gets BYE, the page is told', async () => {
    await server.api('DELETE', `/rooms/${ROOM}`);
    await phone.waitFor('CALL_CLOSED');
    await page.page.getByTestId('leave').waitFor({ state: 'detached' });
    await waitForText(/ended|over/i);
    await endPeers();
    await expectSettled(server, before);
  });

  it('SIGTERM: the phone gets BYE, the page a message, and the server exits 0 within 5 s', async () => {
    const started = Date.now();
    const ended = server.stop().then((exit) => ({ exit, afterMs: Date.now() - started }));
    await phone.waitFor('CALL_CLOSED');
    await waitForText(/server/i);
    const { exit, afterMs } = await ended;

    expect(exit).toBe(0);
    expect(afterMs).toBeLessThan(5000);
  });
});
