import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { LegId } from '../../../base/index.ts';
import type { GridService } from '../../../media/grid/grid-service.ts';
import { tileRects } from '../../../media/grid/tiles.ts';
import { createRoomMedia, type SfuRoomMedia } from '../../../media/room-media.ts';
import type { PhoneVideo, PhoneVideoLeg, VideoCodecName } from '../../../media/video-api.ts';
import { WorkerPool } from '../../../media/worker-pool.ts';
import { VideoProbe, type Look } from '../../support/video-probe.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { FakeMixerPool } from '../fake-mixer-pool.ts';
import { testDeps, testGrids, testSettings, testVideoDeps } from '../media-fixture.ts';

jest.setTimeout(60_000);

type Colour = readonly [y: number, u: number, v: number];

const RED: Colour = [81, 90, 240];
const GREEN: Colour = [145, 54, 34];
const BLUE: Colour = [41, 240, 110];
const COLOURS = [RED, GREEN, BLUE];
const WHOLE = [[600, 300, 80, 80]];
const MIDDLES = tileRects(3).map(({ x, y, width, height }) => [
  x + width / 2 - 10,
  y + height / 2 - 10,
  20,
  20,
]);

const isColour = (look: Look | undefined, [y, u, v]: Colour): boolean =>
  look !== undefined &&
  Math.abs(look.y - y) < 25 &&
  Math.abs(look.u - u) < 25 &&
  Math.abs(look.v - v) < 25;

describe('phones that see a grid', () => {
  let pool: WorkerPool;
  let grids: GridService;
  let room: SfuRoomMedia;
  let probe: VideoProbe;
  const legs: LegId[] = [];
  let viewer: PhoneVideoLeg;

  beforeAll(async () => {
    pool = await WorkerPool.start(await testSettings(), testDeps);
    grids = testGrids(1);
    room = await createRoomMedia({
      consentTimeout: 30,
      ...(await pool.createRouter()),
      mixers: new FakeMixerPool(),
      loopbackPorts: { min: 30_000, max: 39_999 },
      grids,
      video: testVideoDeps(),
      logger: testDeps.logger,
      closed: () => undefined,
    });
    probe = await VideoProbe.start();
    await phone('H264', RED);
    await phone('VP8', GREEN);
    viewer = await phone('H264', BLUE);
    room.setActiveSpeaker(legs[0]);
  });

  afterAll(async () => {
    await room?.close();
    await probe?.stopProcess();
    await pool?.close();
  });

  const agreed = (codec: VideoCodecName, changes: Partial<PhoneVideo> = {}): PhoneVideo => ({
    codec,
    sendPayloadType: 97,
    receivePayloadType: 99,
    packetizationMode: 1,
    feedback: { pli: true },
    remoteAddress: '127.0.0.1',
    remoteRtpPort: probe.port,
    remoteRtcpPort: probe.port,
    rtcpMux: true,
    direction: 'sendrecv',
    ...changes,
  });

  async function phone(codec: VideoCodecName, colour: Colour): Promise<PhoneVideoLeg> {
    const leg = await room.createPhoneLeg();
    const video = await leg.openVideo('main');
    await video.configure(agreed(codec));
    legs.push(leg.id);
    const ssrc = 500 + legs.length;
    const stream = { codec, ssrc, payloadType: 99 };
    probe.send({ stream, port: video.rtpPort, colour, width: 640, height: 360 });

    return video;
  }

  const plan = (viewers: LegId[]): void => {
    room.setGrid({ members: legs.map((legId) => ({ legId, name: `Phone ${legId}` })), viewers });
  };

  async function sees(areas: readonly number[][], colours: readonly Colour[]): Promise<void> {
    await waitUntil('the colours', async () => {
      const { looks } = await probe.look(viewer.ssrc, areas);

      return colours.every((colour, index) => isColour(looks[index], colour))
        ? undefined
        : JSON.stringify(looks);
    });
  }

  it('a phone of a room without a grid sees who speaks', async () => {
    probe.watch({ codec: 'H264', ssrc: viewer.ssrc, payloadType: 97 });
    await sees(WHOLE, [RED]);
    expect(grids.counters().rooms).toBe(0);
  });

  it('from the moment of its wish it sees all, of whatever codec they are, itself too', async () => {
    const showing: unknown[] = [];
    viewer.events.on('showing', (picture) => showing.push(picture));
    plan([legs[2]!]);
    await sees(MIDDLES, COLOURS);
    expect(showing.at(-1)).toBe('grid');
    expect(room.gridReason()).toBeUndefined();
  });

  it('one that takes little gets a smaller stream of it, and one that takes too little who speaks', async () => {
    await viewer.configure(agreed('H264', { maxBitrate: 500_000 }));
    await sees(MIDDLES, COLOURS);
    for (const limits of [{ maxBitrate: 200_000 }, { maxLevel: 13 }]) {
      await viewer.configure(agreed('H264', limits));
      await sees(WHOLE, [RED]);
      expect(room.gridReason(legs[2])).toContain('this phone takes');
      expect(room.gridReason()).toBeUndefined();
      await viewer.configure(agreed('H264', { maxLevel: 31 }));
      await sees(MIDDLES, COLOURS);
      expect(room.gridReason(legs[2])).toBeUndefined();
    }
  });

  it('when the compositor dies it sees who speaks, and the grid again when there is another one', async () => {
    process.kill(grids.pids[0]!, 'SIGKILL');
    await sees(WHOLE, [RED]);
    await sees(MIDDLES, COLOURS);
    expect(grids.counters().deaths).toBe(1);
  });

  it('all of it came as one stream, under numbers that go on', async () => {
    const { stream } = await probe.look(viewer.ssrc, []);
    expect(stream.packets).toBeGreaterThan(50);
    expect(stream.jumps).toBe(0);
  });

  it('without viewers the compositor ends, and the phone sees who speaks', async () => {
    plan([]);
    await sees(WHOLE, [RED]);
    await waitUntil('its end', () => (grids.counters().rooms === 0 ? undefined : 'running'));
  });
});
