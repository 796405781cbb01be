import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { types as mediasoup } from 'mediasoup';
import { SystemClock } from '../../../base/index.ts';
import type { GridMember } from '../../../media/grid/grid-inputs.ts';
import type { GridCodec, GridStream } from '../../../media/grid/grid-protocol.ts';
import { GridService } from '../../../media/grid/grid-service.ts';
import { RoomGrid } from '../../../media/grid/room-grid.ts';
import { tileRects } from '../../../media/grid/tiles.ts';
import { openLoopback } from '../../../media/sfu/loopback.ts';
import { WorkerPool } from '../../../media/worker-pool.ts';
import { VideoProbe, type Look } from '../../support/video-probe.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { testDeps, testSettings } from '../media-fixture.ts';

jest.setTimeout(60_000);

const PORTS = { min: 30_000, max: 39_999 };
const LIMITS = { rooms: 2, framesPerSecond: 25, cpuShare: 0.9, bitrate: 1_500_000 };

const RED = [81, 90, 240] as const;
const GREEN = [145, 54, 34] as const;
const BLUE = [41, 240, 110] as const;
const YELLOW = [210, 16, 146] as const;
const BLACK = [16, 128, 128] as const;

interface Camera {
  name: string;
  codec: GridCodec;
  colour: readonly [number, number, number];
  width: number;
  height: number;
}

const CAMERAS: readonly Camera[] = [
  { name: 'Anna', codec: 'VP8', colour: RED, width: 640, height: 360 },
  { name: 'Björn', codec: 'H264', colour: GREEN, width: 640, height: 360 },
  { name: 'Чарли', codec: 'H264', colour: BLUE, width: 360, height: 640 },
  { name: 'Dora', codec: 'VP8', colour: YELLOW, width: 1280, height: 720 },
];

const isColour = (look: Look | undefined, [y, u, v]: readonly [number, number, number]): boolean =>
  look !== undefined &&
  Math.abs(look.y - y) < 25 &&
  Math.abs(look.u - u) < 25 &&
  Math.abs(look.v - v) < 25;

// On the platform of CI the library is there: what is not tested without it must not go unseen.
const available = process.platform === 'linux' && process.arch === 'x64';

describe('a machine without node-av', () => {
  it('says so, starts nothing, and viewers keep what they have', async () => {
    const missing = 'the optional package node-av is not installed';
    const grids = new GridService(LIMITS, { ...testDeps, missing });
    const router = { closed: false } as mediasoup.Router;
    const grid = new RoomGrid({ router, ports: PORTS, grids, ...testDeps });
    grid.setWanted(new Map([['H264', undefined]]));
    await waitUntil('the reason', () => (grid.reason === missing ? undefined : 'none'));
    expect(grid.output('H264')).toBeUndefined();
    expect(grids.counters().rooms).toBe(0);
    await grid.close();
  });
});

