import { describe, expect, it } from '@jest/globals';
import { buildResponse, type SipRequest } from '../../../../signaling/sip/message/index.ts';
import { ScriptedPeer } from '../../../support/scripted-peer.ts';
import { sdpText } from '../../../support/sip-wire.ts';
import { FocusHarness, ROOM, US, type Phone } from './focus-harness.ts';

const uri = `sip:${ROOM}@10.0.0.1`;
const BOB = '<sip:bob@10.0.0.7>';

const referTo = (value: string, ...more: [string, string][]) => ({
  uri,
  headers: [['Refer-To', value] as [string, string], ...more],
});

const HOST_PIN = '4711';

/** A room with the phone in it of somebody who has proved to be its host. */
async function meeting(reallyDials = false): Promise<{ harness: FocusHarness; host: Phone }> {
  const harness = new FocusHarness({ reallyDials });
  await harness.conference.rooms.create({ number: ROOM, hostPin: HOST_PIN });
  const host = await harness.phone('10.0.0.2', { uri: `sip:${ROOM}*${HOST_PIN}@10.0.0.1` });

  return { harness, host };
}

function news(requests: readonly SipRequest[]): string[] {
  return requests.map(
    ({ headers, bodyText }) =>
      `${headers.get('Event') ?? ''} ${headers.get('Subscription-State')?.replace(/;expires=\d+/, '') ?? ''} ${bodyText.trim()}`,
  );
}

describe('a REFER in a call', () => {
  it('7647-5 3515-2.4.4-a is accepted with 200 and tells 100, the ringing and the end', async () => {
    const { harness, host } = await meeting();
    expect(
      await host.inCall('REFER', referTo(BOB, ['Referred-By', '<sip:peer@example.com>'])),
    ).toBe(200);
    const [first] = await host.requests();
    expect(first?.headers.get('Content-Type')).toBe('message/sipfrag;version=2.0');
    expect(news([first!])).toEqual(['refer active SIP/2.0 100 Trying']);
    const [asked] = harness.dialled;
    expect(asked).toMatchObject({
      room: ROOM,
      target: { kind: 'uri', uri: 'sip:bob@10.0.0.7' },
      referral: { by: '<sip:peer@example.com>' },
    });
    asked!.onProgress({ state: 'ringing', status: 180 });
    await harness.run();
    asked!.onProgress({ state: 'answered' });
    await harness.run();
    expect(news(await host.requests())).toEqual([
      'refer active SIP/2.0 180 Ringing',
      'refer terminated;reason=noresource SIP/2.0 200 OK',
    ]);
  });

  it('3515-2.4.6-a gives the second one an id: its CSeq', async () => {
    const { host } = await meeting();
    await host.inCall('REFER', referTo(BOB));
    await host.requests();
    await host.inCall('REFER', referTo('<sip:cleo@10.0.0.8>'));
    const [notify] = await host.requests();
    const sequence = host.peer.response('REFER').cseq.sequence;

    expect(notify?.headers.get('Event')).toBe(`refer;id=${String(sequence)}`);
  });

  it.each(['false', 'False ;x=1'])(
    '4488-4-a with Refer-Sub: %s makes no subscription',
    async (value) => {
      const { harness, host } = await meeting();
      await host.inCall('REFER', referTo(BOB, ['Refer-Sub', value]));

      expect(host.peer.response('REFER').headers.get('Refer-Sub')).toBe('false');
      expect(harness.dialled).toHaveLength(1);
      harness.dialled[0]!.onProgress({ state: 'answered' });
      await harness.run();
      expect(await host.requests()).toEqual([]);
    },
  );

  it.each([
    ['without Refer-To', { uri }, 400],
    ['with two', referTo(BOB, ['Refer-To', '<sip:b@10.0.0.8>']), 400],
    ['with a malformed one', referTo('<nonsense'), 400],
    ['of a scheme that we cannot call', referTo('<http://example.com/>'), 416],
    ['of another method', referTo('<sip:bob@10.0.0.7;method=SUBSCRIBE>'), 603],
    ['to a room, which is no account', referTo('<sip:2000@10.0.0.1>'), 404],
  ])('3515-2.4.2-a %s is refused', async (_, parts, status) => {
    const { harness, host } = await meeting();

    expect(await host.inCall('REFER', parts)).toBe(status);
    expect(harness.dialled).toEqual([]);
  });

  it('is refused with 480 while as many as the room may have still ring, and counted', async () => {
    const { harness, host } = await meeting();
    const statuses: number[] = [];
    const parts = referTo(BOB, ['Refer-Sub', 'false']);
    for (let i = 0; i < 11; i++) statuses.push(await host.inCall('REFER', parts));
    expect(statuses.at(-2)).toBe(200);
    expect(statuses.at(-1)).toBe(480);
    expect(harness.dialOutcomes.at(-1)).toBe('uri limited');
    harness.dialled[0]!.onProgress({ state: 'ended', reason: 'rejected', status: 486 });
    expect(await host.inCall('REFER', parts)).toBe(200);
  });

  it('of a guest is refused with 403: it is the host who pays', async () => {
    const { harness } = await meeting();
    const guest = await harness.phone('10.0.0.3', { uri });

    expect(await guest.inCall('REFER', referTo(BOB))).toBe(403);
  });

  it('3515-5.2-a of the first one in a room without a host PIN has to show a password', async () => {
    const harness = new FocusHarness();
    const first = await harness.phone('10.0.0.2', { uri });
    await harness.books.accounts.create({ username: 'peer', password: 'secret' });

    expect(await first.inCall('REFER', referTo(BOB))).toBe(401);
    expect(harness.dialled).toEqual([]);
    const wrong = first.credentials('REFER', { username: 'peer', password: 'guessed' });
    expect(await first.inCall('REFER', referTo(BOB, ...wrong))).toBe(401);
    const right = first.credentials('REFER', { username: 'peer', password: 'secret' });
    expect(await first.inCall('REFER', referTo(BOB, ...right))).toBe(200);
    expect(harness.dialled).toHaveLength(1);
  });

  it('to an account of ours every member may send', async () => {
    const { harness } = await meeting();
    await harness.books.accounts.create({ username: 'bob', password: 'secret', name: 'Bob' });
    const guest = await harness.phone('10.0.0.3', { uri });

    expect(await guest.inCall('REFER', referTo('<sip:bob@example.com>'))).toBe(200);
    expect(harness.dialled[0]?.target).toEqual({ kind: 'account', username: 'bob', name: 'Bob' });
  });

  it('4579-5.11-a with method=BYE removes a participant, when a host asks', async () => {
    const { harness, host } = await meeting();
    const guest = harness.peer('10.0.0.3');
    await guest.dial({ uri, headers: [] });
    const member = harness.conference.rooms.get(ROOM)!.joined()[1]!;
    expect(await guest.inCall('REFER', referTo(`<${member.address};method=BYE>`))).toBe(403);
    expect(await host.inCall('REFER', referTo('<sip:nobody@x.example;method=BYE>'))).toBe(404);
  });

  it('4579-5.10-a takes Replaces of the Refer-To, and no other header', async () => {
    const { harness, host } = await meeting();
    const value = 'a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2';
    await host.inCall('REFER', referTo(`<sip:bob@10.0.0.7?Replaces=${value}&Subject=x>`));

    expect(harness.dialled[0]).toMatchObject({
      target: { kind: 'uri', uri: 'sip:bob@10.0.0.7' },
      referral: { replaces: 'a@b;to-tag=1;from-tag=2' },
    });
  });
});

