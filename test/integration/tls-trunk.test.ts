import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { stopAllChildren } from '../support/child-process.ts';
import { ParleyServer } from '../support/parley-server.ts';
import { projectPath, scratchFolder } from '../support/scratch.ts';
import { waitUntil } from '../support/wait-until.ts';

interface TrunkRow {
  status: { state: string; registration: string; reason?: string };
}

const TLS = {
  TLS_CERT: projectPath('test/fixtures/tls/server.pem'),
  TLS_KEY: projectPath('test/fixtures/tls/server.key'),
};
const TRUSTS = { SIP_TLS_CA: projectPath('test/fixtures/tls/ca.pem') };
const NEAR_ENV = { ...TLS, SIP_T1_MS: '100', TRUNK_PROBE_S: '1' };
const FAR_ENV = {
  ...TLS,
  ...TRUSTS,
  HTTP_PORT: '3001',
  SIP_PORT: '5062',
  SIP_TLS_PORT: '5071',
  RTP_PORT_MIN: '30000',
  RTP_PORT_MAX: '30999',
  WEBRTC_PORT: '44448',
  SIP_GUESTS: 'false',
  SIP_T1_MS: '100',
  TRUNK_PROBE_S: '1',
};
const SECRET = 'far-secret';

/** The provider is a second Parley that is reached over TLS alone. */
describe('a trunk over TLS', () => {
  const folder = scratchFolder('tls-trunk');
  let near: ParleyServer;
  let far: ParleyServer;

  beforeAll(async () => {
    for (const name of ['near', 'far']) mkdirSync(path.join(folder, name));
    far = await startFar();
    await far.api('POST', '/accounts', { username: 'office', password: SECRET });
    near = await ParleyServer.start({ folder: path.join(folder, 'near'), env: NEAR_ENV });
    await near.api('POST', '/trunks', {
      name: 'provider',
      host: '127.0.0.1',
      port: 5071,
      transport: 'tls',
      username: 'office',
      password: SECRET,
      register: true,
      didRoutes: [{ did: 'office', room: '850' }],
    });
  });

  afterAll(async () => {
    await stopAllChildren();
  });

  function startFar(): Promise<ParleyServer> {
    return ParleyServer.start({ folder: path.join(folder, 'far'), env: FAR_ENV });
  }

  async function waitForTrunk(
    what: string,
    isIt: (status: TrunkRow['status']) => boolean,
  ): Promise<void> {
    await waitUntil(what, async () => {
      const { status } = await near.api<TrunkRow>('GET', '/trunks/provider');

      return isIt(status) ? undefined : JSON.stringify(status);
    });
  }

  async function waitForPhones(server: ParleyServer, room: string, count: number): Promise<void> {
    await waitUntil(`${count} phones are in ${room}`, async () => {
      const members = await server.participants(room).catch(() => []);

      return members.length === count ? undefined : `${members.length} there`;
    });
  }

  it('5922-7.3-a a far end whose certificate nobody vouches for is not spoken to', async () => {
    await waitForTrunk(
      'it is down',
      ({ state, reason }) =>
        state === 'down' &&
        reason === 'not reachable: self-signed certificate in certificate chain',
    );
    expect(near.log).toContain('self-signed certificate in certificate chain');
    const { registrations } = await far.api<{ registrations: object[] }>('GET', '/accounts/office');
    expect(registrations).toEqual([]);
    expect(await near.stop()).toBe(0);
    near = await ParleyServer.start({
      folder: path.join(folder, 'near'),
      env: { ...NEAR_ENV, ...TRUSTS },
    });
    await waitForTrunk('it is up and registered', ({ state, registration }) => {
      return state === 'up' && registration === 'registered';
    });
  });

  it('takes calls out with digest over the checked connection', async () => {
    await near.api('POST', '/rooms/851/calls', { uri: 'tel:900' });
    await waitForPhones(near, '851', 1);
    await waitForPhones(far, '900', 1);
    const calls = await near.api<{ id: string; direction: string }[]>('GET', '/calls');
    const { ladder } = await near.api<{ ladder: { transport: string; summary: string }[] }>(
      'GET',
      `/calls/${calls[0]!.id}`,
    );
    expect(new Set(ladder.map(({ transport }) => transport))).toEqual(new Set(['TLS']));
    expect(ladder.filter(({ summary }) => summary === 'INVITE')).toHaveLength(2);
    await far.api('DELETE', '/rooms/900');
    await waitForPhones(near, '851', 0);
  });

  it('takes calls in from allowed addresses, over the connection it registered on', async () => {
    await near.api('PATCH', '/trunks/provider', { allowedAddresses: ['127.0.0.0/8'] });
    await waitForTrunk('it registered again', ({ registration }) => registration === 'registered');
    await far.api('POST', '/rooms/901/calls', { uri: 'office' });
    await waitForPhones(near, '850', 1);
    await near.api('DELETE', '/rooms/850');
    await waitForPhones(far, '901', 0);
  });

  it('takes calls in by digest: what the provider says is an account here', async () => {
    await near.api('PATCH', '/trunks/provider', { allowedAddresses: [] });
    await far.api('POST', '/trunks', {
      name: 'customer',
      host: '127.0.0.1',
      port: 5061,
      transport: 'tls',
      username: 'office',
      password: SECRET,
      didRoutes: [],
    });
    await waitUntil('its trunk is up', async () => {
      const { status } = await far.api<TrunkRow>('GET', '/trunks/customer');

      return status.state === 'up' ? undefined : JSON.stringify(status);
    });
    await far.api('POST', '/rooms/902/calls', { uri: 'sip:office@127.0.0.1:5061' });
    await waitForPhones(near, '850', 1);
    await far.api('DELETE', '/rooms/902');
    await waitForPhones(near, '850', 0);
  });

  it('is up, down while the far end is away, and up again when it is back', async () => {
    await waitForTrunk('it is up', ({ state }) => state === 'up');
    expect(await far.stop()).toBe(0);
    await waitForTrunk('it is down', ({ state }) => state === 'down');
    far = await startFar();
    await waitForTrunk('it is up again', ({ state }) => state === 'up');
  });
});
