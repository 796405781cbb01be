import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BaresipPhone } from '../support/baresip-phone.ts';
import { stopAllChildren } from '../support/child-process.ts';
import { LinphonePhone } from '../support/linphone-phone.ts';
import { ParleyServer } from '../support/parley-server.ts';
import { scratchFolder } from '../support/scratch.ts';
import { waitUntil } from '../support/wait-until.ts';

const SERVER = '127.0.0.1:5060';
const ENV = { SIP_GUESTS: 'false', SIP_T1_MS: '100' };

interface AccountRow {
  username: string;
  registrations: { contact: string; transport: string; source: string }[];
}

describe('phones register', () => {
  const folder = scratchFolder('registrar');
  let server: ParleyServer;
  let phones = 0;

  beforeAll(async () => {
    server = await ParleyServer.start({ folder, env: ENV });
  });

  afterAll(async () => {
    await stopAllChildren();
  });

  async function account(username: string, digest?: string[]): Promise<void> {
    const body = { username, password: `${username}-secret`, ...(digest && { digest }) };
    await server.api('POST', '/accounts', body);
  }

  function phone(
    name: string,
    port: number,
    password = `${name}-secret`,
    transport: 'udp' | 'tcp' = 'udp',
  ): Promise<BaresipPhone> {
    return BaresipPhone.start({
      folder: path.join(folder, `phone${phones++}`),
      name,
      port,
      transport,
      tone: 620,
      account: { server: SERVER, password },
    });
  }

  async function waitForRegistrations(username: string, count: number): Promise<AccountRow> {
    let row: AccountRow | undefined;
    await waitUntil(`${username} has ${count} registrations`, async () => {
      row = await server.api<AccountRow>('GET', `/accounts/${username}`);

      return row.registrations.length === count ? undefined : JSON.stringify(row);
    });

    return row!;
  }

  it('3261-10.3-3 baresip with MD5, two devices of one account, over UDP and TCP', async () => {
    await account('bob');
    const first = await phone('bob', 5070);
    const second = await phone('bob', 5080, undefined, 'tcp');
    const row = await waitForRegistrations('bob', 2);

    expect(row.registrations.map((each) => each.transport).sort()).toEqual(['tcp', 'udp']);
    await first.stop();
    await second.stop();
    await waitForRegistrations('bob', 0);
  });

  it.each(['MD5', 'SHA-256'])('8760-2.3-a linphone registers with %s', async (algorithm) => {
    const username = `lin-${algorithm.toLowerCase()}`;
    await account(username, [algorithm]);
    const linphone = await LinphonePhone.start({
      folder: path.join(folder, `linphone-${username}`),
      username,
      password: `${username}-secret`,
      server: SERVER,
      port: 5090,
    });
    await waitForRegistrations(username, 1);
    await linphone.stop();
  });

  it('3261-22.2-a a wrong password is refused, counted and limited; the right one goes on', async () => {
    await account('carol');
    const right = await phone('carol', 5070);
    await waitForRegistrations('carol', 1);
    const wrong = await phone('carol', 5080, 'not-it');
    await waitUntil('the wrong password is refused', async () => {
      const refused = (await server.metrics()).get(
        'parley_sip_authentications_total{outcome="refused"}',
      );

      return (refused ?? 0) > 0 ? undefined : 'nothing was refused';
    });
    expect((await waitForRegistrations('carol', 1)).registrations[0]!.source).toMatch(/:5070$/);
    await wrong.stop();
    await right.stop();
  });

  it('an account may call where guests may not', async () => {
    await account('dave');
    const dave = await phone('dave', 5070);
    await waitForRegistrations('dave', 1);
    await dave.call(`sip:700@${SERVER}`);
    expect((await server.participants('700')).map((each) => each.kind)).toEqual(['phone']);
    await dave.hangUp();
    await dave.stop();
    const stranger = await BaresipPhone.start({
      folder: path.join(folder, 'stranger'),
      name: 'stranger',
      port: 5080,
    });
    await expect(stranger.call(`sip:700@${SERVER}`)).rejects.toThrow(/401|closed/i);
    await stranger.stop();
  });

  it('bindings survive a restart and still ring; no password is in log, API or store', async () => {
    await account('erin');
    const erin = await phone('erin', 5070);
    const before = await waitForRegistrations('erin', 1);
    const log = server.log;
    expect(await server.stop()).toBe(0);
    server = await ParleyServer.start({ folder, env: ENV });
    expect(await server.api<AccountRow>('GET', '/accounts/erin')).toEqual(before);
    expect(JSON.stringify(before)).not.toContain('secret');
    expect(log).not.toContain('erin-secret');
    expect(log).not.toMatch(/response="?[0-9a-f]{32}/);
    await server.api('POST', '/rooms/710/calls', { uri: 'erin' });
    await erin.waitFor('CALL_INCOMING');
    await erin.command('accept');
    await erin.waitFor('CALL_ESTABLISHED');
    await erin.hangUp();
    await erin.stop();
  });
});
