import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { BaresipPhone } from '../support/baresip-phone.ts';
import { launchChromium } from '../support/browser.ts';
import { stopAllChildren } from '../support/child-process.ts';
import { JsSipPage } from '../support/jssip-page.ts';
import { ParleyServer } from '../support/parley-server.ts';
import { projectPath, scratchFolder } from '../support/scratch.ts';
import { waitUntil } from '../support/wait-until.ts';
import { WebPhone } from '../support/web-phone.ts';
import { WebRtcPeer } from '../support/webrtc-peer.ts';

const TLS = {
  TLS_CERT: projectPath('test/fixtures/tls/server.pem'),
  TLS_KEY: projectPath('test/fixtures/tls/server.key'),
};

const TONE = 440;

/** M-lines of our last description that bring a picture. */
function receivedVideos(sdp: string): number {
  return sdp
    .split(/^(?=m=)/m)
    .filter((text) => text.startsWith('m=video ') && /^a=send(recv|only)\r?$/m.test(text))
    .filter((text) => /^a=msid:/m.test(text)).length;
}

describe.each([
  ['ws', {}],
  ['wss', TLS],
])('JsSIP in Chromium over %s', (scheme, env) => {
  const folder = scratchFolder(`jssip-${scheme}`);
  let server: ParleyServer;
  let browser: Browser;
  let phone: JsSipPage;
  let speaker: BaresipPhone;

  beforeAll(async () => {
    server = await ParleyServer.start({ folder, env });
    await server.api('POST', '/accounts', { username: 'web', password: 'web-secret' });
    await server.api('POST', '/rooms', { number: '740' });
    await server.api('POST', '/rooms', { number: '742', guestPin: '1234' });
    speaker = await BaresipPhone.start({
      folder: path.join(folder, 'speaker'),
      name: 'speaker',
      port: 5070,
      tone: TONE,
    });
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

  it('and SIP.js are told of streams by one re-INVITE each, in and out', async () => {
    const phones = await Promise.all(
      (['jssip', 'sip.js'] as const).map(async (library) => {
        const webPhone = await WebPhone.start(browser, server, {
          ...{ library, user: library, tone: 0, colour: 'red' },
        });
        await webPhone.call('741');

        return webPhone;
      }),
    );
    const address = { address: '127.0.0.1', port: server.sipPort };
    const count = (): Promise<number[]> =>
      Promise.all(phones.map((each) => each.count('reinvite')));
    const carried = async (): Promise<number[]> => {
      const states = await Promise.all(phones.map((each) => each.state()));

      return states.map(({ remote }) => receivedVideos(remote));
    };
    const see = (videos: number): Promise<void> =>
      waitUntil('all see the others', async () => {
        const seen = await carried();

        return seen.every((each) => each === videos) ? undefined : seen.join();
      });
    await see(1);
    await Promise.all(phones.map((each) => each.settle()));
    const before = await count();
    const peer = await WebRtcPeer.open({ server: address, room: '741', name: 'peer', video: true });
    await peer.call();
    await see(2);
    await peer.hangUp();
    peer.close();
    await see(1);
    await Promise.all(phones.map((each) => each.settle()));
    expect(await count()).toEqual(before.map((each) => each + 2));
    await Promise.all(phones.map((each) => each.hangUp()));
  });

  async function untilMembers(room: string, expected: string[]): Promise<void> {
    await waitUntil(`room ${room} holds [${expected.join()}]`, async () => {
      const now = (await server.participants(room)).map(({ name, muted }) =>
        muted ? `${name} muted` : name,
      );

      return now.join() === expected.join() ? undefined : now.join();
    });
  }

  it('presses keys (RFC 4733 over DTLS-SRTP), also while it is muted', async () => {
    await phone.connected();
    await phone.press('*6');
    await untilMembers('740', ['web muted']);
    await phone.press('*6');
    await untilMembers('740', ['web']);
    await phone.hangUp();
    await untilMembers('740', []);
  });

  it('is asked for a PIN, gives it, and hears the room', async () => {
    await speaker.call(server.sipUri('742*1234'));
    expect(await phone.call('sip:742@127.0.0.1')).toBe('confirmed');
    await phone.connected();
    expect(await server.participants('742')).toHaveLength(1);
    await phone.press('1234#');
    await untilMembers('742', ['speaker', 'web']);
    await phone.hears(TONE);
    await phone.hangUp();
    await untilMembers('742', ['speaker']);
  });

  it('is called by a room, answers, and hears it', async () => {
    await server.api('POST', '/rooms/742/calls', { uri: 'web' });
    await untilMembers('742', ['speaker', 'web']);
    await phone.hears(TONE);
    await phone.press('*6');
    await untilMembers('742', ['speaker', 'web muted']);
    await phone.hangUp();
    await untilMembers('742', ['speaker']);
    await speaker.stop();
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