describe('a REFER outside a call', () => {
  it('3515-5.2-a is refused with 403', async () => {
    const { harness, host } = await meeting();

    expect(await host.send('REFER', { ...referTo(BOB), callId: 'alone' })).toBe(403);
    expect(harness.dialled).toEqual([]);
  });

  it('4538-7 is taken with the Target-Dialog of a member, and tells in a dialog of its own', async () => {
    const { harness, host } = await meeting();
    const target = `${host.peer.callId};local-tag=${host.peer.tag};remote-tag=${host.toTag ?? ''}`;
    const parts = referTo(BOB, ['Target-Dialog', target], ['Require', 'tdialog']);

    expect(await host.send('REFER', { ...parts, callId: 'alone' })).toBe(200);
    const [notify] = await host.requests();
    expect(notify?.callId).toBe('alone');
    expect(notify?.fromTag).toBe(host.peer.response('REFER').toTag);
    expect(harness.dialled).toHaveLength(1);
  });
});

describe('a member who is called in', () => {
  it('4579-5.2-a 3892-2.2-a gets an INVITE with isfocus and Referred-By, and is in the room when it answers', async () => {
    const { harness, host } = await meeting(true);
    const bob = new ScriptedPeer(harness.wire, { address: '10.0.0.7', port: 5060 }, US);
    const replaces = '?Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2';
    await host.inCall(
      'REFER',
      referTo(`<sip:bob@10.0.0.7${replaces}>`, ['Referred-By', '<sip:peer@example.com>']),
    );
    const invite = bob.requestOf('INVITE');
    expect(invite.headers.get('Referred-By')).toBe('<sip:peer@example.com>');
    expect(invite.headers.get('Replaces')).toBe('a@b;to-tag=1;from-tag=2');
    expect(invite.headers.get('Contact')).toBe(`<sip:${ROOM}@10.0.0.1:5060>;isfocus`);
    bob.respond(invite, 180);
    await harness.run();
    bob.respond(invite, 200, sdpText());
    await harness.run();
    expect(bob.labels()).toContain('ACK');
    const names = harness.conference.rooms
      .get(ROOM)!
      .joined()
      .map((member) => member.name);
    expect(names).toEqual(['Peer', 'bob']);
    expect(news(await host.requests()).at(-1)).toBe(
      'refer terminated;reason=noresource SIP/2.0 200 OK',
    );

    expect(await host.inCall('REFER', referTo('<sip:bob@10.0.0.7;method=BYE>'))).toBe(200);
    await harness.run();
    expect(bob.labels().at(-1)).toBe('BYE');
    expect(harness.conference.rooms.get(ROOM)!.joined()).toHaveLength(1);
  });

  it('who sends us elsewhere (302) is not followed: it would be at our cost', async () => {
    const { harness, host } = await meeting(true);
    const bob = new ScriptedPeer(harness.wire, { address: '10.0.0.7', port: 5060 }, US);
    const premium = new ScriptedPeer(harness.wire, { address: '10.0.0.8', port: 5060 }, US);
    await host.inCall('REFER', referTo(BOB));
    const invite = bob.requestOf('INVITE');
    const contact = '<sip:0900@10.0.0.8>';
    bob.send(buildResponse(invite, 302, { toTag: 'bob', contact }));
    await harness.run();
    expect(premium.labels()).toEqual([]);
    expect(news(await host.requests()).at(-1)).toContain('SIP/2.0 302');
  });

  it('who declines is told of with the status line, and takes no seat', async () => {
    const { harness, host } = await meeting(true);
    const bob = new ScriptedPeer(harness.wire, { address: '10.0.0.7', port: 5060 }, US);
    await host.inCall('REFER', referTo(BOB));
    bob.respond(bob.requestOf('INVITE'), 486);
    await harness.run();

    expect(news(await host.requests()).at(-1)).toBe(
      'refer terminated;reason=noresource SIP/2.0 486 Busy Here',
    );
    expect(harness.conference.rooms.get(ROOM)!.joined()).toHaveLength(1);
  });
});

