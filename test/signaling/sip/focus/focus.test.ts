/** Size: what phones ask of one room beside their calls, over one harness. */
import { beforeEach, describe, expect, it } from '@jest/globals';
import { child, readXml } from '../../../support/xml-tree.ts';
import { validate } from '../../../support/xmllint.ts';
import { sdpText } from '../../../support/sip-wire.ts';
import { FocusHarness, ROOM, type Phone } from './focus-harness.ts';

let harness: FocusHarness;

beforeEach(() => {
  harness = new FocusHarness();
});

describe('a room is a focus', () => {
  it('4579-4.2-a says isfocus in the Contact of the 2xx to an INVITE', async () => {
    const phone = await harness.phone('10.0.0.2');
    const answer = phone.peer.response('INVITE');

    expect(answer.headers.get('Contact')).toBe('<sip:1234@10.0.0.1:5060>;isfocus');
    expect(answer.headers.get('Allow-Events')).toBe('conference');
  });

  it('4579-4.3-a says isfocus in the 200 to an OPTIONS for a room, and not for the server', async () => {
    const phone = harness.peer('10.0.0.2');
    expect(await phone.send('OPTIONS', { uri: 'sip:1000@10.0.0.1' })).toBe(200);
    expect(phone.peer.response('OPTIONS').headers.get('Contact')).toContain(';isfocus');
    expect(await phone.send('OPTIONS', { uri: 'sip:10.0.0.1' })).toBe(200);
    expect(phone.peer.response('OPTIONS').headers.get('Contact')).not.toContain('isfocus');
  });

  it('leaves a PIN out of the Contact', async () => {
    const phone = await harness.phone('10.0.0.2', { uri: 'sip:1000*4711@10.0.0.1' });

    expect(phone.peer.response('INVITE').headers.get('Contact')).toContain('<sip:1000@');
  });

  it('4579-5.4-a makes a new room for each call to the factory, named in Contact', async () => {
    const uri = 'sip:conference@10.0.0.1';
    const phones = [
      await harness.phone('10.0.0.2', { uri }),
      await harness.phone('10.0.0.3', { uri }),
    ];
    const users = phones.map(
      (phone) =>
        /<sip:(\d+)@.*>;isfocus/.exec(phone.peer.response('INVITE').headers.get('Contact')!)?.[1],
    );

    expect(new Set(users).size).toBe(2);
    expect(
      harness.conference.rooms
        .list()
        .map((room) => room.number)
        .sort(),
    ).toEqual([...users].sort());
  });
});

