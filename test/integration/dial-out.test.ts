import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { BaresipPhone } from '../support/baresip-phone.ts';
import { stopAllChildren } from '../support/child-process.ts';
import { ParleyServer } from '../support/parley-server.ts';
import { scratchFolder } from '../support/scratch.ts';
import { waitUntil } from '../support/wait-until.ts';
import { WebRtcPeer } from '../support/webrtc-peer.ts';

const SERVER = '127.0.0.1:5060';
const ROOM = '800';

interface CallRow {
  id: string;
  state: string;
  kind: string;
  status?: number;
  reason?: string;
}

describe('calls out of a room', () => {
  const folder = scratchFolder('dial-out');
  const phones: BaresipPhone[] = [];
  let server: ParleyServer;

  beforeAll(async () => {
    server = await ParleyServer.start({
      folder,
      env: { SIP_T1_MS: '100', DIAL_OUT_PER_ROOM: '2' },
    });
    await server.api('POST', '/accounts', { username: 'bob', password: 'bob-secret', name: 'Bob' });
  });

  afterEach(async () => {
    for (const phone of phones.splice(0)) await phone.stop();
    await waitUntil('no dialog is left', async () => {
      const left = (await server.metrics()).get('parley_sip_dialogs');

      return left === 0 ? undefined : `${left} there`;
    });
  });

  afterAll(async () => {
    await stopAllChildren();
  });

  async function device(
    port: number,
    options: {
      transport?: 'udp' | 'tcp';
      answers?: 'auto';
      account?: false;
      name?: string;
      video?: 'H264';
    } = {},
  ): Promise<BaresipPhone> {
    const { account, ...rest } = options;
    const phone = await BaresipPhone.start({
      folder: path.join(folder, `phone${port}-${Date.now()}`),
      name: 'bob',
      port,
      tone: 620,
      ...rest,
      ...(account !== false && { account: { server: SERVER, password: 'bob-secret' } }),
    });
    phones.push(phone);

    return phone;
  }

  async function waitForDevices(count: number): Promise<void> {
    await waitUntil(`${count} devices`, async () => {
      const { registrations } = await server.api<{ registrations: object[] }>(
        'GET',
        '/accounts/bob',
      );

      return registrations.length === count ? undefined : `${registrations.length} there`;
    });
  }

  function dial(uri: string): Promise<CallRow> {
    return server.api<CallRow>('POST', `/rooms/${ROOM}/calls`, { uri });
  }

  async function waitForState(id: string, state: string): Promise<CallRow> {
    let row: CallRow | undefined;
    await waitUntil(`the call is ${state}`, async () => {
      const rows = await server.api<CallRow[]>('GET', `/rooms/${ROOM}/calls`);
      row = rows.find((each) => each.id === id);

      return row?.state === state ? undefined : `${JSON.stringify(row)}`;
    });

    return row!;
  }

  it('rings all devices of an account, the first that answers is in, the others stop', async () => {
    const first = await device(5070);
    const second = await device(5080, { transport: 'tcp' });
    await waitForDevices(2);
    const call = await dial('sip:bob@127.0.0.1');
    expect(call).toMatchObject({ state: 'calling', kind: 'account' });
    await first.waitFor('CALL_INCOMING');
    await second.waitFor('CALL_INCOMING');
    await waitForState(call.id, 'ringing');
    await second.command('accept');
    await second.waitFor('CALL_ESTABLISHED');
    await first.waitFor('CALL_CLOSED');
    await waitForState(call.id, 'answered');
    const members = await server.participants(ROOM);
    expect(members.map(({ name, kind }) => [name, kind])).toEqual([['Bob', 'phone']]);
    await second.hangUp();
    expect(await waitForState(call.id, 'ended')).toMatchObject({ reason: 'left' });
  });

  it('a refusal ends it; the room closing ends what rings', async () => {
    const phone = await device(5070);
    await waitForDevices(1);
    const refused = await dial('bob');
    await phone.waitFor('CALL_INCOMING');
    await phone.command('hangup');
    expect(await waitForState(refused.id, 'ended')).toMatchObject({ reason: 'rejected' });
    const from = phone.events.length;
    const rings = await dial('bob');
    await phone.waitFor('CALL_INCOMING', from);
    await server.api('DELETE', `/rooms/${ROOM}`);
    await phone.waitFor('CALL_CLOSED', from);
    await waitForState(rings.id, 'ended');
  });

  it('a URI is called directly, and gets video with the first picture; limits hold', async () => {
    const phone = await device(5070, { answers: 'auto', account: false, video: 'H264' });
    const call = await dial('sip:bob@127.0.0.1:5070');
    expect(call.kind).toBe('uri');
    await phone.waitFor('CALL_ESTABLISHED');
    await waitForState(call.id, 'answered');
    const address = { address: '127.0.0.1', port: server.sipPort };
    const peer = await WebRtcPeer.open({ server: address, room: ROOM, name: 'peer', video: true });
    await peer.call();
    await waitUntil('it said that it can do video, and has it', async () => {
      const row = (await server.participants(ROOM)).find(({ name }) => name === 'bob');

      return row?.videoReceived === 'H264' ? undefined : JSON.stringify(row);
    });
    await expect(dial('sip:bob@127.0.0.1')).rejects.toThrow(/409 .*NOT_REGISTERED/);
    await expect(dial('sip:nobody@127.0.0.1')).rejects.toThrow(/404 .*ACCOUNT_NOT_FOUND/);
    await dial('sip:bob@127.0.0.1:5070');
    await expect(dial('sip:bob@127.0.0.1:5070')).rejects.toThrow(/429 .*RATE_LIMITED/);
    await server.api('DELETE', `/rooms/${ROOM}`);
    await phone.waitFor('CALL_CLOSED');
    await waitUntil('the peer is put out', () => (peer.isOver ? undefined : 'not yet'));
    peer.close();
  });

  it('4579-5.5-a a member’s REFER rings an account; outside it leads only hosts who prove it', async () => {
    const bob = await device(5070);
    await waitForDevices(1);
    const guest = await device(5090, { account: false, name: 'guest' });
    await guest.call(server.sipUri(ROOM));
    await guest.command('transfer', 'sip:stranger@127.0.0.1:5099');
    await waitUntil('the call outside is refused', () => counted('uri', 'forbidden'));
    // baresip sends BYE when its REFER is refused, and tells nobody.
    await guest.waitFor('TRANSFER_FAILED');
    const member = await device(5100, { account: false, name: 'member' });
    await member.call(server.sipUri(ROOM));
    await member.command('transfer', 'sip:bob@127.0.0.1');
    await bob.waitFor('CALL_INCOMING');
    await bob.command('accept');
    await bob.waitFor('CALL_ESTABLISHED');
    // It also hangs up when it is told that the other one answered.
    await member.waitFor('CALL_CLOSED');
    await waitUntil('bob is in the room', async () => {
      const names = (await server.participants(ROOM)).map(({ name }) => name);

      return names.join() === 'Bob' ? undefined : names.join();
    });
    await bob.hangUp();
  });

  it('3515-2.4.4-a a phone is sent to another room, and tells how it went', async () => {
    const phone = await device(5090, { account: false });
    await phone.call(server.sipUri(ROOM));
    const [call] = await server.api<{ id: string; to: string }[]>('GET', '/calls');
    const path = `/calls/${call!.id}`;
    await server.api('POST', `${path}/transfer`, { uri: '801' });
    await waitUntil('the phone has moved', async () => {
      const { transfer } = await server.api<{ transfer: { state: string } }>('GET', path);

      return transfer.state === 'completed' ? undefined : transfer.state;
    });
    await waitUntil('it is in the other room', async () => {
      const there = await server.participants('801');
      const rooms = await server.api<{ number: string }[]>('GET', '/rooms');

      return there.length === 1 && rooms.every(({ number }) => number !== ROOM)
        ? undefined
        : rooms.map(({ number }) => number).join();
    });
    await server.api('DELETE', '/rooms/801');
  });

  async function counted(kind: string, outcome: string): Promise<string | undefined> {
    const name = `parley_dial_outs_total{kind="${kind}",outcome="${outcome}"}`;

    return (await server.metrics()).has(name) ? undefined : `no ${name}`;
  }
});