describe('somebody who is called, in the roster', () => {
  /** What the last NOTIFYs say of bob. */
  async function shown(watcher: Phone): Promise<string[]> {
    return (await watcher.requests()).map(({ bodyText }) => {
      const user =
        /<user entity="sip:bob@10.0.0.7"[^>]*?(?:\/>|>.*?<\/user>)/s.exec(bodyText)?.[0] ?? '';
      const count = /<user-count>(\d+)/.exec(bodyText)?.[1] ?? '-';
      const of = (name: string): string => new RegExp(`<${name}>([^<]+)`).exec(user)?.[1] ?? '';
      const state = user.includes('state="deleted"') ? 'deleted' : of('status');

      return [count, state, of('disconnection-method')].join(' ').trim();
    });
  }

  it('4575-5-a dials out, alerts, is busy, and goes; 3.9-a merged, none lost', async () => {
    const { harness, host } = await meeting(true);
    const bob = new ScriptedPeer(harness.wire, { address: '10.0.0.7', port: 5060 }, US);
    const watcher = harness.peer('10.0.0.9');
    const headers: [string, string][] = [['Event', 'conference']];
    expect(await watcher.send('SUBSCRIBE', { uri, headers })).toBe(200);
    await watcher.requests();
    await host.inCall('REFER', referTo(BOB));
    await harness.run(5000);
    expect(await shown(watcher)).toEqual(['- dialing-out']);
    const invite = bob.requestOf('INVITE');
    bob.respond(invite, 180);
    await harness.run(5000);
    expect(await shown(watcher)).toEqual(['- alerting']);
    bob.respond(invite, 486);
    await harness.run(5000);
    expect(await shown(watcher)).toEqual(['- disconnected busy']);
    await harness.run(11_000);
    expect(await shown(watcher)).toEqual(['- deleted']);
  });

  it('4575-5-a is connected, then departed', async () => {
    const { harness, host } = await meeting(true);
    const bob = new ScriptedPeer(harness.wire, { address: '10.0.0.7', port: 5060 }, US);
    const watcher = harness.peer('10.0.0.9');
    await watcher.send('SUBSCRIBE', { uri, headers: [['Event', 'conference']] });
    await watcher.requests();
    await host.inCall('REFER', referTo(BOB));
    const invite = bob.requestOf('INVITE');
    bob.respond(invite, 200, sdpText());
    await harness.run(6000);
    expect(await shown(watcher)).toEqual(['2 connected']);
    bob.request('BYE', { toTag: invite.fromTag, callId: invite.callId, cseq: 7 });
    await harness.run(6000);
    expect(await shown(watcher)).toEqual(['1 disconnected departed']);
  });
});
