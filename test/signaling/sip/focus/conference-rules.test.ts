import { beforeEach, describe, expect, it } from '@jest/globals';
import type { ParticipantId } from '../../../../base/index.ts';
import { ScriptedPeer } from '../../../support/scripted-peer.ts';
import { sdpText } from '../../../support/sip-wire.ts';
import { child, readXml, type XmlElement } from '../../../support/xml-tree.ts';
import { FocusHarness, ROOM, US, type Phone } from './focus-harness.ts';

const uri = `sip:${ROOM}@10.0.0.1`;
const EVENT: [string, string] = ['Event', 'conference'];

let harness: FocusHarness;

beforeEach(() => {
  harness = new FocusHarness();
});

function dialled(host: string): Promise<Phone> {
  return harness.phone(host, { uri });
}

/** The users of the newest NOTIFY. */
async function users(watcher: Phone): Promise<readonly XmlElement[]> {
  const notifies = await watcher.requests();

  return child(readXml(notifies.at(-1)!.bodyText), 'users')!.children;
}

describe('a conference', () => {
  it('4579-5.1-a is joined by an INVITE to its URI; one that is not there is 404', async () => {
    harness = new FocusHarness({ autoCreate: false });
    await harness.conference.rooms.create({ number: ROOM });
    const phone = await dialled('10.0.0.2');
    expect(phone.peer.response('INVITE').status).toBe(200);
    expect(harness.conference.rooms.get(ROOM)!.joined()).toHaveLength(1);
    const other = await harness.phone('10.0.0.3', { uri: 'sip:777@10.0.0.1' });
    expect(other.peer.response('INVITE').status).toBe(404);
  });

  it('3261-8.2.2.1-a it is the Request-URI that leads there, not To', async () => {
    harness = new FocusHarness({ autoCreate: false });
    await harness.conference.rooms.create({ number: ROOM });
    // To of these is sip:1234@10.0.0.1:5060, which is no room.
    const phone = await dialled('10.0.0.2');
    expect(phone.peer.sent('INVITE').to.uri.text).toBe('sip:1234@10.0.0.1:5060');
    expect(phone.peer.response('INVITE').status).toBe(200);
    const other = await harness.phone('10.0.0.3');
    expect(other.peer.response('INVITE').status).toBe(404);
  });

  it('3261-11.2-a OPTIONS gets what an INVITE would: 404 without a room, 486 when it is full', async () => {
    harness = new FocusHarness({ autoCreate: false });
    const asker = harness.peer('10.0.0.9');
    expect(await asker.send('OPTIONS', { uri })).toBe(404);
    await harness.conference.rooms.create({ number: ROOM, maxParticipants: 1 });
    expect(await asker.send('OPTIONS', { uri })).toBe(200);
    const phone = await dialled('10.0.0.2');
    expect(await asker.send('OPTIONS', { uri })).toBe(486);
    expect(await asker.send('INVITE', { uri, body: sdpText() })).toBe(486);
    expect(await asker.send('OPTIONS', { uri: 'sip:10.0.0.1' })).toBe(200);
    expect(await asker.send('OPTIONS', { uri: 'sip:conference@10.0.0.1' })).toBe(200);
    await phone.inCall('BYE');
    expect(await asker.send('OPTIONS', { uri })).toBe(200);
    // Asking makes no room.
    expect(harness.conference.rooms.list().map(({ number }) => number)).toEqual([ROOM]);
  });

  it('4353-a has one focus at one URI, and a dialog with each participant', async () => {
    const phones = [await dialled('10.0.0.2'), await dialled('10.0.0.3')];
    const answers = phones.map(({ peer }) => peer.response('INVITE'));
    expect(new Set(answers.map(({ headers }) => headers.get('Contact'))).size).toBe(1);
    expect(new Set(answers.map(({ callId, toTag }) => `${callId} ${toTag ?? ''}`)).size).toBe(2);
    expect(harness.conference.rooms.list()).toHaveLength(1);
  });

  it('4353-a its policy is applied before the 2xx: a PIN 403, a full room 486', async () => {
    const { rooms } = harness.conference;
    await rooms.create({ number: ROOM, guestPin: '42', maxParticipants: 1 });
    // Without a PIN it is asked for by voice; a wrong one is refused.
    const wrong = await harness.phone('10.0.0.2', { uri: `sip:${ROOM}*41@10.0.0.1` });
    expect(wrong.peer.response('INVITE').status).toBe(403);
    const withPin = { uri: `sip:${ROOM}*42@10.0.0.1` };
    const phone = await harness.phone('10.0.0.3', withPin);
    expect(phone.peer.response('INVITE').status).toBe(200);
    const late = await harness.phone('10.0.0.4', withPin);
    expect(late.peer.response('INVITE').status).toBe(486);
    expect(rooms.get(ROOM)!.joined()).toHaveLength(1);
  });

  it('4579-3.3-a is for a plain phone too, which is told nothing that it does not know', async () => {
    const plain = await harness.phone('10.0.0.2', { uri, headers: [] });
    const { member } = await harness.browser('Ann');
    member.say('hello');
    await harness.run(6000);
    expect(plain.peer.labels()).toEqual(['200 INVITE']);
    expect(await plain.inCall('BYE')).toBe(200);
    expect(harness.conference.rooms.get(ROOM)!.joined()).toHaveLength(1);
  });

  it('4579-3.1-a Allow-Events stands in its requests and responses', async () => {
    harness = new FocusHarness({ reallyDials: true });
    const phone = await dialled('10.0.0.2');
    expect(phone.peer.response('INVITE').headers.get('Allow-Events')).toBe('conference');
    await phone.send('OPTIONS', { uri });
    expect(phone.peer.response('OPTIONS').headers.get('Allow-Events')).toBe('conference');
    const callee = new ScriptedPeer(harness.wire, { address: '10.0.0.7', port: 5060 }, US);
    await harness.dialOut.start(ROOM, { uri: 'sip:bob@10.0.0.7' });
    await harness.run();
    expect(callee.requestOf('INVITE').headers.get('Allow-Events')).toBe('conference');
  });
});

