import { describe, expect, it } from '@jest/globals';
import type { PhoneAudio } from '../../media/index.ts';
import { Conference, ROOM } from './room-harness.ts';

const audio = {} as PhoneAudio;

describe('joining', () => {
  it('puts nobody on the roster before it is active', async () => {
    const conference = new Conference();
    const ann = await conference.enter('Ann');
    const bob = await conference.join('Bob');

    expect(bob.state).toBe('joining');
    expect(bob.room.roster().map((member) => member.name)).toEqual(['Ann']);
    expect(ann.sink.take()).toEqual([]);
    bob.activate();
    expect(bob.room.roster().map((member) => member.name)).toEqual(['Ann', 'Bob']);
    expect(ann.sink.take()).toEqual(['participant-joined']);
  });

  it('tells a newcomer nothing of itself and nothing before it is active', async () => {
    const conference = new Conference();
    const { member: ann } = await conference.enter('Ann');
    const bob = await conference.enter('Bob');
    ann.setHandRaised(true);

    expect(bob.sink.take()).toEqual(['participant-updated']);
  });

  it('announces a participant before the streams that it already has', async () => {
    const conference = new Conference();
    const ann = await conference.enter('Ann');
    const phone = await conference.join('Phone', { kind: 'phone' });
    await phone.phoneLeg.configure(audio);

    expect(ann.sink.take()).toEqual([]);
    expect(ann.member.room.producers()).toEqual([]);
    phone.activate();
    expect(ann.sink.take()).toEqual(['participant-joined', 'producer-added']);
    expect(ann.member.room.producers(ann.member.id)).toMatchObject([
      { participantId: phone.id, kind: 'audio', source: 'microphone', paused: false },
    ]);
  });

  it('gives each kind its own leg', async () => {
    const conference = new Conference();
    const browser = await conference.join('Ann');
    const phone = await conference.join('Bob', { kind: 'phone' });

    expect(browser.webRtcLeg.id).toMatch(/^l_/);
    expect(phone.phoneLeg.rtpPort).toBe(40_000);
    expect(() => browser.phoneLeg).toThrow(TypeError);
    expect(() => phone.webRtcLeg).toThrow(TypeError);
  });

  it('shows a participant as the API promises', async () => {
    const conference = new Conference();
    conference.clock.advance(2000);
    const { member } = await conference.enter('Ann');
    expect(member.view()).toEqual({
      id: member.id,
      name: 'Ann',
      kind: 'browser',
      address: '192.0.2.1',
      role: 'host',
      state: 'joined',
      muted: false,
      speaking: false,
      handRaised: false,
      video: false,
      videoCodecs: [],
      joinedAt: '2026-01-01T00:00:02.000Z',
    });
  });
});

describe('members', () => {
  it('mutes the leg and tells everybody, the muted one too', async () => {
    const conference = new Conference();
    const ann = await conference.enter('Ann');
    const bob = await conference.enter('Bob');
    ann.sink.take();
    await bob.member.setMuted(true);

    expect(conference.media.rooms[0]?.webRtcLegs[1]?.muted).toBe(true);
    expect(ann.sink.events).toMatchObject([
      { type: 'participant-updated', participant: { name: 'Bob', muted: true } },
    ]);
    expect(bob.sink.take()).toEqual(['participant-updated']);
    await bob.member.setMuted(true);
    expect(bob.sink.take()).toEqual([]);
  });

  it('shows a paused microphone as muted, and lifts a mute with it', async () => {
    const conference = new Conference();
    const { member } = await conference.enter('Ann');
    const mic = conference.media.rooms[0]!.addProducer(member.webRtcLeg.id, 'audio', 'microphone');

    await member.setProducerPaused(mic.id, true);
    expect(member.muted).toBe(true);
    await member.setMuted(true);
    await member.setProducerPaused(mic.id, false);
    expect(member.muted).toBe(false);
    expect(conference.media.rooms[0]?.webRtcLegs[0]?.muted).toBe(false);
  });

  it('has video while a camera or a screen is sent', async () => {
    const conference = new Conference();
    const ann = await conference.enter('Ann');
    const bob = await conference.enter('Bob');
    const media = conference.media.rooms[0]!;
    ann.sink.take();
    const camera = media.addProducer(bob.member.webRtcLeg.id, 'video', 'camera');

    expect(bob.member.video).toBe(true);
    expect(ann.sink.take()).toEqual(['producer-added', 'participant-updated']);
    await bob.member.setProducerPaused(camera.id, true);
    expect(bob.member.video).toBe(false);
    expect(ann.sink.take()).toEqual(['producer-updated', 'participant-updated']);
    media.removeProducer(camera.id);
    expect(ann.sink.take()).toEqual(['producer-removed']);
  });

  it('survives a sink that throws', async () => {
    const conference = new Conference();
    const ann = await conference.enter('Ann');
    ann.sink.notify = () => {
      throw new Error('broken');
    };
    await conference.enter('Bob');

    expect(ann.member.room.roster()).toHaveLength(2);
  });
});

