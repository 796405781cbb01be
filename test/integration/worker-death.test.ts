import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { BaresipPhone } from '../support/baresip-phone.ts';
import { launchChromium, RoomPage } from '../support/browser.ts';
import { stopAllChildren } from '../support/child-process.ts';
import { ParleyServer } from '../support/parley-server.ts';
import { scratchFolder } from '../support/scratch.ts';
import { waitUntil } from '../support/wait-until.ts';

describe('a media worker that dies', () => {
  const folder = scratchFolder('worker-death');
  let server: ParleyServer;
  let browser: Browser;

  beforeAll(async () => {
    server = await ParleyServer.start({ folder });
    browser = await launchChromium();
  });

  afterAll(async () => {
    await browser.close();
    await stopAllChildren();
  });

  it('ends the meeting in words, is replaced, and the next meeting works', async () => {
    const page = await RoomPage.join(browser, server, '1000', 'Ann');
    const phone = await BaresipPhone.start({
      folder: path.join(folder, 'phone'),
      name: 'phone',
      port: 5070,
    });
    await phone.call(server.sipUri('1000'));
    const from = phone.events.length;

    process.kill(mediaWorker(server.child.pid), 'SIGKILL');

    await phone.waitFor('CALL_CLOSED', from);
    await page.page.getByTestId('leave').waitFor({ state: 'detached' });
    await waitUntil('the server is ready again', async () => {
      const response = await fetch(`${server.url}/readyz`);

      return response.status === 200 ? undefined : await response.text();
    });
    expect((await server.metrics()).get('parley_media_worker_deaths_total')).toBe(1);
    await phone.call(server.sipUri('1000'));
    const again = await RoomPage.join(browser, server, '1000', 'Ann');
    await waitUntil('both are in', async () =>
      (await again.roster()).length === 2 ? undefined : 'alone',
    );
    await phone.hangUp();
  });
});

function mediaWorker(parent: number): number {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const [, name, parentPid] = /^\d+ \((.*)\) \S (\d+)/.exec(stat) ?? [];
      if (name?.startsWith('mediasoup') === true && Number(parentPid) === parent)
        return Number(pid);
    } catch {
      // It ended while we looked.
    }
  }
  throw new Error('no media worker found');
}