describe('its roster', () => {
  it('4575-3.3-a lasts an hour when nothing else is asked; another package is 489', async () => {
    await harness.conference.rooms.create({ number: ROOM });
    const watcher = harness.peer('10.0.0.2');
    expect(await watcher.send('SUBSCRIBE', { uri, headers: [EVENT] })).toBe(200);
    expect(watcher.peer.response('SUBSCRIBE').headers.get('Expires')).toBe('3600');
    const other = harness.peer('10.0.0.3');
    expect(await other.send('SUBSCRIBE', { uri, headers: [['Event', 'presence']] })).toBe(489);
    expect(other.peer.response('SUBSCRIBE').headers.get('Allow-Events')).toBe('conference');
  });

  it('4575-3.6-a is told when somebody joins, and when somebody leaves', async () => {
    await harness.conference.rooms.create({ number: ROOM });
    const watcher = harness.peer('10.0.0.9');
    await watcher.send('SUBSCRIBE', { uri, headers: [EVENT] });
    expect(await users(watcher)).toEqual([]);
    const phone = await dialled('10.0.0.2');
    await harness.run(6000);
    expect((await users(watcher)).map(({ attributes }) => attributes['state'])).toEqual(['full']);
    await phone.inCall('BYE');
    await harness.run(6000);
    expect(await watcher.requests()).toMatchObject([{ method: 'NOTIFY' }]);
  });

  it('4575-4.5-a names each user once: two phones of one address are its endpoints', async () => {
    await dialled('10.0.0.2');
    await dialled('10.0.0.3');
    const watcher = harness.peer('10.0.0.9');
    await watcher.send('SUBSCRIBE', { uri, headers: [EVENT] });
    const [user, ...others] = await users(watcher);
    expect(others).toEqual([]);
    expect(user?.attributes['entity']).toBe('sip:peer@example.com');
    const entities = user!.children
      .filter(({ name }) => name === 'endpoint')
      .map(({ attributes }) => attributes['entity']);
    expect(new Set(entities).size).toBe(2);
  });

  it('4575-4.5-a who are withheld, or in pages, have each a name of their own', async () => {
    const { member } = await harness.browser('Ann');
    await harness.browser('Ann');
    const watcher = harness.peer('10.0.0.9');
    await watcher.send('SUBSCRIBE', { uri, headers: [EVENT] });
    const entities = (await users(watcher)).map(({ attributes }) => attributes['entity']);
    expect(new Set(entities).size).toBe(2);
    expect(entities).toContain(`sip:${member.id satisfies ParticipantId}@browser.invalid`);
  });
});

describe('a secure call', () => {
  it('3261-26.2.2-a to a SIPS URI, or by a SIPS way, is given a SIPS Contact', async () => {
    const sips = await harness.phone('10.0.0.2', { uri: `sips:${ROOM}@10.0.0.1` });
    expect(sips.peer.response('INVITE').headers.get('Contact')).toBe(
      `<sips:${ROOM}@10.0.0.1:5060>;isfocus`,
    );
    const ways: [string, string, string][] = [
      ['10.0.0.3', '<sips:edge.example.com;lr>', 'sips:'],
      ['10.0.0.4', '<sip:edge.example.com;lr>', 'sip:'],
    ];
    for (const [host, way, scheme] of ways) {
      const headers: [string, string][] = [['Record-Route', way]];
      const phone = harness.peer(host);
      await phone.send('INVITE', { uri, headers, body: sdpText() });
      const contact = phone.peer.response('INVITE').headers.get('Contact') ?? '';
      expect(contact.startsWith(`<${scheme}`)).toBe(true);
    }
  });
});
