/** Size: all that a phone's video meets in its call, over one room. */
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { RoomNumber } from '../../../base/index.ts';
import { parseSdp, SdpError, type SdpMedia } from '../../../signaling/sdp/index.ts';
import type { MemberCalls } from '../../../signaling/sip/focus/index.ts';
import type { SipMessage } from '../../../signaling/sip/message/index.ts';
import type { Participant } from '../../../server/participant.ts';
import { Conference } from '../../server/room-harness.ts';
import type { FakePhoneVideo } from '../../support/fake-video.ts';
import type {
  FakePhoneLeg,
  FakeRoomMedia,
  FakeWebRtcLeg,
} from '../../support/fake-media-engine.ts';
import type { ScriptedPeer } from '../../support/scripted-peer.ts';
import { sdpText } from '../../support/sip-wire.ts';
import { GatewayHarness } from './gateway-harness.ts';

const ROOM = '1234' as RoomNumber;
const H264 = 'a=rtpmap:97 H264/90000\r\na=fmtp:97 packetization-mode=1;profile-level-id=42e01f\r\n';
const PICTURE_FAST_UPDATE =
  '<?xml version="1.0"?><media_control><vc_primitive><to_encoder><picture_fast_update/></to_encoder></vc_primitive></media_control>';

let conference: Conference;
let harness: GatewayHarness;
let phone: ScriptedPeer;
let calls: MemberCalls;
let outcomes: string[];
let member: Participant;

function settle(ms?: number): Promise<void> {
  return harness.settle(ms);
}

beforeEach(() => {
  conference = new Conference();
  harness = new GatewayHarness(conference);
  ({ phone, calls, reinvites: outcomes } = harness);
  conference.rooms.events.on('participantJoined', (joined) => {
    if (joined.kind === 'phone') member = joined;
  });
});

/** A description of the phone with a line of video; port 0 leaves it out. */
function withVideo(direction = 'sendrecv', port = 4002, more = '', version = 1): string {
  const line = `m=video ${port} RTP/AVP 97\r\n${H264}${more}a=${direction}\r\n`;

  return sdpText({ version }) + line;
}

async function call(body?: string): Promise<void> {
  phone.request('INVITE', body === undefined ? {} : { body });
  await settle();
  if (body === undefined) return;
  phone.ack(phone.response('INVITE'));
  await settle();
}

/** Re-INVITEs of theirs, answered and acknowledged. */
async function change(body: string): Promise<SdpMedia[]> {
  phone.request('INVITE', { toTag: toTag(), body });
  await settle();
  phone.ack(phone.response('INVITE'));
  await settle();

  return mediaOf(phone.response('INVITE'));
}

function toTag(): string {
  return phone.response('INVITE').toTag!;
}

function mediaOf(message: SipMessage): SdpMedia[] {
  const session = parseSdp(message.bodyText);
  if (session instanceof SdpError) throw session;

  return [...session.media];
}

function portsOf(message: SipMessage): number[] {
  return mediaOf(message).map(({ port }) => port);
}

function room(): FakeRoomMedia {
  return conference.media.rooms.at(-1)!;
}

function videos(): readonly FakePhoneVideo[] {
  return (member.phoneLeg as FakePhoneLeg).videos;
}

function video(): FakePhoneVideo {
  return videos().at(-1)!;
}

/** A page comes with a camera; gives back what switches it off. */
async function camera(): Promise<() => Promise<void>> {
  const { member: page } = await conference.enter('Ann', { room: ROOM });
  const leg = page.webRtcLeg as FakeWebRtcLeg;
  const { id } = room().addProducer(leg.id, 'video', 'camera');
  await settle(1000);

  return async () => {
    room().removeProducer(id);
    await settle(1000);
  };
}

/** Answers the re-INVITE that came last; says what was offered. */
async function answerReinvite(body: string, status = 200): Promise<number[]> {
  const reinvite = phone.requestOf('INVITE');
  phone.respond(reinvite, status, status === 200 ? body : undefined);
  await settle();

  return portsOf(reinvite);
}

