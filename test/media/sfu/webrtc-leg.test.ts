/** Size: the rules of one leg share a room with the real worker. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { setLogEventListeners, type types as mediasoup } from 'mediasoup';
import type { ConsumerId, ProducerId } from '../../../base/index.ts';
import type { ProducerInfo, WebRtcLeg } from '../../../media/media-api.ts';
import { createRoomMedia, type SfuRoomMedia } from '../../../media/room-media.ts';
import { WorkerPool } from '../../../media/worker-pool.ts';
import { IceChecker } from '../../support/ice-checker.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { FakeMixerPool } from '../fake-mixer-pool.ts';
import {
  cameraParameters,
  dtlsParameters,
  microphoneParameters,
  testDeps,
  testSettings,
  testRoomVideo,
} from '../media-fixture.ts';

const audioOnly = (capabilities: mediasoup.RtpCapabilities): mediasoup.RtpCapabilities => ({
  ...capabilities,
  codecs: (capabilities.codecs ?? []).filter(({ kind }) => kind === 'audio'),
});

const microphone = (transportId: string, paused = false): Parameters<WebRtcLeg['produce']>[0] => ({
  transportId,
  kind: 'audio',
  source: 'microphone',
  rtpParameters: microphoneParameters(),
  paused,
});

describe("a browser's leg", () => {
  let pool: WorkerPool;
  let room: SfuRoomMedia;
  let alice: WebRtcLeg;
  let bob: WebRtcLeg;
  let sendId: string;

  beforeAll(async () => {
    pool = await WorkerPool.start(await testSettings(), testDeps);
  });

  afterAll(async () => {
    await pool?.close();
  });

  beforeEach(async () => {
    room = await createRoomMedia({
      consentTimeout: 1,
      ...(await pool.createRouter()),
      mixers: new FakeMixerPool(),
      loopbackPorts: { min: 30_000, max: 39_999 },
      ...testRoomVideo(),
      logger: testDeps.logger,
      closed: () => undefined,
    });
    alice = await room.createWebRtcLeg();
    bob = await room.createWebRtcLeg();
    sendId = (await alice.createTransport('send')).id;
  });

  afterEach(async () => {
    await room.close();
    expect(pool.open()).toEqual({ transports: 0, producers: 0, consumers: 0 });
  });

  const publishMicrophone = (paused = false): Promise<ProducerInfo> =>
    alice.produce(microphone(sendId, paused));
  const publishCamera = (): Promise<ProducerInfo> =>
    alice.produce({
      transportId: sendId,
      kind: 'video',
      source: 'camera',
      rtpParameters: cameraParameters(),
      paused: false,
    });

  describe('its transports', () => {
    it('are on the one WebRTC port, by UDP and TCP', async () => {
      const { iceCandidates } = await bob.createTransport('recv');
      expect(iceCandidates.map(({ protocol }) => protocol).sort()).toEqual(['tcp', 'udp']);
      expect(new Set(iceCandidates.map(({ port }) => port)).size).toBe(1);
      expect(iceCandidates[0]?.address).toBe('127.0.0.1');
    });

    it('are two at most in each direction, also when they are asked for at once', async () => {
      const asked = [1, 2, 3].map(() => bob.createTransport('recv'));
      const outcomes = await Promise.allSettled(asked);
      expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
      await expect(bob.createTransport('recv')).rejects.toMatchObject({ code: 'INVALID_STATE' });
      await expect(bob.createTransport('send')).resolves.toBeDefined();
    });

    it('connect once, with parameters that make sense', async () => {
      await expect(
        alice.connectTransport(sendId, { role: 'client', fingerprints: [] }),
      ).rejects.toMatchObject({ code: 'BAD_REQUEST' });
      await alice.connectTransport(sendId, dtlsParameters);
      await expect(alice.connectTransport(sendId, dtlsParameters)).rejects.toMatchObject({
        code: 'INVALID_STATE',
      });
    });

    it('restart ICE with a new user name', async () => {
      const first = await alice.restartIce(sendId);
      const second = await alice.restartIce(sendId);
      expect(second.usernameFragment).not.toBe(first.usernameFragment);
    });

    it('are those of the leg alone', async () => {
      for (const request of [
        bob.connectTransport(sendId, dtlsParameters),
        bob.restartIce(sendId),
        bob.produce(microphone(sendId)),
      ]) {
        await expect(request).rejects.toMatchObject({ code: 'NOT_FOUND' });
      }
    });
  });

  describe('what it publishes', () => {
    it('is known to the room', async () => {
      const info = await publishMicrophone();
      expect(info).toMatchObject({ legId: alice.id, source: 'microphone', paused: false });
      expect(room.producers()).toEqual([info]);
      await alice.closeProducer(info.id);
      expect(room.producers()).toEqual([]);
      await expect(alice.closeProducer(info.id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    });

    it('is one microphone, also when two are sent at once', async () => {
      const outcomes = await Promise.allSettled([publishMicrophone(), publishMicrophone()]);
      expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    });

    it.each<[string, Partial<mediasoup.RtpParameters>]>([
      ['without codecs', { codecs: [] }],
      ['of an unknown codec', { codecs: [{ ...opus(), mimeType: 'audio/speex' }] }],
      ['of video as audio', { codecs: cameraParameters().codecs }],
      ['in several encodings', { encodings: [{ ssrc: 1 }, { ssrc: 2 }] }],
      ['with a broken SSRC', { encodings: [{ ssrc: 'x' as unknown as number }] }],
      [
        'with endless extensions',
        { headerExtensions: Array.from({ length: 1000 }, () => ({ uri: 'x' as never, id: 1 })) },
      ],
      ['of nonsense', { codecs: 'opus' as unknown as [] }],
    ])('is not audio %s', async (_what, change) => {
      const request = alice.produce({
        transportId: sendId,
        kind: 'audio',
        source: 'microphone',
        rtpParameters: { ...microphoneParameters(), ...change },
        paused: false,
      });
      await expect(request).rejects.toMatchObject({ code: 'BAD_REQUEST' });
      expect(room.producers()).toEqual([]);
      await expect(publishMicrophone()).resolves.toBeDefined();
    });

    it('has SSRCs of its own', async () => {
      await publishMicrophone();
      const request = alice.produce({
        transportId: sendId,
        kind: 'audio',
        source: 'screen',
        rtpParameters: { ...microphoneParameters(), mid: '7' },
        paused: false,
      });
      await expect(request).rejects.toMatchObject({ code: 'BAD_REQUEST' });
    });

    it('goes by the transport for sending', async () => {
      const { id: transportId } = await alice.createTransport('recv');
      const request = alice.produce({
        transportId,
        kind: 'audio',
        source: 'microphone',
        rtpParameters: microphoneParameters(),
        paused: false,
      });
      await expect(request).rejects.toMatchObject({ code: 'INVALID_STATE' });
    });

    it('flows only while neither the browser nor the room holds it', async () => {
      await bob.createTransport('recv');
      const { id } = await publishMicrophone();
      const states: boolean[] = [];
      await bob.consume(id, room.rtpCapabilities);
      bob.events.on('consumerPaused', (_id, paused) => states.push(paused));
      const paused = (): boolean | undefined => room.producers()[0]?.paused;

      await alice.setMuted(true);
      expect(paused()).toBe(true);
      await alice.setProducerPaused(id, true);
      await alice.setMuted(false);
      expect(paused()).toBe(true);
      await alice.setProducerPaused(id, false);
      expect(paused()).toBe(false);
      await waitUntil('both changes', () => (states.length === 2 ? undefined : `${states.length}`));
      expect(states).toEqual([true, false]);
    });

    it('begins muted when the room muted the leg before', async () => {
      await alice.setMuted(true);
      expect(await publishMicrophone()).toMatchObject({ paused: true });
      expect(await publishCamera()).toMatchObject({ paused: false });
    });
  });

  describe('what it receives', () => {
    it('begins paused, in the codec of the sender', async () => {
      await bob.createTransport('recv');
      const { id } = await publishMicrophone(true);
      const consumer = await bob.consume(id, room.rtpCapabilities);
      expect(consumer).toMatchObject({ producerId: id, kind: 'audio', producerPaused: true });
      expect(consumer.rtpParameters.codecs[0]).toMatchObject({
        mimeType: 'audio/opus',
        payloadType: 111,
      });
      await bob.setConsumerPaused(consumer.id, false);
      await bob.closeConsumer(consumer.id);
      await expect(bob.setConsumerPaused(consumer.id, false)).rejects.toMatchObject({
        code: 'NOT_FOUND',
      });
      await expect(bob.consume(id, room.rtpCapabilities)).resolves.toBeDefined();
    });

    it('is given anew to who asks again, as the answer may have got lost', async () => {
      await bob.createTransport('recv');
      const { id } = await publishMicrophone();
      const first = await bob.consume(id, room.rtpCapabilities);
      await bob.createTransport('recv');
      const second = await bob.consume(id, room.rtpCapabilities);
      await expect(bob.setConsumerPaused(first.id, false)).rejects.toMatchObject({
        code: 'NOT_FOUND',
      });
      await bob.setConsumerPaused(second.id, false);
      await waitUntil('the first is gone', () =>
        pool.open().consumers === 1 ? undefined : `${pool.open().consumers} there`,
      );
    });

    it('is one of three layers, with retransmission', async () => {
      await bob.createTransport('recv');
      const { id } = await publishCamera();
      const consumer = await bob.consume(id, room.rtpCapabilities);
      expect(consumer.rtpParameters.codecs.map(({ mimeType }) => mimeType)).toEqual([
        'video/VP8',
        'video/rtx',
      ]);
      expect(consumer.rtpParameters.encodings?.[0]?.scalabilityMode).toBe('L3T2');
      await bob.setPreferredLayers(consumer.id, { spatial: 1, temporal: 1 });
      await bob.setPreferredLayers(consumer.id, { spatial: 0 });
      for (const spatial of [-1, 1.5, Number.NaN, 1000]) {
        await expect(bob.setPreferredLayers(consumer.id, { spatial })).rejects.toMatchObject({
          code: 'BAD_REQUEST',
        });
      }
    });

    it('is refused at the wrong moment, without a common codec, twice at once, or of itself', async () => {
      const { id } = await publishCamera();
      await expect(bob.consume(id, room.rtpCapabilities)).rejects.toMatchObject({
        code: 'INVALID_STATE',
      });
      await bob.createTransport('recv');
      await alice.createTransport('recv');
      const nonsense = { codecs: [{ kind: 'video' }] } as unknown as mediasoup.RtpCapabilities;
      for (const capabilities of [audioOnly(room.rtpCapabilities), {}, nonsense]) {
        await expect(bob.consume(id, capabilities)).rejects.toMatchObject({ code: 'BAD_REQUEST' });
      }
      await expect(bob.consume('nobody' as ProducerId, room.rtpCapabilities)).rejects.toMatchObject(
        { code: 'NOT_FOUND' },
      );
      await expect(alice.consume(id, room.rtpCapabilities)).rejects.toMatchObject({
        code: 'BAD_REQUEST',
      });
      const outcomes = await Promise.allSettled([
        bob.consume(id, room.rtpCapabilities),
        bob.consume(id, room.rtpCapabilities),
      ]);
      expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    });

    it('ends when its sender stops, and only then is it told so', async () => {
      await bob.createTransport('recv');
      const ended: ConsumerId[] = [];
      bob.events.on('consumerClosed', (id) => ended.push(id));
      const microphone = await publishMicrophone();
      const camera = await publishCamera();
      const own = await bob.consume(microphone.id, room.rtpCapabilities);
      const others = await bob.consume(camera.id, room.rtpCapabilities);
      await bob.closeConsumer(own.id);
      await alice.close();
      await waitUntil('the end is told', () => (ended.length > 0 ? undefined : 'not'));
      expect(ended).toEqual([others.id]);
    });
  });

  it('asks nothing of the worker about streams whose sender left in the same moment', async () => {
    const complaints: string[] = [];
    setLogEventListeners({ onerror: (_namespace, text) => complaints.push(text) });
    await bob.createTransport('recv');
    const [microphone, camera] = [await publishMicrophone(), await publishCamera()];
    const voice = await bob.consume(microphone.id, room.rtpCapabilities);
    const picture = await bob.consume(camera.id, room.rtpCapabilities);
    const leaving = alice.close();
    const outcomes = await Promise.allSettled([
      bob.closeConsumer(voice.id),
      bob.setConsumerPaused(picture.id, false),
      bob.setPreferredLayers(picture.id, { spatial: 0 }),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
    await Promise.all([leaving, bob.close()]);
    // Answered after all that was asked before.
    await (await room.createWebRtcLeg()).createTransport('recv');
    setLogEventListeners({});
    expect(complaints).toEqual([]);
  });

  it('7675-5.1: tells that nothing comes of a phone any more, and that a restart found it again', async () => {
    const states: string[] = [];
    for (const event of ['connected', 'interrupted', 'disconnected'] as const) {
      bob.events.on(event, () => states.push(event));
    }
    const peer = await IceChecker.open();
    const { id, iceParameters, iceCandidates } = await bob.createTransport('both');
    const until = (expected: string[], act: () => void): Promise<void> =>
      waitUntil(`it was ${expected.join()}`, () => {
        if (states.length < expected.length) act();

        // A busy machine may be interrupted once more meanwhile.
        const first = states.slice(0, expected.length).join();

        return first === expected.join() ? undefined : first;
      });
    const candidate = iceCandidates.find(({ protocol }) => protocol === 'udp')!;
    await until(['connected'], () => peer.check(iceParameters, candidate));
    await until(['connected', 'interrupted'], () => undefined);
    const restarted = await bob.restartIce(id);
    expect(restarted.usernameFragment).not.toBe(iceParameters.usernameFragment);
    await until(['connected', 'interrupted', 'connected'], () => peer.check(restarted, candidate));
    await waitUntil('its checks are answered', () => (peer.answered > 1 ? undefined : 'not yet'));
    peer.close();
  }, 60_000);

  it('closes once, and closes what the worker makes meanwhile', async () => {
    let closed = 0;
    alice.events.on('closed', () => closed++);
    const pending = [publishMicrophone(), publishCamera(), alice.createTransport('recv')];
    await Promise.all([alice.close(), alice.close()]);
    for (const { status } of await Promise.allSettled(pending)) expect(status).toBe('rejected');
    expect(closed).toBe(1);
    expect(room.producers()).toEqual([]);
    await expect(alice.createTransport('send')).rejects.toMatchObject({ code: 'INVALID_STATE' });
    await expect(publishMicrophone()).rejects.toMatchObject({ code: 'INVALID_STATE' });
    expect(pool.open()).toEqual({ transports: 0, producers: 0, consumers: 0 });
  });
});

function opus(): mediasoup.RtpCodecParameters {
  return microphoneParameters().codecs[0]!;
}
