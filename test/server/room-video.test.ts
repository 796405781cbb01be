import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Participant } from '../../server/participant.ts';
import type { PhoneVideo } from '../../media/index.ts';
import type { FakePhoneLeg, FakeWebRtcLeg } from '../support/fake-media-engine.ts';
import type { FakePhoneVideo } from '../support/fake-video.ts';
import { Conference, type RecordingSink } from './room-harness.ts';

const H264: PhoneVideo = {
  codec: 'H264',
  sendPayloadType: 97,
  receivePayloadType: 97,
  feedback: {},
  remoteAddress: '192.0.2.9',
  remoteRtpPort: 4002,
  remoteRtcpPort: 4003,
  rtcpMux: false,
  direction: 'sendrecv',
};

let conference: Conference;
let page: { member: Participant; sink: RecordingSink };
let phone: Participant;
let video: FakePhoneVideo;

beforeEach(async () => {
  conference = new Conference();
  page = await conference.enter('Ann');
  ({ member: phone } = await conference.enter('Desk', { kind: 'phone' }));
  video = await (phone.phoneLeg as FakePhoneLeg).openVideo('main');
});

function told(): unknown[] {
  return page.sink.events.filter(({ type }) => type === 'video-codecs');
}

describe('the codec of a phone', () => {
  it('is told to all while it is sent video, with the phone that takes it', async () => {
    await video.configure(H264);
    const wishes = [{ codec: 'H264', participantIds: [phone.id] }];
    expect(told()).toEqual([{ type: 'video-codecs', wishes }]);
    expect(page.member.room.videoCodecs()).toEqual(wishes);
    expect(phone.view().videoReceived).toBe('H264');
    await video.configure(H264);
    expect(told()).toHaveLength(1);
    await video.close();
    expect(told().at(-1)).toEqual({ type: 'video-codecs', wishes: [] });
    expect(phone.view().videoReceived).toBeUndefined();
  });
});

describe('a picture in another codec', () => {
  it('is for phones: nobody is told of it, only its codec shows', () => {
    const room = conference.media.rooms[0]!;
    const { id } = page.member.webRtcLeg as FakeWebRtcLeg;
    const info = room.addProducer(id, 'video', 'camera');
    const before = page.sink.events.length;
    const alternative = { ...info, id: 'prod_2' as typeof info.id, codec: 'H264' };
    room.events.emit('producerAdded', { ...alternative, alternative: true });
    expect(page.member.producers()).toHaveLength(1);
    expect(page.member.view()).toMatchObject({ video: true, videoCodecs: ['H264'] });
    room.events.emit('producerRemoved', { ...alternative, alternative: true });
    expect(page.member.view().videoCodecs).toEqual([]);
    expect(page.sink.events).toHaveLength(before);
  });
});

describe('a phone whose camera is switched off within its call', () => {
  it('is shown without a picture, and with one when it is on again', () => {
    const room = conference.media.rooms[0]!;
    const { id } = page.member.webRtcLeg as FakeWebRtcLeg;
    const info = room.addProducer(id, 'video', 'camera');
    const told = (): string[] => page.sink.events.map(({ type }) => type);
    const before = told().length;
    room.events.emit('producerPaused', { ...info, paused: true });
    expect(page.member.view().video).toBe(false);
    expect(page.member.producers()).toEqual([expect.objectContaining({ paused: true })]);
    room.events.emit('producerPaused', { ...info, paused: false });
    expect(page.member.view().video).toBe(true);
    expect(told().slice(before)).toEqual(['participant-updated', 'participant-updated']);
    room.events.emit('producerRemoved', info);
    room.events.emit('producerPaused', { ...info, paused: true });
    expect(page.member.producers()).toEqual([]);
  });
});
