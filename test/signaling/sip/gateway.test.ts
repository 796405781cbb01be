import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Participant } from '../../../server/participant.ts';
import { Conference } from '../../server/room-harness.ts';
import type { ScriptedPeer } from '../../support/scripted-peer.ts';
import { sdpText } from '../../support/sip-wire.ts';
import { GatewayHarness } from './gateway-harness.ts';

let conference: Conference;
let harness: GatewayHarness;
let phone: ScriptedPeer;
let device: ScriptedPeer;
let member: Participant;

beforeEach(async () => {
  conference = new Conference();
  harness = new GatewayHarness(conference);
  ({ phone } = harness);
  device = harness.peer('10.0.0.3');
  conference.rooms.events.on('participantJoined', (joined) => (member = joined));
  await harness.call(sdpText());
});

async function say(
  peer: ScriptedPeer,
  ...args: Parameters<ScriptedPeer['request']>
): Promise<void> {
  peer.request(...args);
  await harness.settle();
}

function toTag(): string {
  return phone.response('INVITE').toTag!;
}

async function takeOver(body: string): Promise<void> {
  const value = `${phone.callId};from-tag=${phone.tag};to-tag=${toTag()}`;
  const headers: [string, string][] = [
    ['Replaces', value],
    ['Referred-By', '<sip:peer@example.com>'],
  ];
  await say(device, 'INVITE', { headers, body });
}

describe('a phone in a room', () => {
  it('legacy-info-a its keys in INFO are keys of the participant', async () => {
    const keys: unknown[] = [];
    member.phoneLeg.events.on('dtmf', (key, ms) => keys.push([key, ms]));
    const body = 'Signal=5\r\nDuration=200\r\n';
    await say(phone, 'INFO', { toTag: toTag(), type: 'application/dtmf-relay', body });
    expect(keys).toEqual([['5', 200]]);
  });

  it('4579-5.9-a moves to another device by Replaces: same roster entry, BYE to the old one', async () => {
    await takeOver(sdpText({ port: 4444 }));
    expect(device.response('INVITE').status).toBe(200);
    device.ack(device.response('INVITE'));
    await harness.settle();
    expect(phone.requestOf('BYE').headers.get('Reason')).toContain('Q.850');
    phone.respond(phone.requestOf('BYE'), 200);
    await harness.settle();
    expect(conference.log).toEqual(['started 1234', 'joined Peer']);
    expect(member.state).toBe('joined');
    // The new device is the participant now.
    await say(device, 'BYE', { toTag: device.response('INVITE').toTag });
    expect(conference.log).toContain('left Peer left');
  });

  it('3891-3-d stays where it is when the other device has no codec in common', async () => {
    await takeOver(sdpText().replace('RTP/AVP 0 8', 'RTP/AVP 18'));
    expect(device.response('INVITE').status).toBe(488);
    expect(phone.labels()).not.toContain('BYE');
    expect(member.state).toBe('joined');
  });

  it('3264-8.4-a on hold neither hears nor feeds: the leg is told so', async () => {
    const directions = (): unknown[] =>
      conference.media.rooms.flatMap((room) =>
        room.phoneLegs.flatMap((leg) => leg.configured.map(({ direction }) => direction)),
      );
    for (const direction of ['sendonly', 'inactive', 'sendrecv']) {
      await say(phone, 'UPDATE', { toTag: toTag(), body: sdpText({ direction }) });
      expect(phone.response('UPDATE').status).toBe(200);
    }
    expect(directions()).toEqual(['sendrecv', 'recvonly', 'inactive', 'sendrecv']);
  });
});