describe('speaking', () => {
  it('follows the media and goes to everybody', async () => {
    const conference = new Conference();
    const ann = await conference.enter('Ann');
    const bob = await conference.enter('Bob');
    const media = conference.media.rooms[0]!;
    ann.sink.take();
    media.events.emit('speakers', [{ legId: bob.member.webRtcLeg.id, level: -20 }]);

    expect(ann.sink.events).toEqual([
      { type: 'speaking', participantId: bob.member.id, speaking: true },
      { type: 'active-speaker', participantId: bob.member.id },
    ]);
    expect(bob.member.view().speaking).toBe(true);
    expect(ann.member.room.activeSpeaker).toBe(bob.member.id);
    expect(media.activeSpeaker).toBe(bob.member.webRtcLeg.id);
    ann.sink.take();
    media.events.emit('speakers', []);
    conference.clock.advance(1000);
    expect(ann.sink.events).toEqual([
      { type: 'speaking', participantId: bob.member.id, speaking: false },
    ]);
    expect(conference.clock.pendingTimers).toBe(0);
  });

  it('ends at once when the speaker is muted, and is not shown while it is', async () => {
    const conference = new Conference();
    const ann = await conference.enter('Ann');
    const media = conference.media.rooms[0]!;
    const speakers = [{ legId: ann.member.webRtcLeg.id, level: -20 }];
    media.events.emit('speakers', speakers);
    await ann.member.setMuted(true);
    media.events.emit('speakers', speakers);

    expect(ann.member.speaking).toBe(false);
  });

  it('hands the stage on before a leaving speaker is gone', async () => {
    const conference = new Conference();
    const ann = await conference.enter('Ann');
    const bob = await conference.enter('Bob');
    const legId = bob.member.webRtcLeg.id;
    conference.media.rooms[0]!.events.emit('speakers', [{ legId, level: -20 }]);
    ann.sink.take();
    await bob.member.leave('left');

    expect(ann.sink.events).toEqual([
      { type: 'active-speaker', participantId: undefined },
      { type: 'participant-left', participantId: bob.member.id, reason: 'left' },
    ]);
  });
});

describe('leaving', () => {
  it('withdraws streams first and names the one who left last', async () => {
    const conference = new Conference();
    const ann = await conference.enter('Ann');
    const bob = await conference.enter('Bob');
    const media = conference.media.rooms[0]!;
    media.addProducer(bob.member.webRtcLeg.id, 'audio', 'microphone');
    media.addProducer(bob.member.webRtcLeg.id, 'video', 'camera');
    ann.sink.take();
    await bob.member.leave('left');

    expect(ann.sink.take()).toEqual(['producer-removed', 'producer-removed', 'participant-left']);
  });

  it('ends once, with the first reason, whoever asks how often', async () => {
    const conference = new Conference();
    const { member, sink } = await conference.enter('Ann');
    await Promise.all([member.leave('kicked'), member.leave('left'), member.leave('room-ended')]);
    await member.leave('left');

    expect(sink.endings).toEqual(['kicked']);
    expect(member.state).toBe('left');
    expect(conference.media.rooms[0]?.webRtcLegs[0]?.closed).toBe(true);
  });

  it('tells the front end before the media is closed', async () => {
    const conference = new Conference();
    const { member, sink } = await conference.enter('Ann');
    const leaving = member.leave('left');

    expect(sink.endings).toEqual(['left']);
    expect(conference.media.rooms[0]?.webRtcLegs[0]?.closed).toBe(false);
    await leaving;
  });

  it('refuses changes of who has left', async () => {
    const conference = new Conference();
    const { member } = await conference.enter('Ann');
    await member.leave('left');

    expect(() => member.setName('Bob')).toThrow('has left');
    await expect(member.setMuted(true)).rejects.toMatchObject({ code: 'PARTICIPANT_NOT_FOUND' });
    member.activate();
    expect(member.state).toBe('left');
  });

  it('follows a phone leg that times out', async () => {
    const conference = new Conference();
    const phone = await conference.enter('Phone', { kind: 'phone' });
    conference.media.rooms[0]?.phoneLegs[0]?.events.emit('timeout');

    expect(phone.sink.endings).toEqual(['media-timeout']);
  });

  it('follows a leg that closed by itself', async () => {
    const conference = new Conference();
    const { sink } = await conference.enter('Ann');
    await conference.media.rooms[0]?.webRtcLegs[0]?.close();

    expect(sink.endings).toEqual(['media-failed']);
  });
});

describe('the end of a meeting', () => {
  it('comes when the last one leaves; the media goes after the legs', async () => {
    const conference = new Conference();
    const ann = await conference.enter('Ann');
    const bob = await conference.enter('Bob');
    await ann.member.leave('left');
    expect(conference.media.openRooms).toHaveLength(1);
    await bob.member.leave('left');
    await conference.clock.advanceAsync(0);

    expect(conference.rooms.get(ROOM)).toBeUndefined();
    expect(conference.media.openRooms).toHaveLength(0);
    expect(conference.media.rooms[0]?.openLegsAtClose).toBe(0);
    expect(conference.log).toEqual([
      'started 1000',
      'joined Ann',
      'joined Bob',
      'left Ann left',
      'left Bob left',
      'ended 1000 left',
    ]);
  });

  it('comes for all when the media fails, and the next one gets new media', async () => {
    const conference = new Conference();
    const ann = await conference.enter('Ann');
    const phone = await conference.enter('Bob', { kind: 'phone' });
    conference.media.rooms[0]?.events.emit('failed', 'worker died');
    const again = await conference.join('Ann');

    expect(ann.sink.endings).toEqual(['media-failed']);
    expect(phone.sink.endings).toEqual(['media-failed']);
    expect(again.room).not.toBe(ann.member.room);
    await conference.clock.advanceAsync(0);
    expect(conference.media.openRooms).toEqual([conference.media.rooms[1]]);
    expect(conference.log).toContain('ended 1000 media-failed');
  });

  it('leaves no timer', async () => {
    const conference = new Conference();
    const { member } = await conference.enter('Ann');
    const legId = member.webRtcLeg.id;
    conference.media.rooms[0]!.events.emit('speakers', [{ legId, level: -20 }]);
    conference.media.rooms[0]!.events.emit('speakers', []);
    await member.leave('left');

    expect(conference.clock.pendingTimers).toBe(0);
  });
});