describe('the grid of a room, with the real worker and a real compositor', () => {
  let workers: WorkerPool;
  let router: mediasoup.Router;
  let grids: GridService;
  let grid: RoomGrid;
  let probe: VideoProbe;
  const members: GridMember[] = [];

  beforeAll(async () => {
    grids = new GridService(LIMITS, testDeps);
    // Where the platform has no binary the test above says what happens; here it must be there.
    if (available) expect(grids.unavailableReason()).toBeUndefined();
    workers = await WorkerPool.start(await testSettings(), testDeps);
    ({ router } = await workers.createRouter());
    probe = await VideoProbe.start();
    for (const [index, camera] of CAMERAS.entries()) {
      members.push(await startCamera(camera, 1000 + index));
    }
    grid = new RoomGrid({
      router,
      ports: PORTS,
      grids,
      clock: new SystemClock(),
      logger: testDeps.logger,
    });
  }, 60_000);

  afterAll(async () => {
    await grid?.close();
    await probe?.stopProcess();
    await workers?.close();
  });

  async function startCamera(camera: Camera, ssrc: number): Promise<GridMember> {
    const transport = await openLoopback(router, PORTS, true);
    const codec = router.rtpCapabilities.codecs?.find(
      ({ mimeType }) => mimeType === `video/${camera.codec}`,
    );
    if (codec?.preferredPayloadType === undefined) throw new Error('no such codec');
    const payloadType = codec.preferredPayloadType;
    const producer = await transport.produce({
      kind: 'video',
      rtpParameters: {
        codecs: [
          {
            mimeType: codec.mimeType,
            payloadType,
            clockRate: 90_000,
            parameters: codec.parameters ?? {},
            rtcpFeedback: [{ type: 'nack', parameter: 'pli' }],
          },
        ],
        encodings: [{ ssrc }],
      },
    });
    const { colour, width, height } = camera;
    const port = transport.tuple.localPort;
    probe.send({ stream: { codec: camera.codec, ssrc, payloadType }, port, colour, width, height });

    return { id: camera.name, name: camera.name, producer };
  }

  /** A viewer of the grid, as a phone's leg is one. */
  async function view(codec: GridCodec): Promise<GridStream> {
    const producer = grid.output(codec);
    if (producer === undefined) throw new Error('no output');
    const transport = await openLoopback(router, PORTS, false);
    await transport.connect({ ip: '127.0.0.1', port: probe.port });
    const consumer = await transport.consume({
      producerId: producer.id,
      rtpCapabilities: router.rtpCapabilities,
      paused: true,
    });
    const stream = {
      codec,
      ssrc: consumer.rtpParameters.encodings?.[0]?.ssrc ?? 0,
      payloadType: consumer.rtpParameters.codecs[0]?.payloadType ?? 0,
    };
    probe.watch(stream);
    await consumer.resume();

    return stream;
  }

  /** In the middle of each of four tiles. */
  const middles = tileRects(4).map(({ x, y, width, height }) => [
    x + width / 2 - 10,
    y + height / 2 - 10,
    20,
    20,
  ]);

  async function seesAll(ssrc: number): Promise<void> {
    await waitUntil('every colour in its tile', async () => {
      const { looks } = await probe.look(ssrc, middles);

      return CAMERAS.every(({ colour }, index) => isColour(looks[index], colour))
        ? undefined
        : JSON.stringify(looks);
    });
  }

  it('shows each member in a tile of its own, in the order of joining, in both codecs', async () => {
    grid.setMembers(members);
    grid.setWanted(
      new Map([
        ['H264', undefined],
        ['VP8', undefined],
      ]),
    );
    await waitUntil('outputs', () =>
      grid.output('H264') && grid.output('VP8') ? undefined : (grid.reason ?? 'starting'),
    );
    for (const codec of ['H264', 'VP8'] as const) {
      const { ssrc } = await view(codec);
      await seesAll(ssrc);
      const { stream } = await probe.look(ssrc, []);
      expect(stream.jumps).toBe(0);
      // What one packet cannot hold phones without fragments do not see (RFC 6184 6.2).
      expect(stream.longest).toBeLessThanOrEqual(1200);
    }
  });

  it('keeps the aspect of a picture and writes the name of whoever is in it', async () => {
    const { ssrc } = await view('H264');
    await seesAll(ssrc);
    const tiles = tileRects(4);
    const portrait = tiles[2]!;
    const plates = tiles.map(({ x, y, height }) => [x + 8, y + height - 28, 60, 20]);
    const { looks } = await probe.look(ssrc, [
      [portrait.x + 10, portrait.y + 100, 40, 40],
      [portrait.x + portrait.width - 50, portrait.y + 100, 40, 40],
      ...plates,
    ]);
    expect(isColour(looks[0], BLACK) && isColour(looks[1], BLACK)).toBe(true);
    // Bright letters on a dark plate.
    for (const plate of looks.slice(2)) {
      expect(plate.most).toBeGreaterThan(190);
      expect(plate.least).toBeLessThan(60);
    }
  });

  it('frames who speaks', async () => {
    const { ssrc } = await view('H264');
    await seesAll(ssrc);
    const top = tileRects(4).map(({ x, y, width }) => [x + 40, y, width - 80, 4]);
    grid.setSpeakers(['Anna']);
    await waitUntil('a frame around the first alone', async () => {
      const { looks } = await probe.look(ssrc, top);

      return isColour(looks[0], [173, 42, 26]) && !isColour(looks[3], [173, 42, 26])
        ? undefined
        : JSON.stringify(looks);
    });
    grid.setSpeakers([]);
  });

  it('shows a card where a camera is off, and moves up where somebody left', async () => {
    const { ssrc } = await view('H264');
    await seesAll(ssrc);
    await members[0]!.producer.pause();
    await waitUntil('a card', async () => {
      const { looks } = await probe.look(ssrc, middles);

      return isColour(looks[0], RED) ? 'red' : undefined;
    });
    await members[0]!.producer.resume();
    await seesAll(ssrc);
    grid.setMembers(members.slice(1, 3));
    const two = tileRects(2).map(({ x, y, width, height }) => [
      x + width / 2 - 10,
      y + height / 2 - 10,
      20,
      20,
    ]);
    await waitUntil('two tiles', async () => {
      const { looks } = await probe.look(ssrc, two);

      return isColour(looks[0], GREEN) && isColour(looks[1], BLUE)
        ? undefined
        : JSON.stringify(looks);
    });
    grid.setMembers(members);
  });

  it('a compositor that is killed takes nothing with it, and another one takes its place', async () => {
    await waitUntil('a picture', () => (grid.output('H264') ? undefined : 'none'));
    const before = grid.output('H264')!;
    let announced = 0;
    grid.events.on('outputs', () => announced++);
    process.kill(grid.pid!, 'SIGKILL');
    await waitUntil('the end of its picture', () => (before.closed ? undefined : 'there'));
    expect(announced).toBeGreaterThan(0);
    expect(grid.reason).toContain('SIGKILL');
    expect(members.every(({ producer }) => !producer.closed)).toBe(true);
    await waitUntil('another', () => (grid.output('H264') ? undefined : 'none'));
    expect(grid.output('H264')).not.toBe(before);
    const { ssrc } = await view('H264');
    await seesAll(ssrc);
    expect(grids.counters()).toMatchObject({ rooms: 1, deaths: 1 });
  });

  it('counts what it costs, and ends with its last viewer', async () => {
    await waitUntil('figures', () => (grids.counters().framesEncoded > 20 ? undefined : 'few'));
    const { cpuSeconds, framesDecoded } = grids.counters();
    expect(cpuSeconds).toBeGreaterThan(0);
    expect(framesDecoded).toBeGreaterThan(20);
    const pid = grid.pid!;
    grid.setWanted(new Map());
    await waitUntil('its end', () => (grids.counters().rooms === 0 ? undefined : 'running'));
    expect(grid.output('H264')).toBeUndefined();
    await waitUntil('the end of the process', () => (isAlive(pid) ? 'alive' : undefined));
  });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
