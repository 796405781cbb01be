import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { launchChromium } from '../support/browser.ts';
import { stopAllChildren } from '../support/child-process.ts';
import { JsSipPage } from '../support/jssip-page.ts';
import { ParleyServer } from '../support/parley-server.ts';
import { projectPath, scratchFolder } from '../support/scratch.ts';
import { waitUntil } from '../support/wait-until.ts';

const TLS = {
  TLS_CERT: projectPath('test/fixtures/tls/server.pem'),
  TLS_KEY: projectPath('test/fixtures/tls/server.key'),
};

describe.each([
  ['ws', {}],
  ['wss', TLS],
])('JsSIP in Chromium over %s', (scheme, env) => {
  const folder = scratchFolder(`jssip-${scheme}`);
  let server: ParleyServer;
  let browser: Browser;
  let phone: JsSipPage;

  beforeAll(async () => {
    server = await ParleyServer.start({ folder, env });
    await server.api('POST', '/accounts', { username: 'web', password: 'web-secret' });
    await server.api('POST', '/rooms', { number: '740' });
    browser = await launchChromium();
    phone = await JsSipPage.open(browser, folder, server.url);
  });

  afterAll(async () => {
    await browser.close();
    await stopAllChildren();
  });

  async function transports(): Promise<string[]> {
    const { registrations } = await server.api<{ registrations: { transport: string }[] }>(
      'GET',
      '/accounts/web',
    );

    return registrations.map(({ transport }) => transport);
  }

  it('7118-5-a registers with digest on its connection', async () => {
    const socket = `${scheme}://127.0.0.1:${server.httpPort}/sip`;
    expect(await phone.register(socket, 'sip:web@127.0.0.1', 'web-secret')).toBe('registered');
    expect(await transports()).toEqual([scheme]);
  });

  it('asks for and is told what there is', async () => {
    expect(await phone.ask('OPTIONS', 'sip:740@127.0.0.1')).toBe(200);
    // It is in no room.
    expect(await phone.ask('MESSAGE', 'sip:740@127.0.0.1')).toBe(403);
  });

  it('calls a room and is in it', async () => {
    expect(await phone.call('sip:740@127.0.0.1')).toBe('confirmed');
    expect(await server.participants('740')).toMatchObject([{ kind: 'phone', state: 'joined' }]);
  });

  it('signs off, and no dialog stays', async () => {
    await phone.stop();
    await waitUntil('no dialog is left', async () => {
      const left = (await server.metrics()).get('parley_sip_dialogs');

      return left === 0 ? undefined : `${left} there`;
    });
    await waitUntil('its registration is gone', async () => {
      const left = await transports();

      return left.length === 0 ? undefined : left.join();
    });
  });
});
