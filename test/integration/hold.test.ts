import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BaresipPhone } from '../support/baresip-phone.ts';
import { stopAllChildren } from '../support/child-process.ts';
import { ParleyServer } from '../support/parley-server.ts';
import { scratchFolder } from '../support/scratch.ts';
import { lastHeard, untilTone } from '../support/live-recording.ts';
import { toneLevel } from '../support/tone-meter.ts';
import { letRun, waitUntil } from '../support/wait-until.ts';

const TONE = 440;
/** After which a phone that sends nothing has timed out, unless it holds. */
const RTP_TIMEOUT_S = 2;

describe('a phone that puts the room on hold', () => {
  const folder = scratchFolder('hold');
  let server: ParleyServer;
  let holder: BaresipPhone;
  let listener: BaresipPhone;

  beforeAll(async () => {
    server = await ParleyServer.start({ folder, env: { RTP_TIMEOUT_S: String(RTP_TIMEOUT_S) } });
    [holder, listener] = await Promise.all([
      BaresipPhone.start({
        folder: path.join(folder, 'a'),
        name: 'holder',
        port: 5070,
        tone: TONE,
      }),
      BaresipPhone.start({
        folder: path.join(folder, 'b'),
        name: 'listener',
        port: 5072,
        tone: 660,
      }),
    ]);
    await listener.call(server.sipUri('800'));
    await holder.call(server.sipUri('800'));
  });

  afterAll(async () => {
    await stopAllChildren();
  });

  it('is not heard meanwhile, does not time out, and is heard again', async () => {
    await untilTone(listener, TONE, (level) => level > -18);
    await holder.command('hold');
    await untilTone(listener, TONE, (level) => level < -50);
    await letRun((RTP_TIMEOUT_S + 1) * 1000);
    expect(toneLevel(lastHeard(listener, RTP_TIMEOUT_S + 1), TONE)).toBeLessThan(-50);
    expect(await server.participants('800')).toHaveLength(2);
    await holder.command('resume');
    await untilTone(listener, TONE, (level) => level > -18);
    await listener.hangUp();
  });

  it('both sides have exchanged RTCP reports', async () => {
    await waitUntil('a report', () =>
      holder.events.some((event) => event.type === 'CALL_RTCP') ? undefined : 'without one',
    );
    await holder.hangUp();
  });
});
