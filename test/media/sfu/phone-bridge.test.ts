import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { types as mediasoup } from 'mediasoup';
import { newLegId, type LegId } from '../../../base/index.ts';
import { audioCodec, type AudioCodecName } from '../../../media/codecs.ts';
import type { ProducerInfo } from '../../../media/media-api.ts';
import { createMixerPool, type MixerPool, type MixerRoom } from '../../../media/mixer/index.ts';
import { PhoneBridge } from '../../../media/sfu/phone-bridge.ts';
import { mimeType } from '../../../media/sfu/router-codecs.ts';
import { WorkerPool } from '../../../media/worker-pool.ts';
import { toneLevel } from '../../support/tone-meter.ts';
import { letRun, waitUntil } from '../../support/wait-until.ts';
import { phoneAudio } from '../fake-mixer-pool.ts';
import { testDeps, testSettings } from '../media-fixture.ts';
import { RtpPeer } from '../rtp-peer.ts';

const LEVEL_ID = 6;

describe('the bridge, with the real worker, a real mixer thread and real UDP', () => {
  let workers: WorkerPool;
  let mixers: MixerPool;
  let router: mediasoup.Router;
  let mixer: MixerRoom;
  let bridge: PhoneBridge;
  let peers: RtpPeer[];
  let producers: Map<string, mediasoup.Producer>;
  let infos: ProducerInfo[];

  beforeAll(async () => {
    const settings = await testSettings();
    workers = await WorkerPool.start(settings, testDeps);
    mixers = await createMixerPool(settings, { ...testDeps, bindAddress: '127.0.0.1' });
  });

  afterAll(async () => {
    await mixers?.close();
    await workers?.close();
  });

  beforeEach(async () => {
    peers = [];
    ({ router } = await workers.createRouter());
    producers = new Map();
    router.observer.on('newtransport', (transport) => {
      transport.observer.on('newproducer', (producer) => producers.set(producer.id, producer));
    });
    mixer = mixers.createRoom();
    infos = [];
    bridge = new PhoneBridge({
      router,
      mixer,
      ports: { min: 30_000, max: 39_999 },
      logger: testDeps.logger,
      producerAdded: (info) => infos.push(info),
      producerRemoved: () => infos.pop(),
    });
  });

  afterEach(async () => {
    await bridge.close();
    await mixer.close();
    await Promise.all(peers.map((peer) => peer.close()));
    router.close();
    expect(workers.open()).toEqual({ transports: 0, producers: 0, consumers: 0 });
    expect(mixers.counters()).toMatchObject({ phoneLegs: 0, rtpPorts: 0 });
  });

  async function peer(codecName: AudioCodecName): Promise<RtpPeer> {
    const opened = await RtpPeer.open(audioCodec(codecName));
    peers.push(opened);

    return opened;
  }

  async function phone(codecName: AudioCodecName, frequency?: number) {
    const device = await peer(codecName);
    const id = newLegId();
    const { rtpPort } = await mixer.createLeg(id);
    const audio = phoneAudio(codecName, {
      remoteRtpPort: device.port,
      remoteRtcpPort: device.port + 1,
    });
    await mixer.configureLeg(id, audio);
    await bridge.phoneJoined(id);
    await bridge.phoneConfigured(id, audio);
    const { payloadType } = audioCodec(codecName);
    if (frequency !== undefined) device.play(frequency, { port: rtpPort, ssrc: 77, payloadType });

    return { id, device };
  }

  /** A microphone as mediasoup has it, but fed without DTLS. */
  async function microphone(codecName: AudioCodecName, frequency: number) {
    const device = await peer(codecName);
    const transport = await router.createPlainTransport({
      listenInfo: { protocol: 'udp', ip: '127.0.0.1' },
      comedia: true,
      rtcpMux: true,
    });
    const codec = audioCodec(codecName);
    const { payloadType, clockRate, channels } = codec;
    const producer = await transport.produce({
      kind: 'audio',
      rtpParameters: {
        codecs: [{ mimeType: mimeType(codec), payloadType, clockRate, channels }],
        headerExtensions: [{ uri: 'urn:ietf:params:rtp-hdrext:ssrc-audio-level', id: LEVEL_ID }],
        encodings: [{ ssrc: 4242 }],
      },
    });
    const port = transport.tuple.localPort;
    device.play(frequency, { port, ssrc: 4242, payloadType, levelId: LEVEL_ID });
    const legId = newLegId();

    return { legId, producer, transport };
  }

  async function packets(id: string): Promise<number> {
    const [stats] = await producers.get(id)!.getStats();

    return stats?.packetCount ?? 0;
  }

  it.each(['PCMU', 'PCMA', 'opus'] as const)(
    "a %s phone's packets reach its producer, with the level that browsers are shown",
    async (codecName) => {
      await bridge.setBrowsers(true);
      await phone(codecName, 440);
      const [info] = infos;
      await waitUntil('packets flow', async () =>
        (await packets(info!.id)) > 20 ? undefined : `${await packets(info!.id)}`,
      );
      const [stats] = await producers.get(info!.id)!.getStats();
      expect(stats).toMatchObject({ mimeType: mimeType(audioCodec(codecName)), packetsLost: 0 });
      expect(producers.get(info!.id)!.score).toMatchObject([{ score: 10 }]);

      const observer = await router.createAudioLevelObserver({ interval: 250, threshold: -60 });
      const volume = new Promise<number>((resolve) => {
        observer.on('volumes', ([loudest]) => resolve(loudest!.volume));
      });
      await observer.addProducer({ producerId: info!.id });
      // A sine of −12 dBFS peak has 3 dB less power.
      expect(Math.abs((await volume) + 15)).toBeLessThanOrEqual(2);
      observer.close();
    },
  );

  it('nothing of a phone is sent to the SFU without browsers', async () => {
    await phone('PCMU', 440);
    await letRun(200);
    expect(workers.open().transports).toBe(0);
    await bridge.setBrowsers(true);
    expect(infos).toHaveLength(1);
    await bridge.setBrowsers(false);
    expect(infos).toHaveLength(0);
    expect(workers.open().transports).toBe(0);
  });

  it.each(['opus', 'PCMU'] as const)('phones hear a microphone in %s', async (codecName) => {
    const { device } = await phone('PCMU');
    const { legId, producer, transport } = await microphone(codecName, 880);
    await bridge.microphoneAdded(legId, producer);
    await waitUntil('the tone is heard', () =>
      toneLevel(device.heard(0.5), 880) > -20 ? undefined : 'silence',
    );
    expect(workers.open()).toEqual({ transports: 2, producers: 1, consumers: 1 });

    await bridge.microphoneRemoved(legId);
    expect(workers.open()).toEqual({ transports: 1, producers: 1, consumers: 0 });
    await waitUntil('the tone is gone', () =>
      toneLevel(device.heard(0.3), 880) < -50 ? undefined : 'still heard',
    );
    transport.close();
  });

  it('a microphone comes back with the next phone', async () => {
    const { legId, producer, transport } = await microphone('opus', 660);
    await bridge.microphoneAdded(legId, producer);
    expect(workers.open().consumers).toBe(0);
    const first = await phone('PCMU');
    expect(workers.open().consumers).toBe(1);
    await leave(first.id);
    expect(workers.open().consumers).toBe(0);
    const { device } = await phone('PCMA');
    await waitUntil('the tone is heard', () =>
      toneLevel(device.heard(0.5), 660) > -20 ? undefined : 'silence',
    );
    transport.close();
    await bridge.microphoneRemoved(legId);
  });

  it('leaks nothing when all come and go without waiting', async () => {
    const { legId, producer, transport } = await microphone('opus', 660);
    const pending: Promise<unknown>[] = [];
    for (let round = 0; round < 5; round++) {
      const { id } = await phone('PCMU');
      pending.push(
        bridge.setBrowsers(true),
        bridge.microphoneAdded(legId, producer),
        bridge.phoneConfigured(id, phoneAudio('PCMA')),
        bridge.setBrowsers(round % 2 === 0),
        bridge.microphoneRemoved(legId),
        leave(id),
      );
    }
    await Promise.all(pending);
    transport.close();
    await bridge.browserLeft(legId);
    expect(workers.open()).toEqual({ transports: 0, producers: 0, consumers: 0 });
    expect(infos).toEqual([]);
  });

  async function leave(id: LegId): Promise<void> {
    await bridge.phoneLeft(id);
    await mixer.closeLeg(id);
  }
});
