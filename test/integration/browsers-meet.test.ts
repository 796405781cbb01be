import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser, BrowserContext } from 'playwright-core';
import { launchChromium, RoomPage } from '../support/browser.ts';
import { stopAllChildren } from '../support/child-process.ts';
import { ParleyServer } from '../support/parley-server.ts';
import { scratchFolder } from '../support/scratch.ts';
import { waitUntil } from '../support/wait-until.ts';

/** Of what a page asks for to receive a stream, what needs the browser to be made good; each costs a pause. */
const REFUSED = ['connect-transport', 'resume-consumer'];

/** Stands between a page and the server, and says no in its place. */
async function refuseOnce(context: BrowserContext, refused: string[]): Promise<void> {
  await context.routeWebSocket(/\/socket\.io\//, (page) => {
    const server = page.connectToServer();
    let opening: string | undefined;
    let transport: string | undefined;
    page.onMessage((message) => {
      const [, id, body] = /^42(\d+)(.*)$/s.exec(String(message)) ?? [];
      const [name = '', { direction, transportId }] = JSON.parse(body ?? '["", {}]') as [
        string,
        { direction?: string; transportId?: string },
      ];
      const isToReceive = direction !== 'send' && (transportId ?? transport) === transport;
      if (REFUSED.includes(name) && isToReceive && !refused.includes(name)) {
        refused.push(name);
        page.send(`43${id}[{"ok":false,"code":"INTERNAL","message":"not this time"}]`);
      } else {
        if (direction === 'recv') opening = id;
        server.send(message);
      }
    });
    server.onMessage((message) => {
      const [, id, body] = /^43(\d+)(.*)$/s.exec(String(message)) ?? [];
      if (id !== undefined && id === opening) {
        transport = (JSON.parse(body!) as [{ data: { id: string } }])[0].data.id;
      }
      page.send(message);
    });
  });
}

