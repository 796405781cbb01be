/** Room systems and the grid: SIPp speaks for the phones, FFmpeg sends their pictures and sees what they are sent. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { tileRects } from '../../media/grid/tiles.ts';
import type { GridCodec } from '../../media/grid/grid-protocol.ts';
import { stopAllChildren } from '../support/child-process.ts';
import { ParleyServer, type ParticipantRow } from '../support/parley-server.ts';
import { scratchFolder } from '../support/scratch.ts';
import { runScenario, scenarioMessages, writeMuLaw, type ScenarioResult } from '../support/sipp.ts';
import { VideoProbe, type Look } from '../support/video-probe.ts';
import { waitUntil } from '../support/wait-until.ts';

const ROOM = '720';
const PAYLOAD_TYPE = 97;
const LONGEST_SECONDS = 150;

type Colour = readonly [y: number, u: number, v: number];

const GREEN: Colour = [145, 54, 34];

interface Phone {
  name: string;
  codec: GridCodec;
  /** What its camera sees; undefined: it has none. */
  colour?: Colour;
  /** Hexadecimal level_idc. */
  level?: string;
  speaks?: boolean;
}

const PHONES: readonly Phone[] = [
  { name: 'red', codec: 'H264', colour: [81, 90, 240] },
  { name: 'green', codec: 'H264', colour: GREEN, speaks: true },
  { name: 'yellow', codec: 'VP8', colour: [210, 16, 146] },
  { name: 'blue', codec: 'H264', colour: [41, 240, 110] },
  { name: 'old', codec: 'H264', level: '0d' },
];
/** Whose picture is looked at. */
const WATCHED = ['red', 'blue', 'old'];
const COLOURS = PHONES.flatMap(({ colour }) => (colour === undefined ? [] : [colour]));
const WHOLE = [
  [100, 100, 40, 40],
  [1140, 580, 40, 40],
];
const TILES = tileRects(COLOURS.length).map(({ x, y, width, height }) => [
  x + width / 2 - 10,
  y + height / 2 - 10,
  20,
  20,
]);

interface Row extends ParticipantRow {
  layout: string;
  effectiveLayout: string;
  layoutReason?: string;
}

const isColour = (look: Look | undefined, [y, u, v]: Colour): boolean =>
  look !== undefined &&
  Math.abs(look.y - y) < 25 &&
  Math.abs(look.u - u) < 25 &&
  Math.abs(look.v - v) < 25;

