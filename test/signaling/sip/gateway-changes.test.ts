import { beforeEach, describe, expect, it } from '@jest/globals';
import { silentLogger, type RoomNumber } from '../../../base/index.ts';
import { MemberCalls } from '../../../signaling/sip/focus/index.ts';
import { ReceptionDesk } from '../../../signaling/sip/gateway-reception.ts';
import { SipGateway } from '../../../signaling/sip/gateway.ts';
import type { SipRequest } from '../../../signaling/sip/message/index.ts';
import { Conference } from '../../server/room-harness.ts';
import type { FakePhoneLeg, FakeRoomMedia } from '../../support/fake-media-engine.ts';
import { ScriptedPeer } from '../../support/scripted-peer.ts';
import { SipStack, SipWire } from '../../support/sip-wire.ts';

const ROOM = '1234' as RoomNumber;
const SERVER = { address: '10.0.0.1', port: 5060 };
/** Milliseconds until a change of the room is out: the window, and its way. */
const OUT = 270;

let conference: Conference;
let phone: ScriptedPeer;
let outcomes: string[];
let version: number;

/** What the phone says of itself: it takes pictures, and sends none. */
function describePhone(parts: { address?: string; port?: number; codec?: 0 | 8; video?: number }) {
  const { address = '10.0.0.9', port = 4000, codec = 0, video = 4002 } = parts;

  return [
    ...['v=0', `o=- 1 ${(version += 1)} IN IP4 ${address}`, 's=-', `c=IN IP4 ${address}`, 't=0 0'],
    `m=audio ${port} RTP/AVP ${codec}`,
    `m=video ${video} RTP/AVP 97`,
    'a=rtpmap:97 H264/90000',
    'a=fmtp:97 packetization-mode=1;profile-level-id=42e01f',
    ...(video === 0 ? [] : ['a=recvonly']),
    '',
  ].join('\r\n');
}

async function settle(ms = 50): Promise<void> {
  for (let step = 0; step < 10; step++) await conference.clock.advanceAsync(ms / 10);
}

beforeEach(async () => {
  conference = new Conference();
  outcomes = [];
  version = 0;
  const { clock, rooms, voice } = conference;
  const wire = new SipWire(clock);
  const handler = new SipGateway({
    rooms,
    calls: new MemberCalls(clock),
    desk: new ReceptionDesk({ rooms, voice, clock, logger: silentLogger }),
    publicAddress: SERVER.address,
    clock,
    logger: silentLogger,
    counters: {
      callSetup: () => undefined,
      reinvite: (reason, outcome) => outcomes.push(`${reason} ${outcome}`),
    },
  });
  void new SipStack(wire, SERVER, { handler, random: () => 0.5 });
  phone = new ScriptedPeer(wire, { address: '10.0.0.2', port: 5070 }, SERVER);
  phone.request('INVITE', { body: describePhone({}) });
  await settle();
  phone.ack(phone.response('INVITE'));
  await settle(1000);
});

/** The first picture of the room: the phone is to get an m=video. */
async function showPicture(): Promise<void> {
  const { member } = await conference.enter('Ann', { room: ROOM });
  room().addProducer(member.webRtcLeg.id, 'video', 'camera');
}

function room(): FakeRoomMedia {
  return conference.media.rooms.at(-1)!;
}

function leg(): FakePhoneLeg {
  return room().phoneLegs.at(-1)!;
}

/** Repetitions left out. */
function offers(): SipRequest[] {
  const invites = phone.received.filter(
    (message): message is SipRequest => message.kind === 'request' && message.method === 'INVITE',
  );

  return invites.filter(
    ({ cseq }, index) =>
      invites.findIndex((each) => each.cseq.sequence === cseq.sequence) === index,
  );
}

async function reinvite(body: string): Promise<number> {
  phone.request('INVITE', { toTag: phone.response('INVITE').toTag, body });
  await settle();
  const response = phone.response('INVITE');
  if (response.status === 200) phone.ack(response);

  return response.status;
}

describe('a plain phone that moves while the room wants to change its call', () => {
  it('within the window: its answer is taken with what it says now, and nothing is asked twice', async () => {
    await showPicture();
    await settle(100);
    expect(await reinvite(describePhone({ address: '10.0.0.77', port: 4444, codec: 8 }))).toBe(200);
    expect(leg().configured.at(-1)).toMatchObject({
      codec: { name: 'PCMA' },
      remoteAddress: '10.0.0.77',
      remoteRtpPort: 4444,
    });
    // There is a picture now, so the answer has it.
    expect(phone.response('INVITE').bodyText).toMatch(/m=video [1-9]/);
    await settle(5000);
    expect(offers()).toEqual([]);
  });

  it('against our open offer: 491, and after our exchange it comes through', async () => {
    await showPicture();
    await settle(OUT);
    const ours = offers().at(-1)!;
    expect(ours.bodyText).toMatch(/m=video [1-9]/);
    const moved = { address: '10.0.0.78', port: 4446 };
    expect(await reinvite(describePhone(moved))).toBe(491);
    phone.respond(ours, 200, describePhone({}));
    await settle();
    expect(await reinvite(describePhone(moved))).toBe(200);
    expect(leg().configured.at(-1)).toMatchObject({
      remoteAddress: '10.0.0.78',
      remoteRtpPort: 4446,
    });
    await settle(5000);
    expect(offers()).toHaveLength(1);
    expect(outcomes).toEqual(['video accepted', 'remote accepted']);
  });

  it('wins against our offer: ours comes again with the codec that holds then', async () => {
    await showPicture();
    await settle(OUT);
    phone.respond(offers().at(-1)!, 491);
    await settle(100);
    const withoutVideo = { address: '10.0.0.79', port: 4448, codec: 8, video: 0 } as const;
    expect(await reinvite(describePhone(withoutVideo))).toBe(200);
    await settle(3000);
    expect(offers()).toHaveLength(2);
    phone.respond(offers().at(-1)!, 200, describePhone({ ...withoutVideo, video: 4002 }));
    await settle();
    expect(leg().configured.at(-1)).toMatchObject({
      codec: { name: 'PCMA' },
      remoteAddress: '10.0.0.79',
      remoteRtpPort: 4448,
    });
    expect(outcomes).toEqual(['remote accepted', 'video accepted']);
  });
});
