import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { createMediaEngine, audioCodec, type MediaEngine } from '../../media/index.ts';
import { letRun, waitUntil } from '../support/wait-until.ts';
import { phoneAudio } from './fake-mixer-pool.ts';
import { microphoneParameters, testDeps, testSettings } from './media-fixture.ts';
import { RtpPeer } from './rtp-peer.ts';

// Workers start slowly on a busy machine.
jest.setTimeout(30_000);

const NOTHING = {
  phoneLegs: 0,
  phoneVideos: 0,
  rtpPorts: 0,
  transports: 0,
  producers: 0,
  consumers: 0,
};

describe('the media engine', () => {
  let engine: MediaEngine | undefined;

  afterEach(async () => {
    await engine?.close();
  });

  it('carries a phone and a browser in one room, and has nothing open when they left', async () => {
    engine = await createMediaEngine(await testSettings(), testDeps);
    expect(engine.unreadyReason()).toBeUndefined();
    expect(engine.counters().open).toEqual(NOTHING);

    const room = await engine.createRoom();
    const speakers: string[] = [];
    room.events.on('speakers', (levels) => speakers.push(...levels.map(({ legId }) => legId)));
    const device = await RtpPeer.open(audioCodec('PCMU'));
    const phone = await room.createPhoneLeg();
    await phone.configure(phoneAudio('PCMU', { remoteRtpPort: device.port }));
    device.play(440, { port: phone.rtpPort, ssrc: 5, payloadType: 0 });
    const browser = await room.createWebRtcLeg();
    const { id: transportId } = await browser.createTransport('send');
    await browser.createTransport('recv');
    await browser.produce({
      transportId,
      kind: 'audio',
      source: 'microphone',
      rtpParameters: microphoneParameters(),
      paused: false,
    });
    await waitUntil('both are published', () =>
      room.producers().length === 2 ? undefined : `${room.producers().length}`,
    );
    const phoneProducer = room.producers().find(({ legId }) => legId === phone.id);
    await browser.consume(phoneProducer!.id, room.rtpCapabilities);

    await waitUntil('the phone speaks', () => (speakers.length > 0 ? undefined : 'silence'));
    expect(new Set(speakers)).toEqual(new Set([phone.id]));
    await waitUntil('the microphone is in the mix', () =>
      engine?.counters().open.consumers === 2 ? undefined : 'not',
    );
    expect(engine.counters().open).toEqual({
      phoneLegs: 1,
      phoneVideos: 0,
      rtpPorts: 2,
      transports: 4,
      producers: 2,
      consumers: 2,
    });
    await waitUntil('packets are counted', () =>
      (engine?.counters().rtpPacketsIn ?? 0) > 10 ? undefined : 'none',
    );
    expect((await phone.stats()).codec).toBe('PCMU');

    await Promise.all([phone.close(), browser.close()]);
    await letRun(50);
    expect(engine.counters().open).toEqual(NOTHING);
    await room.close();
    await device.close();
  });

  it('closes its rooms with itself, once, and makes no more', async () => {
    engine = await createMediaEngine(await testSettings(), testDeps);
    const room = await engine.createRoom();
    const phone = await room.createPhoneLeg();
    const browser = await room.createWebRtcLeg();
    const closed: string[] = [];
    phone.events.on('closed', () => closed.push('phone'));
    browser.events.on('closed', () => closed.push('browser'));
    room.events.on('failed', () => closed.push('failed'));
    await Promise.all([engine.close(), engine.close()]);
    expect(closed.sort()).toEqual(['browser', 'phone']);
    expect(engine.counters().open).toEqual(NOTHING);
    expect(engine.unreadyReason()).toMatch(/closed/);
    await expect(engine.createRoom()).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
  });

  it('does not start half', async () => {
    const settings = await testSettings();
    engine = await createMediaEngine(settings, testDeps);
    await expect(createMediaEngine(settings, testDeps)).rejects.toThrow(/WEBRTC_PORT/);
  });
});
