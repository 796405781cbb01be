import { beforeEach, describe, expect, it } from '@jest/globals';
import type { RoomNumber } from '../../../base/index.ts';
import { Conference } from '../../server/room-harness.ts';
import type { FakePhoneLeg, FakeRoomMedia } from '../../support/fake-media-engine.ts';
import type { ScriptedPeer } from '../../support/scripted-peer.ts';
import { GatewayHarness, OUT } from './gateway-harness.ts';

const ROOM = '1234' as RoomNumber;

let conference: Conference;
let harness: GatewayHarness;
let phone: ScriptedPeer;
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

function settle(ms?: number): Promise<void> {
  return harness.settle(ms);
}

beforeEach(async () => {
  conference = new Conference();
  version = 0;
  harness = new GatewayHarness(conference);
  ({ phone } = harness);
  await harness.call(describePhone({}));
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
    expect(harness.offers()).toEqual([]);
  });

  it('against our open offer: 491, and after our exchange it comes through', async () => {
    await showPicture();
    await settle(OUT);
    const ours = harness.offers().at(-1)!;
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
    expect(harness.offers()).toHaveLength(1);
    expect(harness.reinvites).toEqual(['video accepted', 'remote accepted']);
  });

  it('wins against our offer: ours comes again with the codec that holds then', async () => {
    await showPicture();
    await settle(OUT);
    phone.respond(harness.offers().at(-1)!, 491);
    await settle(100);
    const withoutVideo = { address: '10.0.0.79', port: 4448, codec: 8, video: 0 } as const;
    expect(await reinvite(describePhone(withoutVideo))).toBe(200);
    await settle(3000);
    expect(harness.offers()).toHaveLength(2);
    phone.respond(harness.offers().at(-1)!, 200, describePhone({ ...withoutVideo, video: 4002 }));
    await settle();
    expect(leg().configured.at(-1)).toMatchObject({
      codec: { name: 'PCMA' },
      remoteAddress: '10.0.0.79',
      remoteRtpPort: 4448,
    });
    expect(harness.reinvites).toEqual(['remote accepted', 'video accepted']);
  });
});
