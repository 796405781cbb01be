import { beforeEach, describe, expect, it } from '@jest/globals';
import { FakeClock } from '../../../support/fake-clock.ts';
import { ScriptedPeer } from '../../../support/scripted-peer.ts';
import { sdp, sdpText, SipStack, SipWire } from '../../../support/sip-wire.ts';

const SERVER = { address: '10.0.0.1', port: 5060 };

let clock: FakeClock;
let server: SipStack;
let phone: ScriptedPeer;
let device: ScriptedPeer;
let conference: string | undefined;

beforeEach(() => {
  clock = new FakeClock();
  const wire = new SipWire(clock);
  conference = undefined;
  server = new SipStack(wire, SERVER, { handler: { conferenceFor: () => conference } });
  phone = new ScriptedPeer(wire, { address: '10.0.0.2', port: 5070 }, SERVER);
  device = new ScriptedPeer(wire, { address: '10.0.0.3', port: 5070 }, SERVER);
});

function ring(): string {
  phone.request('INVITE', { body: sdpText() });
  clock.advance(10);
  server.call.progress(180);
  clock.advance(10);

  return phone.response('INVITE').toTag!;
}

/** The phone's call, and the value of a Replaces that names it. */
function establish(): string {
  const toTag = ring();
  server.call.accept(sdp());
  clock.advance(10);
  phone.ack(phone.response('INVITE'));
  clock.advance(10);

  return replaces(toTag);
}

function replaces(toTag: string): string {
  return `${phone.callId};from-tag=${phone.tag};to-tag=${toTag}`;
}

function takeOver(...values: string[]): number | undefined {
  const headers = values.map((value): [string, string] => ['Replaces', value]);
  device.request('INVITE', { headers, body: sdpText() });
  clock.advance(10);
  const answered = device.labels().some((label) => label.endsWith('INVITE'));

  return answered ? device.response('INVITE').status : undefined;
}

describe('an INVITE with Replaces', () => {
  it('3891-3-d reaches the handler with the call that it names', () => {
    const value = establish();
    expect(takeOver(value)).toBeUndefined();
    expect(server.calls).toHaveLength(2);
    expect(server.calls[1]?.replaces).toBe(server.calls[0]);
  });

  it('3891-3-a twice, malformed, with Join or in another method gets 400', () => {
    const value = establish();
    expect(takeOver(value, value)).toBe(400);
    expect(takeOver('nothing')).toBe(400);
    device.request('OPTIONS', { headers: [['Replaces', value]] });
    clock.advance(10);
    expect(device.response('OPTIONS').status).toBe(400);
    const both: [string, string][] = [
      ['Replaces', value],
      ['Join', value],
    ];
    device.request('INVITE', { headers: both, body: sdpText() });
    clock.advance(10);
    expect(device.response('INVITE').status).toBe(400);
    expect(server.calls).toHaveLength(1);
  });

  it('3891-3-b of no dialog gets 481; tags are not to be swapped', () => {
    establish();
    const toTag = phone.response('INVITE').toTag!;
    expect(takeOver('none;from-tag=a;to-tag=b')).toBe(481);
    expect(takeOver(`${phone.callId};from-tag=${toTag};to-tag=${phone.tag}`)).toBe(481);
  });

  it('3891-3-b of a call that ends gets 603', () => {
    const value = establish();
    server.call.hangUp();
    expect(takeOver(value)).toBe(603);
  });

  it('3891-3-d with early-only of a confirmed call gets 486', () => {
    expect(takeOver(`${establish()};early-only`)).toBe(486);
  });

  it('3891-3-e of a call that still rings here gets 481', () => {
    expect(takeOver(replaces(ring()))).toBe(481);
  });
});

describe('an INVITE with Join', () => {
  function join(value: string): number | undefined {
    const headers: [string, string][] = [['Join', value]];
    device.request('INVITE', { headers, body: sdpText() });
    clock.advance(10);
    const answered = device.labels().some((label) => label.endsWith('INVITE'));

    return answered ? device.response('INVITE').status : undefined;
  }

  it('3911-4-a to a conference goes on: Join means nothing there', () => {
    conference = '1234';
    expect(join('none;from-tag=a;to-tag=b')).toBeUndefined();
    expect(server.calls).toHaveLength(1);
  });

  it('3911-4-a elsewhere is 481 for no dialog, 488 for one, 400 when malformed', () => {
    const value = establish();
    expect(join('none;from-tag=a;to-tag=b')).toBe(481);
    expect(join(value)).toBe(488);
    expect(join('none')).toBe(400);
    expect(server.calls).toHaveLength(1);
  });
});
