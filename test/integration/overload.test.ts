import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BaresipPhone } from '../support/baresip-phone.ts';
import { Child, stopAllChildren } from '../support/child-process.ts';
import { ParleyServer } from '../support/parley-server.ts';
import { writeTonePcap } from '../support/rtp-pcap.ts';
import { projectPath, scratchFolder } from '../support/scratch.ts';
import { runScenario } from '../support/sipp.ts';
import { longestGapMs, readWav, slice, toneLevel } from '../support/tone-meter.ts';
import { letRun, waitUntil } from '../support/wait-until.ts';

/** Loopback addresses are never held to a rate; this one is another host's, as far as the server can see. */
const CROWD = '10.77.0.1';
const RATE = 20;
const SECONDS = 6;

describe('more new calls than one source may make', () => {
  const folder = scratchFolder('overload');
  let server: ParleyServer;
  let phones: BaresipPhone[];

  beforeAll(async () => {
    spawnSync('ip', ['addr', 'add', `${CROWD}/32`, 'dev', 'lo']);
    mkdirSync(path.join(folder, 'media'));
    const tone = { codec: 'PCMU', hertz: 440, seconds: 8, ssrc: 0x440 } as const;
    writeTonePcap(path.join(folder, 'media/tone440.pcap'), tone);
    server = await ParleyServer.start({ folder, env: { SIP_RATE_LIMIT: String(RATE) } });
    phones = await Promise.all(
      [530, 670].map((hertz, i) =>
        BaresipPhone.start({
          folder: path.join(folder, `phone${i}`),
          name: `phone${i}`,
          port: 5070 + 2 * i,
          tone: hertz,
        }),
      ),
    );
    for (const phone of phones) await phone.call(server.sipUri('750'));
    await letRun(1000);
  });

  afterAll(async () => {
    await stopAllChildren();
  });

  /** So many new calls a second. */
  function crowd(perSecond: number): Child {
    return new Child({
      name: 'crowd',
      command: 'sipp',
      logFile: path.join(folder, 'crowd.log'),
      cwd: folder,
      env: { TERM: 'dumb' },
      args: [
        `127.0.0.1:${server.sipPort}`,
        ...['-sf', projectPath('test/fixtures/sipp/refused-when-busy.xml'), '-s', '750'],
        ...['-i', CROWD, '-p', '5300', '-cp', '8300', '-nostdin', '-t', 'u1'],
        ...['-r', String(perSecond), '-m', String(perSecond * SECONDS)],
        ...['-trace_err', '-error_file', path.join(folder, 'crowd.err')],
      ],
    });
  }

  async function count(name: string): Promise<number> {
    return (await server.metrics()).get(name) ?? 0;
  }

  it('503 with Retry-After; calls of that source that stand are held, resumed and ended', async () => {
    const standing = runScenario({
      folder,
      cwd: folder,
      scenario: 'callers/hold.xml',
      target: `127.0.0.1:${server.sipPort}`,
      address: CROWD,
      user: '751',
      port: 5200,
      seconds: 40,
    });
    await waitUntil('the call stands', async () => {
      const members = await server.participants('751').catch(() => []);

      return members.length === 1 ? undefined : 'not there';
    });
    const sipp = crowd(RATE * 15);
    // Ends with 0 when each got 200, or 503 with Retry-After, or, as one of very many, nothing.
    expect(await sipp.exited).toBe(0);
    expect(await count('parley_sip_refused_total{reason="rate"}')).toBeGreaterThan(RATE * 15);
    expect(await count('parley_sip_responses_total{code="503",direction="out"}')).toBeGreaterThan(
      100,
    );
    expect(await standing).toEqual({ exitCode: 0, errors: '' });
  });

  it('the calls of others were not harmed', async () => {
    for (const phone of phones) await phone.hangUp();
    const heard = slice(readWav(phones[0]!.recording()), 1.5, 1.5 + SECONDS);
    expect(toneLevel(heard, 670)).toBeGreaterThan(-18);
    expect(longestGapMs(heard)).toBeLessThanOrEqual(60);
  });

  it('the source is served again as soon as it keeps to its rate', async () => {
    await letRun(2000);
    const refused = await count('parley_sip_refused_total{reason="rate"}');
    const again = await runScenario({
      folder,
      scenario: 'callers/options.xml',
      target: `127.0.0.1:${server.sipPort}`,
      address: CROWD,
      user: '750',
      port: 5210,
      seconds: 10,
    });
    expect(again).toEqual({ exitCode: 0, errors: '' });
    expect(await count('parley_sip_refused_total{reason="rate"}')).toBe(refused);
  });
});
