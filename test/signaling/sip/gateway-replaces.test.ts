import { describe, expect, it } from '@jest/globals';
import { sdpText } from '../../support/sip-wire.ts';
import { FocusHarness, ROOM, type Phone } from './focus/focus-harness.ts';

const uri = `sip:${ROOM}@10.0.0.1`;
const PEER = { username: 'peer', password: 'secret' };
const OTHER = { username: 'other', password: 'secret' };

async function meeting(guests = true): Promise<FocusHarness> {
  const harness = new FocusHarness({ guests });
  await harness.books.accounts.create(PEER);
  await harness.books.accounts.create(OTHER);

  return harness;
}

function replaces(phone: Phone): [string, string] {
  const { callId, tag } = phone.peer;

  return ['Replaces', `${callId};from-tag=${tag};to-tag=${phone.toTag ?? ''}`];
}

describe('who may take another call’s place', () => {
  it('3891-3-c nobody by From alone: a password is asked for, of the account that is replaced', async () => {
    const harness = await meeting();
    const phone = await harness.phone('10.0.0.2', { uri });
    const device = harness.peer('10.0.0.3');
    const takeOver = (more: [string, string][] = []): Promise<number> =>
      device.send('INVITE', { uri, body: sdpText(), headers: [replaces(phone), ...more] });

    expect(await takeOver()).toBe(401);
    expect(await takeOver(device.credentials('INVITE', OTHER))).toBe(403);
    expect(phone.peer.labels()).not.toContain('BYE');
    expect(await takeOver()).toBe(401);
    expect(await takeOver(device.credentials('INVITE', PEER))).toBe(200);
    expect(phone.peer.labels()).toContain('BYE');
  });

  it('3891-3-c nor a stranger’s call, which has no account: 403', async () => {
    const harness = await meeting();
    const phone = await harness.phone('10.0.0.2', { uri });
    await harness.books.accounts.remove('peer');

    const headers = [replaces(phone)];
    expect(await harness.peer('10.0.0.3').send('INVITE', { uri, body: sdpText(), headers })).toBe(
      403,
    );
  });

  it('3891-3-c whom the replaced one sent (Referred-By), or who comes the same way', async () => {
    const harness = await meeting();
    const phone = await harness.phone('10.0.0.2', { uri });
    const device = harness.peer('10.0.0.3');
    const referred: [string, string] = ['Referred-By', '<sip:peer@example.com>'];
    const headers = [replaces(phone), referred];
    expect(await device.send('INVITE', { uri, body: sdpText(), headers })).toBe(200);

    const another = await harness.phone('10.0.0.4', { uri });
    const again = { uri, body: sdpText(), callId: 'again', headers: [replaces(another)] };
    expect(await another.send('INVITE', again)).toBe(200);
  });

  it('without guests it is asked for a password as every call is, and that one decides', async () => {
    const harness = await meeting(false);
    const phone = harness.peer('10.0.0.2');
    await phone.dial({ uri });
    await phone.dial({ uri, headers: phone.credentials('INVITE', PEER) });
    const device = harness.peer('10.0.0.3');
    const takeOver = (more: [string, string][] = []): Promise<number> =>
      device.send('INVITE', { uri, body: sdpText(), headers: [replaces(phone), ...more] });

    expect(await takeOver([['Referred-By', '<sip:peer@example.com>']])).toBe(401);
    expect(await takeOver(device.credentials('INVITE', PEER))).toBe(200);
    expect(harness.conference.rooms.get(ROOM)!.joined()).toHaveLength(1);
  });
});
