import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { stopAllChildren } from '../support/child-process.ts';
import { ParleyServer } from '../support/parley-server.ts';
import { scratchFolder } from '../support/scratch.ts';
import { runScenario } from '../support/sipp.ts';
import { waitUntil } from '../support/wait-until.ts';

/** What each shows is said on top of its file in test/fixtures/sipp. */
const SCENARIOS = [
  ['3264-8.4-a', 'hold-in-every-form'],
  ['3311-5.2-b', 'hold-by-update'],
  ['3262-3-a', 'reliable-provisional'],
  ['3262-5-a', 'offer-in-reliable-provisional'],
  ['4028-9-b', 'session-timer'],
  ['4028-9-a', 'session-interval-too-small'],
  ['legacy-info-a', 'keys-by-info'],
  ['3261-13.2.1-a', 'delayed-offer'],
  ['3264-8-a', 'codec-change'],
  ['3261-13.3.1.4-a', 'lost-ack'],
  ['5407-3.1.2', 'crossing-requests'],
] as const;

describe('a phone that SIPp plays', () => {
  const folder = scratchFolder('scenarios');
  let server: ParleyServer;

  beforeAll(async () => {
    // The phones of these scenarios send no audio.
    server = await ParleyServer.start({ folder, env: { RTP_TIMEOUT_S: '300' } });
  });

  afterAll(async () => {
    await stopAllChildren();
  });

  async function play(scenario: string, port = 5190): Promise<void> {
    const own = path.join(folder, scenario);
    mkdirSync(own);
    const result = await runScenario({
      folder: own,
      scenario: `${scenario}.xml`,
      target: `127.0.0.1:${server.sipPort}`,
      user: '600',
      port,
      seconds: 70,
    });
    expect(result).toEqual({ exitCode: 0, errors: '' });
  }

  // In the background, as it takes half of 90 s.
  let refreshed: Promise<void>;

  it('4028-10-a starts a call that the server is to refresh', () => {
    refreshed = play('server-refreshes', 5290);
    refreshed.catch(() => undefined);
  });

  it.each(SCENARIOS)('%s %s', async (_id, scenario) => {
    await play(scenario);
  });

  it('4028-10-a server-refreshes', async () => {
    await refreshed;
  }, 80_000);

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