describe('a phone that offers video', () => {
  it('is answered with a place for it, and the place is told all that was agreed', async () => {
    await call(withVideo('sendrecv', 4002, 'a=rtcp-fb:* nack pli\r\nb=AS:512\r\n'));
    const [, line] = mediaOf(phone.response('INVITE'));
    expect(line).toMatchObject({ port: video().rtpPort, direction: 'sendrecv', formats: ['97'] });
    expect(video().configured).toEqual([
      {
        codec: 'H264',
        sendPayloadType: 97,
        receivePayloadType: 97,
        packetizationMode: 1,
        maxLevel: 31,
        feedback: { pli: true },
        maxBitrate: 512_000,
        remoteAddress: '10.0.0.9',
        remoteRtpPort: 4002,
        remoteRtcpPort: 4003,
        rtcpMux: false,
        direction: 'sendrecv',
        signallingAddress: '10.0.0.2',
      },
    ]);
    expect(calls.ofParticipant(member.id)?.video).toBe('sendrecv');
  });

  it('and sends none gets one with the first picture, and loses it with the last', async () => {
    await call(withVideo('recvonly'));
    expect(portsOf(phone.response('INVITE'))[1]).toBe(0);
    const off = await camera();
    expect(await answerReinvite(withVideo('recvonly'))).toEqual([40_000, video().rtpPort]);
    expect(video().current?.direction).toBe('sendonly');
    await off();
    expect(await answerReinvite(withVideo('recvonly', 0))).toEqual([40_000, 0]);
    expect(video().closed).toBe(true);
    expect(outcomes).toEqual(['video accepted', 'video accepted']);
    expect(calls.ofParticipant(member.id)?.video).toBeUndefined();
  });

  it('is called on without video when there is no place for it', async () => {
    await conference.enter('Ann', { room: ROOM });
    const media = room();
    const create = media.createPhoneLeg.bind(media);
    media.createPhoneLeg = async () => {
      const leg = await create();
      leg.openVideo = () => Promise.reject(new Error('no port'));

      return leg;
    };
    await call(withVideo());
    expect(phone.response('INVITE').status).toBe(200);
    expect(portsOf(phone.response('INVITE'))[1]).toBe(0);
  });

  it('may hold it, move it and take it away', async () => {
    await call(withVideo());
    const { rtpPort } = video();
    const held = await change(sdpText({ direction: 'sendonly' }) + videoLine('sendonly', 4002));
    expect(held[1]).toMatchObject({ port: rtpPort, direction: 'recvonly' });
    await change(withVideo('sendrecv', 6002));
    expect(
      video().configured.map(({ direction, remoteRtpPort }) => [direction, remoteRtpPort]),
    ).toEqual([
      ['sendrecv', 4002],
      ['recvonly', 4002],
      ['sendrecv', 6002],
    ]);
    const without = await change(withVideo('sendrecv', 0));
    expect(without[1]?.port).toBe(0);
    expect(video().closed).toBe(true);
    // What it took away is not put back.
    await camera();
    expect(phone.labels().filter((label) => label === 'INVITE')).toEqual([]);
    const back = await change(withVideo());
    expect(back[1]?.port).toBe(video().rtpPort);
  });

  it('may take another codec', async () => {
    await call(withVideo());
    const vp8 = 'm=video 4002 RTP/AVP 120\r\na=rtpmap:120 VP8/90000\r\n';
    await change(sdpText() + vp8);
    expect(video().configured.at(-1)).toMatchObject({ codec: 'VP8', sendPayloadType: 120 });
    expect(videos()).toHaveLength(1);
  });

  it('4796-a has a second stream for slides', async () => {
    const slides = 'm=video 4006 RTP/AVP 97\r\n' + H264 + 'a=content:slides\r\n';
    await call(withVideo() + slides);
    expect(videos().map(({ content }) => content)).toEqual(['main', 'slides']);
    expect(portsOf(phone.response('INVITE')).slice(1)).toEqual(videos().map((v) => v.rtpPort));
    await change(withVideo());
    expect(videos().map(({ closed }) => closed)).toEqual([false, true]);
  });
});

function videoLine(direction: string, port: number): string {
  return `m=video ${port} RTP/AVP 97\r\n${H264}a=${direction}\r\n`;
}

