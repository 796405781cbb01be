import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { stopAllChildren } from '../support/child-process.ts';
import { ParleyServer } from '../support/parley-server.ts';
import { scratchFolder } from '../support/scratch.ts';
import { expectSettled, restingResources, type OpenResources } from '../support/settled.ts';
import { runSipp, writeMuLaw } from '../support/sipp.ts';

describe('a call generator', () => {
  const folder = scratchFolder('load');
  let server: ParleyServer;
  let before: OpenResources;

  beforeAll(async () => {
    server = await ParleyServer.start({ folder, env: { SIP_T1_MS: '100' } });
    writeMuLaw(path.join(folder, 'tone.ul'), 440);
    const first = await call(1);
    expect(first.failed).toBe(0);
    before = await restingResources(server);
  });

  afterAll(async () => {
    await stopAllChildren();
  });

  async function call(calls: number): ReturnType<typeof runSipp> {
    return runSipp({
      folder,
      scenario: 'call-with-rtp.xml',
      target: `127.0.0.1:${server.sipPort}`,
      user: '600',
      calls,
      callsPerSecond: 20,
      duration: 4000,
    });
  }

  it('makes 200 calls at 20 a second with RTP: all answered, all ended, nothing left', async () => {
    const result = await call(200);

    expect(result).toMatchObject({ exitCode: 0, successful: 200, failed: 0 });
    const metrics = await server.metrics();
    expect(
      metrics.get('parley_sip_responses_total{code="200",direction="out"}'),
    ).toBeGreaterThanOrEqual(402);
    // 80 phones at a time, 50 packets a second each.
    expect(metrics.get('parley_rtp_packets_total{direction="in"}')).toBeGreaterThan(30_000);
    await expectSettled(server, before);
  });
});
