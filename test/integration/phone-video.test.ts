/** Size: one server and one set of phones for all that phones and pages see of each other. */
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser } from 'playwright-core';
import type { Colour } from '../../media/grid/picture.ts';
import { BaresipPhone } from '../support/baresip-phone.ts';
import { launchChromium, RoomPage } from '../support/browser.ts';
import { stopAllChildren } from '../support/child-process.ts';
import { writeBabbleWav, writeColourVideo } from '../support/fake-devices.ts';
import { PacketCapture, type CapturedPacket } from '../support/packet-capture.ts';
import { ParleyServer, type ParticipantRow } from '../support/parley-server.ts';
import { receivedVideo } from '../support/received-video.ts';
import { scratchFolder } from '../support/scratch.ts';
import { VideoProbe, type ShownPicture } from '../support/video-probe.ts';
import { letRun, waitUntil } from '../support/wait-until.ts';
import { WebPhone } from '../support/web-phone.ts';

const ROOM = '810';
const WEB_ROOM = '811';
const CAMERAS = { Ann: [81, 90, 240], Bob: [41, 240, 110] } as const satisfies Record<
  string,
  Colour
>;
/** What a canvas filled with it is in Y, U and V. */
const BLUE: Colour = [41, 240, 110];
type Person = keyof typeof CAMERAS;
const PHONES = { hall: 'H264', attic: 'VP8' } as const;
type PhoneName = keyof typeof PHONES;
/** Who has the floor, one after the other. */
const TALK = ['Bob', 'Ann', 'Bob', 'Ann', 'Bob'] as const;
/** Longer than a picture is held against the next: 1.5 s. */
const TURN_MS = 2200;
/** What a coded picture may differ from what was filmed. */
const TOLERANCE = 24;
/** From a change of the speaker to the picture; a busy machine is late once in a while. */
const [SOON_MS, LATE_MS] = [1000, 3000];

interface Turn {
  readonly name: Person | PhoneName;
  readonly at: number;
}