describe('video phones in a room with a grid', () => {
  const folder = scratchFolder('grid');
  const calls: Promise<ScenarioResult>[] = [];
  const streams = new Map<string, number>();
  let server: ParleyServer;
  let probe: VideoProbe;

  beforeAll(async () => {
    [server, probe] = await Promise.all([
      ParleyServer.start({ folder, env: { GRID_FPS: '10', GRID_CPU_PERCENT: '150' } }),
      VideoProbe.start(),
    ]);
    await server.api('POST', '/rooms', { number: ROOM, layout: 'grid' });
    for (const [index, phone] of PHONES.entries()) await call(phone, index);
  });

  afterAll(async () => {
    await probe?.stopProcess();
    await stopAllChildren();
  });

  async function call(phone: Phone, index: number): Promise<void> {
    const { name, codec, colour, level = '1f', speaks = false } = phone;
    const own = path.join(folder, name);
    mkdirSync(own);
    const tone = path.join(own, 'tone.ul');
    if (speaks) writeMuLaw(tone, 440);
    else writeFileSync(tone, Buffer.alloc(8000, 0xff));
    const scenario = runScenario({
      folder: own,
      scenario: 'video-phone.xml',
      target: `127.0.0.1:${server.sipPort}`,
      user: ROOM,
      port: 5200 + 10 * index,
      seconds: LONGEST_SECONDS,
      keys: {
        name,
        video_port: String(probe.port),
        video_codec: codec,
        video_format:
          codec === 'H264'
            ? `a=fmtp:${PAYLOAD_TYPE} profile-level-id=42e0${level};packetization-mode=1`
            : `a=fmtp:${PAYLOAD_TYPE} max-fs=3600;max-fr=30`,
        video_limit: 'b=AS:1000',
      },
    });
    calls.push(scenario);
    let port = 0;
    await waitUntil(`${name} is in`, async () => {
      const ports = [...scenarioMessages(own).matchAll(/^m=video (\d+)/gm)].map(([, text]) =>
        Number(text),
      );
      port = ports.find((each) => each !== probe.port) ?? 0;
      if (port === 0) return 'without a port for video';
      const rows = await server.participants(ROOM);

      return rows.some((row) => row.name === name) ? undefined : JSON.stringify(rows);
    });
    if (colour !== undefined) {
      const stream = { codec, ssrc: 700 + index, payloadType: PAYLOAD_TYPE };
      probe.send({ stream, port, colour, width: 640, height: 360 });
    }
    await waitUntil(`${name} is sent video`, async () => {
      const ssrc = await probe.ssrcFrom(port);
      if (ssrc === undefined) return 'sent none';
      streams.set(name, ssrc);
      if (WATCHED.includes(name)) probe.watch({ codec, ssrc, payloadType: PAYLOAD_TYPE });

      return undefined;
    });
  }

  async function sees(name: string, areas: readonly number[][], colours: readonly Colour[]) {
    await waitUntil(`the picture of ${name}`, async () => {
      const { looks } = await probe.look(streams.get(name)!, areas);

      return colours.every((colour, index) => isColour(looks[index], colour))
        ? undefined
        : JSON.stringify(looks);
    });
  }

  const row = async (name: string): Promise<Row | undefined> => {
    const rows = await server.api<Row[]>('GET', `/rooms/${ROOM}/participants`);

    return rows.find((each) => each.name === name);
  };

  it('show each member in a tile of its own, whatever its codec; an old one shows who speaks', async () => {
    await sees('blue', TILES, COLOURS);
    await sees('red', TILES, COLOURS);
    await sees('old', WHOLE, [GREEN, GREEN]);
    expect(await row('blue')).toMatchObject({ layout: 'grid', effectiveLayout: 'grid' });
    const old = await row('old');
    expect(old).toMatchObject({ layout: 'grid', effectiveLayout: 'speaker' });
    expect(old?.layoutReason).toContain('level 1.3');
  });

  it('outlive the compositor: they show who speaks, and the grid when there is another one', async () => {
    let reason = '';
    await waitUntil('the switch', async () => {
      // On a busy machine the next one may be there before anybody looked.
      for (const pid of compositors(server.child.pid)) process.kill(pid, 'SIGKILL');
      reason = (await row('blue'))?.layoutReason ?? reason;
      const { looks } = await probe.look(streams.get('blue')!, WHOLE);
      const isSpeaker = looks.length > 0 && looks.every((look) => isColour(look, GREEN));

      return isSpeaker && reason.includes('SIGKILL') ? undefined : JSON.stringify([reason, looks]);
    });
    await sees('blue', TILES, COLOURS);
    expect(await row('blue')).toMatchObject({ effectiveLayout: 'grid' });
    expect(await server.participants(ROOM)).toHaveLength(PHONES.length);
    expect((await server.metrics()).get('parley_grid_deaths_total')).toBeGreaterThan(0);
  });

  it('show who speaks when the room goes back to that, in the same stream', async () => {
    const room = await server.api<Row>('PATCH', `/rooms/${ROOM}`, { layout: 'speaker' });
    expect(room).toMatchObject({ layout: 'speaker', effectiveLayout: 'speaker' });
    await sees('blue', WHOLE, [GREEN, GREEN]);
    const { stream } = await probe.look(streams.get('blue')!, []);
    expect(stream.jumps).toBe(0);
    await waitUntil('the end of the compositor', () =>
      compositors(server.child.pid).length === 0 ? undefined : 'there',
    );
  });

  it('were in one call each all the time', async () => {
    await server.api('DELETE', `/rooms/${ROOM}`);
    for (const { exitCode, errors } of await Promise.all(calls)) {
      expect([exitCode, errors]).toEqual([0, '']);
    }
  });
});

/** Processes that this server made to compose pictures. */
function compositors(parent: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
        const status = readFileSync(`/proc/${pid}/status`, 'utf8');
        const isOurs = new RegExp(`^PPid:\\s+${parent}$`, 'm').test(status);

        return isOurs && command.includes('compositor-process') ? [Number(pid)] : [];
      } catch {
        // It ended while we looked.
        return [];
      }
    });
}
