import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BaresipPhone } from '../../support/baresip-phone.ts';
import { stopAllChildren } from '../../support/child-process.ts';
import { ParleyServer } from '../../support/parley-server.ts';
import { scratchFolder } from '../../support/scratch.ts';
import {
  ACCOUNT,
  CALLED,
  CALLERS,
  DESK_PORT,
  LISTENED_ROOM,
  LONGEST_MS,
  ROOM,
  writeMedia,
  type Called,
  type CallRow,
  type Play,
} from '../../support/sipp-plays.ts';
import { runScenario, scenarioMessages, type ScenarioResult } from '../../support/sipp.ts';
import { readWav, slice, toneLevel } from '../../support/tone-meter.ts';
import { waitUntil } from '../../support/wait-until.ts';

/** Each has its own port and, where it has to, its own room; some take 50 s, so all run at once. */
describe('a phone that SIPp plays', () => {
  const folder = scratchFolder('scenarios');
  const results = new Map<string, Promise<ScenarioResult>>();
  let server: ParleyServer;
  let listener: BaresipPhone;
  let ports = 5200;

  beforeAll(async () => {
    mkdirSync(path.join(folder, 'media'));
    writeMedia(path.join(folder, 'media'));
    // The phones of these scenarios send no audio, or for a while.
    server = await ParleyServer.start({ folder, env: { RTP_TIMEOUT_S: '300' } });
    await server.api('POST', '/rooms', { number: ROOM, hostPin: '4711' });
    await server.api('POST', '/accounts', ACCOUNT);
    listener = await BaresipPhone.start({
      folder: path.join(folder, 'listener'),
      name: 'listener',
      port: 5070,
    });
    await listener.call(server.sipUri(LISTENED_ROOM));
    startAll();
  }, 40_000);

  afterAll(async () => {
    await stopAllChildren();
  });

  function play(scenario: string, target: { target?: string }, port: number, options: Play = {}) {
    const own = folderOf(scenario);
    mkdirSync(own, { recursive: true });
    const { user = ROOM, seconds = 40, pause = 2000, ...rest } = options;
    const file = `${scenario}.xml`;

    return runScenario({
      folder: own,
      scenario: file,
      ...target,
      port,
      user,
      seconds,
      pause,
      cwd: folder,
      ...rest,
    });
  }

  function folderOf(scenario: string): string {
    return path.join(folder, scenario);
  }

  /** The long ones at once, the others eight at a time: what they wait for is mostly time. */
  function startAll(): void {
    const waiting: (() => Promise<void>)[] = [];
    const start = (name: string, atOnce: boolean, run: () => Promise<ScenarioResult>): void => {
      let job = (): Promise<void> => Promise.resolve();
      const result = new Promise<ScenarioResult>((resolve, reject) => {
        job = () => run().then(resolve, reject);
      });
      result.catch(() => undefined);
      results.set(name, result);
      if (atOnce) void job();
      else waiting.push(job);
    };
    for (const [, scenario, options] of CALLERS) {
      const port = (ports += 2);
      start(scenario, isLong(options), () => call(scenario, port, options));
    }
    for (const each of CALLED) {
      const port = (ports += 2);
      start(`called/${each.scenario}`, isLong(each.options), () => beCalled(each, port));
    }
    const next = async (): Promise<void> => {
      for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) await job();
    };
    for (let i = 0; i < 8; i++) void next();
  }

  async function call(scenario: string, port: number, options: Play = {}): Promise<ScenarioResult> {
    const target = { target: `127.0.0.1:${server.sipPort}` };
    if (scenario !== 'callers/refer') return play(scenario, target, port, options);
    const desk = play('called/bye-after', {}, DESK_PORT, { pause: 2000 });
    const keys = { refer_to: `sip:desk@127.0.0.1:${DESK_PORT}` };
    const result = await play(scenario, target, port, { ...options, keys });
    expect(await desk).toEqual({ exitCode: 0, errors: '' });

    return result;
  }

  async function beCalled(called: Called, port: number): Promise<ScenarioResult> {
    const { scenario, closesWhen, ends, options, trunk } = called;
    const room = String(port);
    const name = `called/${scenario}`;
    const phone = play(name, {}, port, options);
    if (trunk === true) await trunkTo(scenario, port);
    const uri = `sip:desk@127.0.0.1:${port}`;
    const { id } = await server.api<CallRow>('POST', `/rooms/${room}/calls`, { uri });
    const row = async (): Promise<CallRow | undefined> =>
      (await server.api<CallRow[]>('GET', `/rooms/${room}/calls`)).find((each) => each.id === id);
    if (closesWhen !== undefined) {
      await waitUntil(
        `${name} is to be ended`,
        async () => {
          if ('sees' in closesWhen)
            return closesWhen.sees.test(scenarioMessages(folderOf(name))) ? undefined : 'waiting';
          const now = await row();

          return now?.state === closesWhen.state ? undefined : `${JSON.stringify(now)}`;
        },
        70_000,
      );
      await server.api('DELETE', `/rooms/${room}`);
    }
    const result = await phone;
    await waitUntil(`${name} is ended`, async () => {
      const now = await row();

      return now?.state === 'ended' ? undefined : `${JSON.stringify(now)}`;
    });
    expect(await row()).toMatchObject(ends);

    return result;
  }

  /** A trunk that its host has been seen to serve. */
  async function trunkTo(name: string, port: number): Promise<void> {
    const host = {
      host: '127.0.0.1',
      port,
      transport: 'udp',
      username: 'trunk',
      password: 'secret',
    };
    await server.api('POST', '/trunks', { name, ...host, didRoutes: [] });
    await waitUntil('the trunk is up', async () => {
      const { status } = await server.api<{ status: { state: string } }>('GET', `/trunks/${name}`);

      return status.state === 'up' ? undefined : status.state;
    });
  }

  const plays = [
    ...CALLERS.map(([id, scenario, options]) => ({ id, scenario, isLong: isLong(options) })),
    ...CALLED.map(({ id, scenario, options }) => {
      return { id, scenario: `called/${scenario}`, isLong: isLong(options) };
    }),
  ].sort((one, other) => Number(one.isLong) - Number(other.isLong));

  it.each(plays.map(({ id, scenario }) => [`${id} ${scenario}`.trim(), scenario]))(
    '%s',
    async (_title, scenario) => {
      expect(await results.get(scenario)).toEqual({ exitCode: 0, errors: '' });
    },
    LONGEST_MS,
  );

  it('3261-13.3.1.4-a the answer is repeated after 0.5, 1.5 and 3.5 s', () => {
    const messages = scenarioMessages(folderOf('callers/lost-ack'));
    const untilAck = messages.slice(0, messages.search(/^ACK /m));
    expect(untilAck.match(/^SIP\/2\.0 200 /gm)).toHaveLength(4);
  });

  it('3515-2.4.4-a who transfers is told how it went', () => {
    expect(scenarioMessages(folderOf('callers/refer'))).toMatch(/^SIP\/2\.0 200 OK\r?\n\r?\n/m);
  });

  it('another SSRC and another codec mid-call are heard', async () => {
    await listener.stop();
    const recording = readWav(listener.recording());
    const seconds = Math.floor(recording.samples.length / recording.sampleRate);
    for (const tone of [440, 1010, 660]) {
      const levels = Array.from({ length: seconds }, (_, i) =>
        toneLevel(slice(recording, i, i + 1), tone),
      );
      expect(Math.max(...levels)).toBeGreaterThan(-20);
    }
  });

  it('leaves no dialog behind', async () => {
    await waitUntil(
      'all dialogs are gone',
      async () => {
        const open = (await server.metrics()).get('parley_sip_dialogs');

        return open === 0 ? undefined : `${String(open)} dialogs`;
      },
      40_000,
    );
  }, 50_000);
});

/** Those that take longer than the usual 40 s say so. */
function isLong(options: Play | undefined): boolean {
  return options?.seconds !== undefined;
}
