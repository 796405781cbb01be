import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { stopAllChildren } from '../support/child-process.ts';
import { ParleyServer } from '../support/parley-server.ts';
import { scratchFolder } from '../support/scratch.ts';
import { waitUntil } from '../support/wait-until.ts';

interface TrunkRow {
  passwordSet: boolean;
  calls: number;
  status: { state: string; registration: string; reason?: string };
}

const FAR_ENV = {
  HTTP_PORT: '3001',
  SIP_PORT: '5062',
  RTP_PORT_MIN: '30000',
  RTP_PORT_MAX: '30999',
  WEBRTC_PORT: '44448',
  SIP_GUESTS: 'false',
  SIP_T1_MS: '100',
  SIP_DIGEST_ALGORITHMS: 'SHA-256,MD5',
};

/** A second Parley is the provider: our trunk is one of its accounts. */
describe('a trunk', () => {
  const folder = scratchFolder('trunks');
  let near: ParleyServer;
  let far: ParleyServer;

  beforeAll(async () => {
    mkdirSync(path.join(folder, 'near'));
    mkdirSync(path.join(folder, 'far'));
    near = await ParleyServer.start({
      folder: path.join(folder, 'near'),
      env: { SIP_T1_MS: '100' },
    });
    far = await ParleyServer.start({ folder: path.join(folder, 'far'), env: FAR_ENV });
    await far.api('POST', '/accounts', { username: 'office', password: 'far-secret' });
    await near.api('POST', '/trunks', {
      name: 'provider',
      host: '127.0.0.1',
      port: 5062,
      transport: 'udp',
      username: 'office',
      password: 'far-secret',
      register: true,
      didRoutes: [{ did: 'office', room: '850' }],
      maxCalls: 1,
      video: true,
    });
  });

  afterAll(async () => {
    await stopAllChildren();
  });

  function trunk(): Promise<TrunkRow> {
    return near.api<TrunkRow>('GET', '/trunks/provider');
  }

  async function waitForPhone(server: ParleyServer, room: string): Promise<void> {
    await waitUntil(`a phone is in ${room}`, async () => {
      const members = await server.participants(room).catch(() => []);

      return members.map(({ kind }) => kind).join() === 'phone' ? undefined : 'not there';
    });
  }

  async function waitUntilEmpty(server: ParleyServer): Promise<void> {
    await waitUntil('the call is over', async () => {
      const dialogs = (await server.metrics()).get('parley_sip_dialogs');

      return dialogs === 0 ? undefined : `${dialogs} dialogs`;
    });
  }

  it('registers there with the first challenge it knows, is probed, and hides its password', async () => {
    await waitUntil('it is registered and up', async () => {
      const { status } = await trunk();
      const isUp = status.state === 'up' && status.registration === 'registered';

      return isUp ? undefined : JSON.stringify(status);
    });
    const text = JSON.stringify(await trunk());
    expect(text).not.toContain('far-secret');
    expect(near.log).not.toContain('far-secret');
    const account = await far.api<{ registrations: object[] }>('GET', '/accounts/office');
    expect(account.registrations).toHaveLength(1);
  });

  it('takes calls out with digest as client, as many as it has lines', async () => {
    const call = { uri: 'tel:900', name: 'Far room' };
    await near.api('POST', '/rooms/851/calls', call);
    await waitForPhone(near, '851');
    await waitForPhone(far, '900');
    expect((await trunk()).calls).toBe(1);
    await waitUntil('they may see each other', async () => {
      const rows = [...(await near.participants('851')), ...(await far.participants('900'))];
      const codecs = rows.map(({ videoReceived = 'none' }) => videoReceived);

      return codecs.every((codec) => codec === codecs[0] && codec !== 'none')
        ? undefined
        : codecs.join();
    });
    await expect(near.api('POST', '/rooms/851/calls', call)).rejects.toThrow(/429 /);
    await near.api('DELETE', '/rooms/851');
    await waitUntilEmpty(near);
    await waitUntilEmpty(far);
    expect((await trunk()).calls).toBe(0);
  });

  it('a number of its own needs digest, or an allowed address, and leads to its room', async () => {
    const dial = (): Promise<unknown> => far.api('POST', '/rooms/901/calls', { uri: 'office' });
    await dial();
    // The provider does not know a password of ours: the number stays closed.
    await waitUntilEmpty(far);
    await expect(near.participants('850')).rejects.toThrow(/404/);
    await near.api('PATCH', '/trunks/provider', { allowedAddresses: ['127.0.0.0/8'] });
    await waitUntil('it registered again', async () =>
      (await trunk()).status.registration === 'registered' ? undefined : 'not yet',
    );
    await dial();
    await waitForPhone(near, '850');
    await far.api('DELETE', '/rooms/901');
    await waitUntilEmpty(near);
  });

  it('is shown as down, with the reason, when the far end is away', async () => {
    expect(await far.stop()).toBe(0);
    await near.api('PATCH', '/trunks/provider', { register: false });
    await waitUntil('it is down', async () => {
      const { status } = await trunk();

      return status.state === 'down' ? undefined : JSON.stringify(status);
    });
    expect((await trunk()).status.reason).toMatch(/no answer|not reachable/);
    await near.api('DELETE', '/trunks/provider');
    await expect(trunk()).rejects.toThrow(/404 .*TRUNK_NOT_FOUND/);
  });
});
