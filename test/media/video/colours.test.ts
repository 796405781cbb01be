import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { PhoneLeg } from '../../../media/media-api.ts';
import { createRoomMedia, type SfuRoomMedia } from '../../../media/room-media.ts';
import type { PhoneVideo, PhoneVideoLeg, VideoCodecName } from '../../../media/video-api.ts';
import { WorkerPool } from '../../../media/worker-pool.ts';
import { VideoProbe } from '../../support/video-probe.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { FakeMixerPool } from '../fake-mixer-pool.ts';
import { testDeps, testSettings, testRoomVideo } from '../media-fixture.ts';

jest.setTimeout(60_000);

const RED = [81, 90, 240] as const;
const BLUE = [41, 240, 110] as const;
const BLACK = [16, 128, 128] as const;
const WHOLE = [[320, 180, 640, 360]] as const;
const SEND = 97;
const RECEIVE = 99;

describe('what phones decode', () => {
  let pool: WorkerPool;
  let probe: VideoProbe;
  let room: SfuRoomMedia;

  beforeAll(async () => {
    probe = await VideoProbe.start();
    pool = await WorkerPool.start(await testSettings(), testDeps);
    room = await createRoomMedia({
      consentTimeout: 30,
      ...(await pool.createRouter()),
      mixers: new FakeMixerPool(),
      loopbackPorts: { min: 30_000, max: 39_999 },
      ...testRoomVideo(),
      logger: testDeps.logger,
      closed: () => undefined,
    });
  });

  afterAll(async () => {
    await room?.close();
    await pool?.close();
    await probe?.stopProcess();
  });

  async function phone(
    changes: Partial<PhoneVideo>,
  ): Promise<{ leg: PhoneLeg; video: PhoneVideoLeg }> {
    const leg = await room.createPhoneLeg();
    const video = await leg.openVideo('main');
    await video.configure({
      codec: 'H264',
      sendPayloadType: SEND,
      receivePayloadType: RECEIVE,
      packetizationMode: 1,
      feedback: { pli: true },
      remoteAddress: '127.0.0.1',
      remoteRtpPort: probe.port,
      remoteRtcpPort: probe.port,
      rtcpMux: true,
      direction: 'sendrecv',
      ...changes,
    });

    return { leg, video };
  }

  async function camera(
    codec: VideoCodecName,
    ssrc: number,
    colour: readonly [number, number, number],
  ): Promise<PhoneLeg> {
    const { leg, video } = await phone({ codec });
    const stream = { codec, ssrc, payloadType: RECEIVE };
    probe.send({ stream, port: video.rtpPort, colour, width: 320, height: 180 });

    return leg;
  }

  async function shows(video: PhoneVideoLeg, [y, u, v]: readonly number[]): Promise<void> {
    await waitUntil(`${String([y, u, v])}`, async () => {
      const { looks } = await probe.look(video.ssrc, WHOLE);
      const [look] = looks;
      const isIt =
        look !== undefined &&
        Math.abs(look.y - y!) + Math.abs(look.u - u!) + Math.abs(look.v - v!) < 40;

      return isIt ? undefined : `${JSON.stringify(look)} ${JSON.stringify(video.stats())}`;
    });
  }

  const cases: [name: string, codec: VideoCodecName, packetizationMode: 0 | 1][] = [
    ['H.264', 'H264', 1],
    ['H.264 in single NAL units', 'H264', 0],
    ['VP8', 'VP8', 0],
  ];

  for (const [name, codec, packetizationMode] of cases) {
    it(`${name}: black, then the speaker in one stream without a gap, and black again`, async () => {
      const viewer = await phone({ codec, packetizationMode, direction: 'sendonly' });
      const { ssrc } = viewer.video;
      probe.watch({ codec, ssrc, payloadType: SEND });
      await shows(viewer.video, BLACK);
      const red = await camera(codec, 0x0101, RED);
      await shows(viewer.video, RED);
      const blue = await camera(codec, 0x0202, BLUE);
      room.setActiveSpeaker(blue.id);
      await shows(viewer.video, BLUE);
      room.setActiveSpeaker(red.id);
      await shows(viewer.video, RED);
      await Promise.all([red.close(), blue.close()]);
      await shows(viewer.video, BLACK);

      const { stream } = await probe.look(ssrc, WHOLE);
      expect(stream.gaps).toBe(0);
      expect(viewer.video.stats()).toMatchObject({ switches: 3, tooLong: 0 });
      probe.stop(0x0101);
      probe.stop(0x0202);
      await viewer.leg.close();
    });
  }
});
