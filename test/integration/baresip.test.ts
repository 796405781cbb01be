import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BaresipPhone } from '../support/baresip-phone.ts';
import { stopAllChildren } from '../support/child-process.ts';
import { PacketCapture } from '../support/packet-capture.ts';
import { ParleyServer } from '../support/parley-server.ts';
import { projectPath, scratchFolder } from '../support/scratch.ts';
import { lastHeard, untilTone } from '../support/live-recording.ts';
import { rmsLevel } from '../support/tone-meter.ts';
import { letRun, waitUntil } from '../support/wait-until.ts';

const ROOM = '710';
const TLS_SERVER = '127.0.0.1:5061';
const TONE = 530;
const LISTENER_TONE = 670;

/** baresip over TLS with SRTP: registered, calling, holding, transferred to and called over its own connection. */
describe('baresip over TLS', () => {
  const folder = scratchFolder('baresip');
  let server: ParleyServer;
  let bob: BaresipPhone;
  let listener: BaresipPhone;

  beforeAll(async () => {
    server = await ParleyServer.start({
      folder,
      env: {
        TLS_CERT: projectPath('test/fixtures/tls/server.pem'),
        TLS_KEY: projectPath('test/fixtures/tls/server.key'),
      },
    });
    const account = { username: 'bob', password: 'bob-secret', srtp: 'required' };
    await server.api('POST', '/accounts', account);
    await server.api('POST', '/rooms', { number: ROOM, hostPin: '4711' });
    const common = { name: 'bob', port: 5070, tone: TONE } as const;
    bob = await BaresipPhone.start({
      ...common,
      folder: path.join(folder, 'bob'),
      transport: 'tls',
      srtp: 'srtp-mand',
      account: { server: TLS_SERVER, password: 'bob-secret' },
    });
    listener = await BaresipPhone.start({
      folder: path.join(folder, 'listener'),
      name: 'listener',
      port: 5080,
      tone: LISTENER_TONE,
    });
  });

  afterAll(async () => {
    await stopAllChildren();
  });

  async function waitForMembers(names: string): Promise<void> {
    await waitUntil(`${names} are in the room`, async () => {
      const members = (await server.participants(ROOM)).map(({ name }) => name).sort();

      return members.join() === names ? undefined : `[${members.join()}]`;
    });
  }

  it('registers on a connection whose certificate it has checked', async () => {
    await waitUntil('it is registered', async () => {
      const { registrations } = await server.api<{ registrations: { transport: string }[] }>(
        'GET',
        '/accounts/bob',
      );

      return registrations.map(({ transport }) => transport).join() === 'tls'
        ? undefined
        : bob.log.slice(-500);
    });
  });

  it('calls a room by a URI that says its transport twice', async () => {
    await listener.call(server.sipUri(`${ROOM}*4711`));
    await bob.call(`sip:${ROOM}@${TLS_SERVER};transport=tls`);
    expect(bob.log).toMatch(/^INVITE sip:\S+;transport=tls;transport=tls SIP/m);
    expect(bob.log).toMatch(/^m=audio \d+ RTP\/SAVP /m);
    expect(server.log).not.toContain('keys of a call came without TLS');
    await waitForMembers('bob,listener');
  });

  it('3264-8.4-a held, it neither hears nor is heard, and does both again when it resumes', async () => {
    const hearOneAnother = async (): Promise<void> => {
      await untilTone(listener, TONE, (level) => level > -20);
      await untilTone(bob, LISTENER_TONE, (level) => level > -20);
    };
    await hearOneAnother();
    const logged = bob.log.length;
    await bob.command('hold');
    await waitUntil('it holds', () =>
      /^SIP\/2\.0 200 [^]*^a=recvonly/m.test(bob.log.slice(logged)) ? undefined : 'not yet',
    );
    await untilTone(listener, TONE, (level) => level < -50);
    const { min, max } = bob.mediaPorts;
    const capture = await PacketCapture.start(folder, `udp and dst portrange ${min}-${max}`);
    await letRun(2000);
    const packets = await capture.stop();
    expect(packets.filter(({ payload }) => (payload[1]! & 0x7f) < 64)).toEqual([]);
    await bob.command('resume');
    await hearOneAnother();
    await bob.hangUp();
    await listener.stop();
  });

  it('is called with keys through its account over its own connection, and hung up on', async () => {
    const from = bob.events.length;
    const logged = bob.log.length;
    await server.api('POST', `/rooms/${ROOM}/calls`, { uri: 'bob' });
    await bob.waitFor('CALL_INCOMING', from);
    await bob.hears(async () => {
      await bob.command('accept');
      await bob.waitFor('CALL_ESTABLISHED', from);
    });
    await waitForMembers('bob');
    expect(bob.log.slice(logged)).toMatch(/^INVITE [^]*^m=audio \d+ RTP\/SAVP [^]*^a=crypto:1 /m);
    // What it sends is understood, and so is what it is sent: alone, a phone hears music.
    await waitUntil('it is heard', async () => {
      const [member] = await server.participants(ROOM);

      return member?.speaking === true ? undefined : JSON.stringify(member);
    });
    await waitUntil('it hears', () => {
      const level = rmsLevel(lastHeard(bob, 1));

      return level > -45 ? undefined : `${level} dBov`;
    });
    await server.api('DELETE', `/rooms/${ROOM}`);
    await bob.waitFor('CALL_CLOSED', from);
    await waitUntil('no dialog is left', async () => {
      const left = (await server.metrics()).get('parley_sip_dialogs');

      return left === 0 ? undefined : `${left} there`;
    });
  });
});