describe('a phone that is asked for a PIN', () => {
  it('is answered without video meanwhile, and gets it by re-INVITE once it is in', async () => {
    await conference.rooms.create({ number: ROOM, guestPin: '12' });
    await conference.enter('Ann', { room: ROOM, pin: '12' });
    await call(withVideo());
    expect(portsOf(phone.response('INVITE'))[1]).toBe(0);
    const leg = conference.media.waitingLegs.at(-1)!;
    for (const key of ['1', '2', '#']) leg.events.emit('dtmf', key, 100);
    await settle(1000);
    expect(await answerReinvite(withVideo())).toEqual([leg.rtpPort, video().rtpPort]);
    expect(video().current?.direction).toBe('sendrecv');
    expect(outcomes).toEqual(['video accepted']);
  });
});

describe('key frames by INFO', () => {
  beforeEach(() => call(withVideo()));

  it('5168-a a picture_fast_update asks the source of its picture', async () => {
    phone.request('INFO', {
      toTag: toTag(),
      type: 'application/media_control+xml',
      body: PICTURE_FAST_UPDATE,
    });
    await settle();
    expect(phone.response('INFO').status).toBe(200);
    expect(video().keyFrameRequests).toBe(1);
  });

  it('5168-a is asked by one, once a second at most', async () => {
    for (let time = 0; time < 5; time++) video().events.emit('keyFrameWanted');
    await settle();
    const info = phone.requestOf('INFO');
    expect(info.contentType?.type).toBe('application/media_control+xml');
    expect(info.bodyText).toContain('<picture_fast_update/>');
    phone.respond(info, 200);
    expect(phone.labels().filter((label) => label === 'INFO')).toHaveLength(1);
    await settle(1100);
    video().events.emit('keyFrameWanted');
    await settle();
    expect(phone.labels().filter((label) => label === 'INFO')).toHaveLength(2);
  });

  it('5168-a is not asked again when it does not know them', async () => {
    video().events.emit('keyFrameWanted');
    await settle();
    phone.respond(phone.requestOf('INFO'), 415);
    await settle(1100);
    video().events.emit('keyFrameWanted');
    await settle();
    expect(phone.labels().filter((label) => label === 'INFO')).toHaveLength(1);
  });
});

/** Repetitions left out. */
function enquiries(): number {
  const sequences = phone.received.flatMap((message) =>
    message.kind === 'request' && message.method === 'OPTIONS' ? [message.cseq.sequence] : [],
  );

  return new Set(sequences).size;
}

describe('an INVITE without an offer', () => {
  it('is answered with one of audio alone while there are no pictures', async () => {
    await call();
    expect(portsOf(phone.response('INVITE'))).toHaveLength(1);
  });

  it('is answered with one of video too when there are', async () => {
    await camera();
    await call();
    expect(portsOf(phone.response('INVITE'))).toHaveLength(2);
    const vp8 = 'm=video 4002 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\na=recvonly\r\n';
    phone.ack(phone.response('INVITE'), sdpText() + vp8);
    await settle();
    expect(video().current).toMatchObject({ codec: 'VP8', direction: 'sendonly' });
  });

  it('may be answered without video: it is not asked again', async () => {
    const off = await camera();
    await call();
    phone.ack(phone.response('INVITE'), sdpText() + 'm=video 0 RTP/AVP 96\r\n');
    await settle();
    expect(video().closed).toBe(true);
    await off();
    await camera();
    expect(phone.labels()).not.toContain('INVITE');
  });

  it('3261-11.2: answered with audio alone, it is asked what it can do at the first picture', async () => {
    await call();
    phone.ack(phone.response('INVITE'), sdpText());
    await camera();
    const options = phone.requestOf('OPTIONS');
    expect(options.headers.get('Accept')).toBe('application/sdp');
    expect(options.toTag).toBe(phone.response('INVITE').fromTag);
    phone.respond(options, 200, withVideo('sendrecv', 0));
    await settle(1000);
    expect(await answerReinvite(withVideo('recvonly'))).toEqual([40_000, video().rtpPort]);
    expect(enquiries()).toBe(1);
  });

  it.each([200, 486, 501])(
    '3261-11.2: says %i and nothing of video: it is left alone',
    async (status) => {
      await call();
      phone.ack(phone.response('INVITE'), sdpText());
      const off = await camera();
      phone.respond(phone.requestOf('OPTIONS'), status, status === 200 ? sdpText() : undefined);
      await settle(1000);
      await off();
      await camera();
      expect(phone.labels()).not.toContain('INVITE');
      expect(enquiries()).toBe(1);
    },
  );
});
