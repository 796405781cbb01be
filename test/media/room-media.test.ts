import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { AppError } from '../../base/index.ts';
import type { ProducerInfo, SpeakerLevel } from '../../media/media-api.ts';
import { createRoomMedia, type SfuRoomMedia } from '../../media/room-media.ts';
import { WorkerPool } from '../../media/worker-pool.ts';
import { waitUntil } from '../support/wait-until.ts';
import { FakeMixerPool, phoneAudio, type FakeMixerRoom } from './fake-mixer-pool.ts';
import {
  cameraParameters,
  microphoneParameters,
  testDeps,
  testSettings,
  testRoomVideo,
} from './media-fixture.ts';

describe('the media of a room', () => {
  let pool: WorkerPool;
  let mixers: FakeMixerPool;
  let room: SfuRoomMedia;
  let log: string[];
  let closedRooms: number;

  beforeAll(async () => {
    pool = await WorkerPool.start(await testSettings(), testDeps);
  });

  afterAll(async () => {
    await pool?.close();
  });

  beforeEach(async () => {
    mixers = new FakeMixerPool();
    closedRooms = 0;
    room = await createRoomMedia({
      consentTimeout: 30,
      ...(await pool.createRouter()),
      mixers,
      loopbackPorts: { min: 30_000, max: 39_999 },
      ...testRoomVideo(),
      logger: testDeps.logger,
      closed: () => closedRooms++,
    });
    log = [];
    room.events.on('producerAdded', (info) => log.push(`+${describeProducer(info)}`));
    room.events.on('producerRemoved', (info) => log.push(`-${describeProducer(info)}`));
  });

  afterEach(async () => {
    await room.close();
    expect(closedRooms).toBe(1);
    expect(pool.open()).toEqual({ transports: 0, producers: 0, consumers: 0 });
  });

  const describeProducer = ({ kind, source }: ProducerInfo): string => `${source} ${kind}`;
  const mixer = (): FakeMixerRoom => mixers.rooms[0]!;

  async function browserWithMicrophone() {
    const leg = await room.createWebRtcLeg();
    const { id: transportId } = await leg.createTransport('send');
    const microphone = await leg.produce({
      transportId,
      kind: 'audio',
      source: 'microphone',
      rtpParameters: microphoneParameters(),
      paused: false,
    });

    return { leg, transportId, microphone };
  }

  async function phone(codec: 'PCMU' | 'PCMA' | 'opus' = 'PCMU') {
    const leg = await room.createPhoneLeg();
    await leg.configure(phoneAudio(codec));

    return leg;
  }

  const published = (count: number): Promise<void> =>
    waitUntil(`${count} published`, () =>
      mixer().published.size === count ? undefined : `${mixer().published.size}`,
    );
  const microphones = (count: number): Promise<void> =>
    waitUntil(`${count} microphones`, () =>
      mixer().microphones.size === count ? undefined : `${mixer().microphones.size}`,
    );

  it('has no mixer before its first phone, and one for all of them', async () => {
    await browserWithMicrophone();
    expect(mixers.rooms).toHaveLength(0);
    await phone();
    await phone();
    expect(mixers.rooms).toHaveLength(1);
  });

  it('publishes a phone, under an id that browsers can receive, while there are browsers', async () => {
    const leg = await phone();
    expect(room.producers()).toEqual([]);
    const browser = await room.createWebRtcLeg();
    await published(1);
    expect(log).toEqual(['+microphone audio']);
    const [info] = room.producers();
    expect(info).toMatchObject({ legId: leg.id, kind: 'audio', source: 'microphone' });

    await browser.createTransport('recv');
    const consumer = await browser.consume(info!.id, room.rtpCapabilities);
    expect(consumer.rtpParameters.codecs[0]?.mimeType).toBe('audio/PCMU');

    await browser.close();
    await published(0);
    expect(log).toEqual(['+microphone audio', '-microphone audio']);
    expect(pool.open()).toEqual({ transports: 0, producers: 0, consumers: 0 });
  });

  it('publishes a phone anew when its codec changes, and only then', async () => {
    await room.createWebRtcLeg();
    const leg = await phone('PCMU');
    await published(1);
    const before = room.producers()[0]!.id;
    await leg.configure(phoneAudio('PCMU', { remoteRtpPort: 50_010 }));
    await leg.configure(phoneAudio('opus'));
    await waitUntil('the new codec', () =>
      mixer().published.get(leg.id)?.codec.name === 'opus' ? undefined : 'the old one',
    );
    await waitUntil('the new producer', () => (room.producers().length === 1 ? undefined : 'none'));
    expect(room.producers()[0]!.id).not.toBe(before);
    expect(log).toEqual(['+microphone audio', '-microphone audio', '+microphone audio']);
  });

  it('shows a phone that is muted or on hold as paused', async () => {
    await room.createWebRtcLeg();
    const leg = await phone();
    await published(1);
    await leg.setMuted(true);
    expect(room.producers()[0]?.paused).toBe(true);
    expect(mixer().legs.get(leg.id)?.muted).toBe(true);
    await leg.setMuted(false);
    expect(room.producers()[0]?.paused).toBe(false);
    await leg.configure(phoneAudio('PCMU', { direction: 'sendonly' }));
    expect(room.producers()[0]?.paused).toBe(true);
  });

  it('brings microphones into the mix while there are phones, cameras never', async () => {
    const { leg, transportId, microphone } = await browserWithMicrophone();
    await leg.produce({
      transportId,
      kind: 'video',
      source: 'camera',
      rtpParameters: cameraParameters(),
      paused: false,
    });
    const first = await phone();
    await microphones(1);
    expect(mixer().microphones.get(leg.id)).toMatchObject({
      codec: { name: 'opus' },
      payloadType: 111,
      audioLevelExtensionId: 6,
    });

    await leg.closeProducer(microphone.id);
    await microphones(0);
    await browserWithMicrophone();
    await microphones(1);
    await first.close();
    await microphones(0);
  });

  it.each(['before the mixer answers', 'after'])(
    'leaks nothing when everybody leaves %s',
    async (when) => {
      const { leg: browser } = await browserWithMicrophone();
      const leg = await phone();
      let open = (): void => undefined;
      if (when === 'after') await Promise.all([microphones(1), published(1)]);
      else mixer().gate = new Promise((resolve) => (open = resolve));
      const second = room.createPhoneLeg();
      const leaving = [leg.close(), browser.close()];
      open();
      await Promise.all([...leaving, second.then((late) => late.close())]);
      await waitUntil('nothing is open', () =>
        pool.open().transports === 0 ? undefined : JSON.stringify(pool.open()),
      );
      expect(room.producers()).toEqual([]);
      expect(mixer()).toMatchObject({
        legs: new Map(),
        published: new Map(),
        microphones: new Map(),
      });
    },
  );

  it('closes a phone leg that the mixer makes while the room closes', async () => {
    await phone();
    let open = (): void => undefined;
    mixer().gate = new Promise((resolve) => (open = resolve));
    const late = room.createPhoneLeg();
    const closing = room.close();
    open();
    await expect(late).rejects.toMatchObject({ code: 'ROOM_CLOSED' });
    await closing;
    expect(mixer().legs.size).toBe(0);
  });

  it('goes on without a mixer that refuses: the phone is not published, the call stays', async () => {
    await room.createWebRtcLeg();
    const leg = await phone();
    mixer().failure = new Error('no');
    await browserWithMicrophone();
    mixer().failure = undefined;
    await leg.configure(phoneAudio('PCMA'));
    await published(1);
    expect(room.producers().filter(({ legId }) => legId === leg.id)).toHaveLength(1);
  });

  it('tells a phone of its timeout and its keys, and everybody who speaks', async () => {
    const leg = await phone();
    const heard: unknown[] = [];
    leg.events.on('timeout', () => heard.push('timeout'));
    leg.events.on('dtmf', (digit, ms) => heard.push([digit, ms]));
    const speakers: SpeakerLevel[][] = [];
    room.events.on('speakers', (levels) => speakers.push(levels));

    mixer().events.emit('legTimeout', leg.id);
    mixer().events.emit('legDtmf', leg.id, '5', 120);
    mixer().events.emit('speakers', [{ legId: leg.id, level: -20 }]);
    expect(heard).toEqual(['timeout', ['5', 120]]);
    expect(speakers).toEqual([[{ legId: leg.id, level: -20 }]]);
    await leg.close();
    expect(speakers.at(-1)).toEqual([]);
  });

  it('fails as a whole when the mixer thread dies, and refuses what comes after', async () => {
    const { leg } = await browserWithMicrophone();
    const phoneLeg = await phone();
    const events: string[] = [];
    room.events.on('failed', (reason) => events.push(reason));
    leg.events.on('closed', () => events.push('browser closed'));
    phoneLeg.events.on('closed', () => events.push('phone closed'));
    mixer().events.emit('failed', 'the mixer thread died');
    mixer().events.emit('failed', 'again');
    await room.close();
    expect(events).toEqual(['the mixer thread died', 'browser closed', 'phone closed']);
    await expect(room.createWebRtcLeg()).rejects.toThrow(AppError);
  });

  it('fails when its worker dies', async () => {
    await browserWithMicrophone();
    await phone();
    const failed = new Promise<string>((resolve) => room.events.once('failed', resolve));
    process.kill(pool.pids[0]!, 'SIGKILL');
    await expect(failed).resolves.toMatch(/worker/);
    await room.close();
    await waitUntil('the worker is replaced', () => pool.unreadyReason());
  });
});