describe('two Chromium pages in one room', () => {
  const folder = scratchFolder('browsers');
  let server: ParleyServer;
  let browser: Browser;
  let pages: RoomPage[];

  beforeAll(async () => {
    server = await ParleyServer.start({ folder });
    browser = await launchChromium();
    pages = [
      await RoomPage.join(browser, server, '200', 'Ann'),
      await RoomPage.join(browser, server, '200', 'Bob'),
    ];
  });

  afterAll(async () => {
    await browser.close();
    await stopAllChildren();
  });

  it('shows both in both rosters', async () => {
    for (const page of pages) {
      await waitUntil('the roster is whole', async () => {
        const names = (await page.roster()).map((row) => row.text).join(' ');

        return names.includes('Ann') && names.includes('Bob') ? undefined : `only "${names}"`;
      });
    }
  });

  it('plays both videos: the elements advance and frames are decoded', async () => {
    for (const page of pages) {
      await waitUntil('two videos play', async () => {
        const times = Object.values(await page.videoTimes());

        return times.length === 2 && times.every((time) => time > 1)
          ? undefined
          : `at ${JSON.stringify(times)}\n${page.console}`;
      });
      const before = await page.statistic('inbound-rtp', 'framesDecoded', 'video');
      await waitUntil('frames are decoded', async () => {
        const frames = await page.statistic('inbound-rtp', 'framesDecoded', 'video');

        return frames > before + 20 ? undefined : `${frames - before} more`;
      });
    }
  });

  it('carries audio: its bytes grow in both directions', async () => {
    for (const page of pages) {
      const received = await page.statistic('inbound-rtp', 'bytesReceived', 'audio');
      const sent = await page.statistic('outbound-rtp', 'bytesSent', 'audio');
      await waitUntil('audio flows', async () => {
        const more = (await page.statistic('inbound-rtp', 'bytesReceived', 'audio')) - received;
        const out = (await page.statistic('outbound-rtp', 'bytesSent', 'audio')) - sent;

        return more > 2000 && out > 2000 ? undefined : `${more} in, ${out} out`;
      });
    }
  });

  it('is encrypted: every DTLS transport is connected', async () => {
    for (const page of pages) {
      const states = (await page.statistics())
        .filter((report) => report['type'] === 'transport')
        .map((report) => report['dtlsState']);

      expect(states.length).toBeGreaterThanOrEqual(2);
      expect(new Set(states)).toEqual(new Set(['connected']));
    }
  });

  it('sends the camera in three simulcast layers', async () => {
    const reports = await pages[0]!.statistics();
    const layers = reports.filter(
      (report) => report['type'] === 'outbound-rtp' && report['kind'] === 'video',
    );

    expect(layers.map((layer) => layer['rid']).sort()).toHaveLength(3);
  });

  it('lets a page see and hear all to whose requests for that the server said no once each', async () => {
    const refused: string[] = [];
    const cid = await RoomPage.ask(browser, server, '200', 'Cid', undefined, (context) =>
      refuseOnce(context, refused),
    );
    await waitUntil(
      'three videos play',
      async () => {
        const times = Object.values(await cid.videoTimes());

        return times.length === 3 && times.every((time) => time > 0.5)
          ? undefined
          : `at ${JSON.stringify(times)}\n${cid.console}`;
      },
      60_000,
    );
    const heard = await cid.statistic('inbound-rtp', 'bytesReceived', 'audio');
    await waitUntil('audio flows', async () => {
      const more = (await cid.statistic('inbound-rtp', 'bytesReceived', 'audio')) - heard;

      return more > 2000 ? undefined : `${more} octets`;
    });
    expect(refused.sort()).toEqual(REFUSED.toSorted());
    await cid.leave();
    for (const page of pages) {
      await waitUntil('it is gone', async () => {
        const { length } = await page.roster();

        return length === 2 ? undefined : `${length} rows`;
      });
    }
  });

  it('marks a microphone that its owner switched off, for everybody', async () => {
    const [ann, bob] = pages as [RoomPage, RoomPage];
    await ann.page.getByTestId('toggle-mic').click();
    for (const page of [ann, bob]) {
      await waitUntil('Ann is marked as muted', async () => {
        const row = (await page.roster()).find((each) => each.text.includes('Ann'));

        return row?.muted === true ? undefined : `row ${JSON.stringify(row)}`;
      });
    }
    await ann.page.getByTestId('toggle-mic').click();
    await waitUntil('the mark goes', async () => {
      const row = (await bob.roster()).find((each) => each.text.includes('Ann'));

      return row?.muted === false ? undefined : `row ${JSON.stringify(row)}`;
    });
  });

  it('takes the video away when its owner switches the camera off, and brings it back', async () => {
    const [ann, bob] = pages as [RoomPage, RoomPage];
    await ann.page.getByTestId('toggle-camera').click();
    await waitUntil('one video is left', async () => {
      const count = Object.keys(await bob.videoTimes()).length;

      return count === 1 ? undefined : `${count} videos`;
    });
    await ann.page.getByTestId('toggle-camera').click();
    await waitUntil('both are back', async () => {
      const times = Object.values(await bob.videoTimes());

      return times.length === 2 && times.every((time) => time > 0.5)
        ? undefined
        : JSON.stringify(times);
    });
  });
});

describe('a room with a lobby', () => {
  const folder = scratchFolder('lobby');
  let server: ParleyServer;
  let browser: Browser;
  let host: RoomPage;
  let guest: RoomPage;

  beforeAll(async () => {
    server = await ParleyServer.start({ folder });
    await server.api('POST', '/rooms', { number: '210', hostPin: '9999', lobby: true });
    browser = await launchChromium();
    host = await RoomPage.join(browser, server, '210', 'Ann', '9999');
    guest = await RoomPage.join(browser, server, '210', 'Bob');
  });

  afterAll(async () => {
    await browser.close();
    await stopAllChildren();
  });

  it('keeps a guest out of sight until the host lets it in', async () => {
    await guest.page.getByTestId('waiting-for-host').waitFor();
    await host.page.getByTestId('waiting').waitFor();
    const rows = (await host.roster()).map((row) => row.text);
    expect(rows).toHaveLength(1);
    expect(Object.keys(await host.videoTimes())).toHaveLength(1);

    await host.page.getByTestId('admit').click();
    await waitUntil('both see each other', async () => {
      const times = [await host.videoTimes(), await guest.videoTimes()].map(Object.values);

      return times.every((each) => each.length === 2 && each.every((time) => time > 0.5))
        ? undefined
        : JSON.stringify(times);
    });
    expect(await host.page.getByTestId('waiting').count()).toBe(0);
  });

  it('says to all when it is locked, and lets nobody in', async () => {
    await server.api('PATCH', '/rooms/210', { locked: true, lobby: false });
    for (const { page } of [host, guest]) await page.getByTestId('room-locked').waitFor();
    const late = await RoomPage.ask(browser, server, '210', 'Cid');

    expect(await late.page.getByTestId('ended').textContent()).toMatch(/locked/i);
    expect(await host.roster()).toHaveLength(2);
  });
});