describe('the roster as an event', () => {
  const uri = `sip:${ROOM}@10.0.0.1`;
  const headers: [string, string][] = [['Event', 'conference']];
  let watcher: Phone;

  beforeEach(async () => {
    await harness.browser('Ann');
    watcher = await harness.phone('10.0.0.2', { uri });
  });

  async function subscribe(): Promise<void> {
    expect(await watcher.send('SUBSCRIBE', { uri, headers, callId: 'watch' })).toBe(200);
  }

  it('4575-3.2-a begins with everybody, then tells changes with versions that rise by one', async () => {
    await subscribe();
    const [first] = await watcher.requests();
    const full = readXml(first!.bodyText);
    expect(first?.headers.get('Content-Type')).toBe('application/conference-info+xml');
    expect(full.attributes).toMatchObject({ state: 'full', version: '1', entity: uri });
    const users = child(full, 'users')!.children;
    expect(users.map((user) => child(user, 'display-text')?.text)).toEqual(['Ann', 'Peer']);
    expect(users[1]?.attributes['entity']).toBe('sip:peer@example.com');

    const { member } = await harness.browser('Bob');
    await harness.run(6000);
    const [second] = await watcher.requests();
    const joined = readXml(second!.bodyText);
    expect(joined.attributes).toMatchObject({ state: 'partial', version: '2' });
    expect(child(joined, 'users')!.children.map((u) => child(u, 'display-text')?.text)).toEqual([
      'Bob',
    ]);
    expect(child(child(joined, 'conference-state')!, 'user-count')?.text).toBe('3');

    await member.leave('left');
    await harness.run(6000);
    const [third] = await watcher.requests();
    const left = readXml(third!.bodyText);
    expect(left.attributes['version']).toBe('3');
    expect(child(left, 'users')!.children[0]?.attributes['state']).toBe('deleted');
    const documents = [first!, second!, third!].map((each) => each.bodyText);
    expect(validate('rfc4575/01-s6-schema.xsd', documents)).toBe('');
  });

  it('4575-5-a shows a phone on hold, and one that the room muted', async () => {
    await subscribe();
    await watcher.requests();
    const status = async (): Promise<(string | undefined)[]> => {
      await harness.run(6000);
      const [notify] = await watcher.requests();
      const endpoint = child(child(readXml(notify!.bodyText), 'users')!.children[0]!, 'endpoint')!;

      return [child(endpoint, 'status')?.text, child(child(endpoint, 'media')!, 'status')?.text];
    };
    await watcher.inCall('INVITE', { uri, body: sdpText({ direction: 'sendonly', version: 2 }) });
    watcher.peer.ack(watcher.peer.response('INVITE'));
    expect(await status()).toEqual(['on-hold', 'sendonly']);
    await watcher.inCall('INVITE', { uri, body: sdpText({ direction: 'inactive', version: 3 }) });
    watcher.peer.ack(watcher.peer.response('INVITE'));
    expect(await status()).toEqual(['on-hold', 'inactive']);
    await watcher.inCall('INVITE', { uri, body: sdpText({ version: 4 }) });
    watcher.peer.ack(watcher.peer.response('INVITE'));
    expect(await status()).toEqual(['connected', 'sendrecv']);
    const phone = harness.conference.rooms
      .get(ROOM)!
      .joined()
      .find((m) => m.kind === 'phone')!;
    await phone.setMuted(true);
    expect((await status())[0]).toBe('muted-via-focus');
  });

  it('4579-5.12-a ends with the conference: terminated;reason=noresource', async () => {
    await subscribe();
    await watcher.requests();
    void harness.conference.rooms.get(ROOM)!.end('room-ended');
    await harness.run();
    const requests = await watcher.requests();

    expect(requests.map((each) => each.method).sort()).toEqual(['BYE', 'NOTIFY']);
    expect(
      requests.find((each) => each.method === 'NOTIFY')?.headers.get('Subscription-State'),
    ).toBe('terminated;reason=noresource');
    expect(harness.focus.subscriptions).toBe(0);
  });

  it('4575-3.5-a is refused to strangers when the room has a PIN, and given to who knows it', async () => {
    await harness.conference.rooms.update(ROOM, { guestPin: '42' });
    const stranger = harness.peer('10.0.0.9');

    expect(await stranger.send('SUBSCRIBE', { uri, headers })).toBe(403);
    expect(
      await stranger.send('SUBSCRIBE', { uri: `sip:${ROOM}*42@10.0.0.1`, headers, callId: 'b' }),
    ).toBe(200);
    await stranger.requests();
    // A member is in already.
    await subscribe();
    await watcher.requests();
  });

  it.each(['before', 'after'])(
    '4579-5.11-a of who is removed ends: terminated;reason=rejected, asked for %s it came in',
    async (when) => {
      const { rooms } = harness.conference;
      const carol = harness.peer('10.0.0.3');
      const from = '<sip:carol@example.com>';
      const ask = { uri, headers, from, callId: 'roster' };
      if (when === 'before') await carol.send('SUBSCRIBE', ask);
      await carol.dial({ uri, from });
      if (when === 'after') await carol.send('SUBSCRIBE', ask);
      await subscribe();
      await Promise.all([carol.requests(), watcher.requests()]);
      const member = rooms.get(ROOM)!.joined().at(-1)!;
      await member.leave('kicked');
      await harness.run(6000);
      const told = await carol.requests();
      // In the order of RFC 4579, figure 11.
      expect(told.map(({ method }) => method)).toEqual(['BYE', 'NOTIFY']);
      const last = told.find(({ method }) => method === 'NOTIFY')!;
      expect(last.headers.get('Subscription-State')).toBe('terminated;reason=rejected');
      // The others are told, and go on.
      const [notify] = await watcher.requests();
      expect(notify?.headers.get('Subscription-State')).toMatch(/^active/);
      expect(harness.focus.subscriptions).toBe(1);
    },
  );

  it('4579-4.1 outlives a BYE of its own, unless only members may see who is there', async () => {
    await subscribe();
    await watcher.requests();
    await watcher.inCall('BYE', { uri });
    await harness.run(6000);
    const [left] = await watcher.requests();
    expect(left?.headers.get('Subscription-State')).toMatch(/^active/);

    await harness.conference.rooms.update(ROOM, { guestPin: '42' });
    await harness.run();
    const [last] = await watcher.requests();
    expect(last?.headers.get('Subscription-State')).toBe('terminated;reason=rejected');
    expect(harness.focus.subscriptions).toBe(0);
  });

  it('4575-3.5-a of a member ends with its call in a room with a PIN, of who knows that it goes on', async () => {
    await subscribe();
    const knowing = harness.peer('10.0.0.9');
    await harness.conference.rooms.update(ROOM, { guestPin: '42' });
    await knowing.send('SUBSCRIBE', { uri: `sip:${ROOM}*42@10.0.0.1`, headers, callId: 'b' });
    await Promise.all([knowing.requests(), watcher.requests()]);
    expect(harness.focus.subscriptions).toBe(2);
    await watcher.inCall('BYE', { uri });
    await harness.run(6000);
    const [last] = await watcher.requests();
    expect(last?.headers.get('Subscription-State')).toBe('terminated;reason=rejected');
    expect(harness.focus.subscriptions).toBe(1);
  });

  it('answers for a room that is not there with 404, for another package with 489', async () => {
    expect(await watcher.send('SUBSCRIBE', { uri: 'sip:777@10.0.0.1', headers, callId: 'x' })).toBe(
      404,
    );
    expect(
      await watcher.send('SUBSCRIBE', { uri, headers: [['Event', 'dialog']], callId: 'y' }),
    ).toBe(489);
  });
});