describe('phones with video (H.264, VP8) and two pages', () => {
  const folder = scratchFolder('phone-video');
  const turns: Turn[] = [];
  const browsers: Browser[] = [];
  let server: ParleyServer;
  let capture: PacketCapture;
  let phones: Record<PhoneName, BaresipPhone>;
  let ann: RoomPage;
  let bob: RoomPage;
  let captured: CapturedPacket[];

  beforeAll(async () => {
    server = await ParleyServer.start({ folder });
    // The hall speaks as soon as it is not muted.
    phones = { hall: await phone('hall', 5080, 700), attic: await phone('attic', 5090) };
    const ranges = Object.values(phones).map(
      ({ mediaPorts: { min, max } }) => `dst portrange ${min}-${max}`,
    );
    await phones.attic.call(server.sipUri(ROOM));
    await phones.attic.command('video_dir', 'recvonly');
    await waitForRoom(
      'the attic is alone, without video',
      (rows) => rows.length === 1 && rows[0]?.videoReceived === undefined,
    );
    capture = await PacketCapture.start(folder, `udp and (${ranges.join(' or ')})`);
  });

  afterAll(async () => {
    await Promise.all(browsers.map((browser) => browser.close()));
    await stopAllChildren();
  });

  it('get video with the first picture of the room, by one re-INVITE', async () => {
    expect(await reinvites()).toEqual({});
    ann = await join('Ann');
    await waitForRoom(
      'the attic is sent video',
      (rows) => find(rows, 'attic')?.videoReceived === 'VP8',
    );
    expect(await reinvites()).toEqual({ accepted: 1 });
  });

  it('make pages send H.264 beside VP8 while one takes nothing else', async () => {
    bob = await join('Bob');
    await waitForRoom('Ann and Bob send VP8', (rows) =>
      ['Ann', 'Bob'].every((name) => codecsOf(rows, name) === 'VP8'),
    );
    await phones.hall.call(server.sipUri(ROOM));
    await phones.hall.command('mute');
    await waitForRoom('Ann and Bob send both', (rows) =>
      ['Ann', 'Bob'].every((name) => codecsOf(rows, name) === 'H264,VP8'),
    );
  });

  it('are seen by the pages', async () => {
    await phones.attic.command('video_dir', 'sendrecv');
    for (const page of [ann, bob]) {
      for (const name of Object.keys(PHONES)) {
        const id = find(await room(), name)!.id;
        await waitUntil(`the bars of ${name} are seen`, async () => {
          const seen = (await page.videoColours())[id];
          // Red, green, blue: each the strongest in its place.
          const areBars = seen?.every((pixel, i) =>
            pixel.every((value, j) => (i === j ? value > 120 : value < 90)),
          );

          return areBars === true ? undefined : `${JSON.stringify(seen)}\n${page.console}`;
        });
      }
    }
  });

  it('see who speaks', async () => {
    await bob.page.getByTestId('toggle-mic').click();
    await waitForFloor('Ann');
    await letRun(TURN_MS);
    for (const name of TALK) {
      const [speaks, listens] = name === 'Ann' ? [ann, bob] : [bob, ann];
      await listens.page.getByTestId('toggle-mic').click();
      await speaks.page.getByTestId('toggle-mic').click();
      await noteTurn(name);
    }
  });

  it('see the one who spoke before while they speak themselves', async () => {
    await bob.page.getByTestId('toggle-mic').click();
    await phones.hall.command('mute');
    await noteTurn('hall');
    await phones.hall.command('mute');
  });

  it('leave pages with VP8 alone when the last H.264 phone goes', async () => {
    await phones.hall.hangUp();
    await waitForRoom('Ann and Bob send VP8', (rows) =>
      ['Ann', 'Bob'].every((name) => codecsOf(rows, name) === 'VP8'),
    );
  });

  it('lose their video with the last picture, by one re-INVITE', async () => {
    expect(await reinvites()).toEqual({ accepted: 1 });
    // A picture of its own would keep it.
    await phones.attic.command('video_dir', 'recvonly');
    await waitForRoom('the attic shows nothing, and is shown something', (rows) => {
      const attic = find(rows, 'attic');

      return attic?.video === false && attic.videoReceived === 'VP8';
    });
    for (const page of [ann, bob]) await page.leave();
    await waitForRoom(
      'the attic is alone, without video',
      (rows) => rows.length === 1 && rows[0]?.videoReceived === undefined,
    );
    expect(await reinvites()).toEqual({ accepted: 2 });
    await phones.attic.hangUp();
    captured = await capture.stop();
  });

  it.each(Object.keys(PHONES) as PhoneName[])(
    '%s: one SSRC, continuous numbers, the colour of the speaker',
    async (name) => {
      const video = receivedVideo(captured, phones[name].mediaPorts);
      expect(video.packets.length).toBeGreaterThan(200);
      expect(video).toMatchObject({ missing: 0, backwards: 0 });
      expect(video.ssrcs).toHaveLength(1);
      expect(video.payloadTypes).toHaveLength(1);

      const [ssrc, payloadType] = [video.ssrcs[0]!, video.payloadTypes[0]!];
      const probe = await VideoProbe.start();
      const stream = { codec: PHONES[name], ssrc, payloadType };
      const pictures = await probe.replay(stream, video.packets);
      await probe.stopProcess();
      const people = turns.filter((turn): turn is Turn & { name: Person } => turn.name in CAMERAS);
      const delays = people.map((turn) => {
        const next = turns[turns.indexOf(turn) + 1]?.at ?? Infinity;

        return delayOf(turn.name, turn.at, next, pictures);
      });

      expect(people.map((turn) => turn.name)).toEqual(TALK);
      expect(Math.max(...delays)).toBeLessThan(LATE_MS);
      expect(delays.toSorted((a, b) => a - b)[2]).toBeLessThan(SOON_MS);

      // The hall spoke last: itself it sees Bob, as does who cannot see its H.264.
      const during = pictures.filter(
        ({ time }) => time > turns.at(-1)!.at && time < turns.at(-1)!.at + TURN_MS,
      );
      expect(during.length).toBeGreaterThan(10);
      expect(during.filter(({ colour }) => !isOf(colour, 'Bob'))).toEqual([]);
    },
  );

  it('make JsSIP send H.264 instead while one takes nothing else, and VP8 after it: a page sees both', async () => {
    const cat = await RoomPage.join(browsers[0]!, server, WEB_ROOM, 'Cat');
    await cat.page.getByTestId('toggle-camera').click();
    const web = await WebPhone.start(browsers[0]!, server, {
      ...{ library: 'jssip', user: 'web', tone: 0, colour: 'blue' },
    });
    await web.call(WEB_ROOM);
    const isSeen = (codec: string): Promise<void> =>
      waitUntil(`JsSIP is seen in ${codec}`, async () => {
        const row = find(await server.participants(WEB_ROOM), 'web');
        const colour = (await cat.videoColours())[row?.id ?? '']?.[0];
        const [red = 0, green = 0, blue = 0] = colour ?? [];
        const isBlue = blue > 120 && red < 90 && green < 90;

        return isBlue && row?.videoCodecs.join() === codec
          ? undefined
          : `${row?.videoCodecs.join()}, ${String(colour)}\n${cat.console}\n${web.console}`;
      });
    await isSeen('VP8');
    await web.settle();
    const before = await web.count('reinvite');

    const { mediaPorts } = phones.hall;
    const filter = `udp and dst portrange ${mediaPorts.min}-${mediaPorts.max}`;
    const sent = await PacketCapture.start(folder, filter);
    const switches = async (): Promise<number> =>
      (await server.metrics()).get('parley_video_switches_total') ?? 0;
    const shownBefore = await switches();
    await phones.hall.call(server.sipUri(WEB_ROOM));
    await isSeen('H264');
    await waitUntil('the hall is shown JsSIP', async () =>
      (await switches()) > shownBefore ? undefined : server.log.slice(-2000),
    );
    await letRun(500);
    const received = receivedVideo(await sent.stop(), mediaPorts);
    // The hall's voice, its picture and its wish: what comes within the window is one.
    const during = (await web.count('reinvite')) - before;
    expect([1, 2, 3]).toContain(during);
    await phones.hall.hangUp();
    await isSeen('VP8');
    expect((await web.count('reinvite')) - before - during).toBe(1);

    const probe = await VideoProbe.start();
    const [ssrc, payloadType] = [received.ssrcs[0]!, received.payloadTypes[0]!];
    const stream = { codec: PHONES.hall, ssrc, payloadType };
    const pictures = await probe.replay(stream, received.packets);
    await probe.stopProcess();
    const blue = pictures.filter(({ colour }) =>
      colour.every((value, i) => Math.abs(value - BLUE[i]!) < TOLERANCE),
    );
    expect(blue).not.toEqual([]);
    await web.hangUp();
    await web.close();
    await cat.context.close();
  });

  function phone(name: PhoneName, port: number, tone?: number): Promise<BaresipPhone> {
    return BaresipPhone.start({
      folder: path.join(folder, name),
      name,
      port,
      video: PHONES[name],
      ...(tone !== undefined && { tone }),
    });
  }

  async function join(name: Person): Promise<RoomPage> {
    const camera = path.join(folder, `${name}.y4m`);
    writeColourVideo(camera, CAMERAS[name]);
    const microphone = path.join(folder, `${name}.wav`);
    writeBabbleWav(microphone, name === 'Ann' ? 1 : 1.5);
    const browser = await launchChromium({ camera, microphone });
    browsers.push(browser);

    return RoomPage.join(browser, server, ROOM, name);
  }

  function room(): Promise<ParticipantRow[]> {
    return server.participants(ROOM);
  }

  async function waitForRoom(
    what: string,
    holds: (rows: readonly ParticipantRow[]) => boolean,
  ): Promise<void> {
    await waitUntil(what, async () => {
      const rows = await room();

      return holds(rows) ? undefined : JSON.stringify(rows);
    });
  }

  /** Our re-INVITEs because of phones' video, by how they ended. */
  async function reinvites(): Promise<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const [sample, count] of await server.metrics()) {
      const outcome = /^parley_reinvites_total\{reason="video",outcome="(.+)"\}/.exec(sample)?.[1];
      if (outcome !== undefined && count > 0) counts[outcome] = count;
    }

    return counts;
  }

  /** The server says that somebody has the floor; the phones see it for a while. */
  async function noteTurn(name: Turn['name']): Promise<void> {
    turns.push({ name, at: await waitForFloor(name) });
    await letRun(TURN_MS);
  }

  /** When the server gave it the floor, by its own log. */
  async function waitForFloor(name: Turn['name']): Promise<number> {
    const { id } = find(await room(), name)!;
    let at = 0;
    await waitUntil(`${name} has the floor`, () => {
      const line = server.log.split('\n').findLast((each) => each.includes('"active speaker"'));
      const { time, participant } = JSON.parse(line ?? '{}') as {
        time?: number;
        participant?: string;
      };
      at = time ?? 0;

      return participant === id ? undefined : `seeing ${participant}`;
    });

    return at;
  }
});

function find(rows: readonly ParticipantRow[], name: string): ParticipantRow | undefined {
  return rows.find((row) => row.name === name);
}

function codecsOf(rows: readonly ParticipantRow[], name: string): string | undefined {
  return find(rows, name)?.videoCodecs.toSorted().join();
}

/** Milliseconds until the picture was the person's, and no more another's before the next turn. */
function delayOf(
  name: Person,
  from: number,
  until: number,
  pictures: readonly ShownPicture[],
): number {
  const turn = pictures.filter(({ time }) => time >= from && time < until);
  const first = turn.findIndex(({ colour }) => isOf(colour, name));
  const isSteady = first >= 0 && turn.slice(first).every(({ colour }) => isOf(colour, name));

  return isSteady ? turn[first]!.time - from : Infinity;
}

function isOf(colour: Colour, name: Person): boolean {
  return CAMERAS[name].every((value, i) => Math.abs(value - colour[i]!) < TOLERANCE);
}
