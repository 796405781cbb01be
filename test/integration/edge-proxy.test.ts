import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BaresipPhone } from '../support/baresip-phone.ts';
import { stopAllChildren } from '../support/child-process.ts';
import { EDGE, startEdge } from '../support/kamailio.ts';
import { ParleyServer } from '../support/parley-server.ts';
import { scratchFolder } from '../support/scratch.ts';
import { waitUntil } from '../support/wait-until.ts';

const SERVER = '127.0.0.1:5060';
const ROOM = '730';

interface Ladder {
  ladder: { direction: string; remote: string; summary: string; text: string }[];
}

/** All of a phone's messages go through a kamailio that records its route; the phone is at the same host. */
describe.each(['udp', 'tcp'] as const)('a phone behind an edge proxy, over %s', (transport) => {
  const folder = scratchFolder(`edge-${transport}`);
  let server: ParleyServer;
  let bob: BaresipPhone;

  beforeAll(async () => {
    server = await ParleyServer.start({ folder, env: { SIP_GUESTS: 'false' } });
    await server.api('POST', '/accounts', { username: 'bob', password: 'bob-secret' });
    await startEdge(folder);
    bob = await BaresipPhone.start({
      folder: path.join(folder, 'bob'),
      name: 'bob',
      port: 5070,
      tone: 620,
      transport,
      outboundProxy: EDGE,
      account: { server: SERVER, password: 'bob-secret' },
    });
  });

  afterAll(async () => {
    await stopAllChildren();
  });

  /** The call that was begun last; every message of it went to kamailio or came from there. */
  async function ladder(): Promise<string[]> {
    const [call] = await server.api<{ id: string }[]>('GET', '/calls');
    const { ladder: steps } = await server.api<Ladder>('GET', `/calls/${call!.id}`);
    if (transport === 'udp')
      expect(new Set(steps.map(({ remote }) => remote))).toEqual(new Set([EDGE]));
    expect(steps.every(({ remote }) => !remote.endsWith(':5070'))).toBe(true);

    return steps.map(({ text }) => text);
  }

  async function waitForPhones(count: number): Promise<void> {
    await waitUntil(`${count} phones are in the room`, async () => {
      const members = await server.participants(ROOM).catch(() => []);

      return members.length === count ? undefined : `${members.length} there`;
    });
  }

  it('registers with the Path that the proxy gave', async () => {
    await waitUntil('it is registered', async () => {
      const { registrations } = await server.api<{ registrations: object[] }>(
        'GET',
        '/accounts/bob',
      );

      return registrations.length === 1 ? undefined : 'not yet';
    });
  });

  it('3261-12.1.1-a calls, holds and resumes along the recorded route, and hangs up', async () => {
    await bob.call(`sip:${ROOM}@${SERVER}`);
    await waitForPhones(1);
    await bob.command('hold');
    await waitUntil('it holds', async () =>
      (await ladder()).some((text) => text.includes('a=recvonly')) ? undefined : 'not yet',
    );
    await bob.command('resume');
    await waitUntil('it resumed', async () =>
      (await ladder()).at(-1)?.startsWith('ACK ') === true &&
      (await ladder()).filter((text) => text.startsWith('ACK ')).length >= 3
        ? undefined
        : 'not yet',
    );
    expect((await ladder())[0]).toMatch(/^Record-Route: <sip:127\.0\.0\.1:5065;[^>]*lr/m);
    await bob.hangUp();
    await waitForPhones(0);
  });

  it('is called along the Path, and hung up on along the recorded route', async () => {
    const from = bob.events.length;
    await server.api('POST', `/rooms/${ROOM}/calls`, { uri: 'bob' });
    await bob.waitFor('CALL_INCOMING', from);
    await bob.command('accept');
    await bob.waitFor('CALL_ESTABLISHED', from);
    await waitForPhones(1);
    const texts = await ladder();
    expect(texts[0]).toMatch(
      /^INVITE sip:bob\S*@127\.0\.0\.1:5070\S* SIP\/2\.0\r\n[^]*^Route: <sip:127\.0\.0\.1:5065;[^>]*lr/m,
    );
    await server.api('DELETE', `/rooms/${ROOM}`);
    await bob.waitFor('CALL_CLOSED', from);
    await waitUntil('no dialog is left', async () => {
      const left = (await server.metrics()).get('parley_sip_dialogs');

      return left === 0 ? undefined : `${left} there`;
    });
  });
});