describe('MESSAGE', () => {
  const uri = `sip:${ROOM}@10.0.0.1`;
  let phone: Phone;

  beforeEach(async () => {
    phone = await harness.phone('10.0.0.2', { uri });
  });

  it('3428-7 in a call is a line of the chat, told to browsers and other phones', async () => {
    const { sink } = await harness.browser('Ann');
    const other = await harness.phone('10.0.0.3', { uri });
    const body = 'Grüße';
    expect(await phone.inCall('MESSAGE', { uri, body, type: 'text/plain;charset=UTF-8' })).toBe(
      200,
    );
    await harness.run();

    expect(sink.events.at(-1)).toMatchObject({
      type: 'chat-message',
      message: { id: 1, name: 'Peer', text: 'Grüße' },
    });
    const [message] = await other.requests();
    expect(message).toMatchObject({ method: 'MESSAGE', bodyText: 'Peer: Grüße' });
    expect(message?.headers.has('Contact')).toBe(false);
    expect((await phone.requests()).length).toBe(0);
  });

  it('is taken beside the call from the same address at the same host, and from nobody else', async () => {
    const parts = { uri, body: 'hello', type: 'text/plain' };
    expect(await phone.send('MESSAGE', { ...parts, callId: 'm1' })).toBe(200);
    expect(await harness.peer('10.0.0.9').send('MESSAGE', parts)).toBe(403);
    expect(await phone.send('MESSAGE', { ...parts, uri: 'sip:777@10.0.0.1', callId: 'm2' })).toBe(
      404,
    );
    expect(
      harness.conference.rooms
        .get(ROOM)!
        .chat()
        .map((line) => line.text),
    ).toEqual(['hello']);
  });

  it('of another type is answered with 415 and Accept, a huge one with 413, a flood with 480', async () => {
    expect(await phone.inCall('MESSAGE', { uri, body: '<x/>', type: 'text/html' })).toBe(415);
    expect(phone.peer.response('MESSAGE').headers.get('Accept')).toBe('text/plain');
    const type = 'text/plain';
    expect(await phone.inCall('MESSAGE', { uri, body: 'x'.repeat(9000), type })).toBe(413);
    const statuses: number[] = [];
    for (let i = 0; i < 20; i++) {
      statuses.push(await phone.inCall('MESSAGE', { uri, body: `line ${String(i)}`, type }));
    }
    expect(new Set(statuses.slice(0, 10))).toEqual(new Set([200]));
    expect(statuses).toContain(480);
  });

  it('3428-8 comes to a phone one at a time, in pieces that fit, and not to one without it in Allow', async () => {
    const deaf = await harness.phone('10.0.0.3', { uri, headers: [['Allow', 'INVITE, ACK, BYE']] });
    const { member } = await harness.browser('Ann');
    member.say('é'.repeat(1000));
    member.say('two');
    await harness.run();
    const first = phone.peer.received.filter((m) => m.kind === 'request' && m.method === 'MESSAGE');
    expect(new Set(first.map((each) => each.via.params.get('branch'))).size).toBe(1);
    const texts = (await phone.requests()).map((each) => each.bodyText);
    expect(texts.join('')).toBe(`Ann: ${'é'.repeat(1000)}Ann: two`);
    expect(Math.max(...texts.map((text) => Buffer.byteLength(text)))).toBeLessThanOrEqual(800);
    expect((await deaf.requests()).length).toBe(0);
  });
});

describe('a SUBSCRIBE inside a call', () => {
  it('6665-4.5.2 is refused with 403 that says why, and the call stays', async () => {
    const harness = new FocusHarness();
    const uri = `sip:${ROOM}@10.0.0.1`;
    const phone = await harness.phone('10.0.0.2', { uri });
    const headers: [string, string][] = [['Event', 'conference']];
    expect(await phone.inCall('SUBSCRIBE', { uri, headers })).toBe(403);
    expect(phone.peer.response('SUBSCRIBE').reason).toBe('Dialog Sharing Not Supported');
    expect(await phone.inCall('OPTIONS', { uri })).toBe(200);
  });
});
