import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BaresipPhone } from '../support/baresip-phone.ts';
import { stopAllChildren } from '../support/child-process.ts';
import { ParleyServer } from '../support/parley-server.ts';
import { scratchFolder } from '../support/scratch.ts';
import { readWav, slice, toneLevel } from '../support/tone-meter.ts';
import { letRun, waitUntil } from '../support/wait-until.ts';

const TONE = 440;
const PHASE = 4;

describe('a phone that puts the room on hold', () => {
  const folder = scratchFolder('hold');
  let server: ParleyServer;
  let holder: BaresipPhone;
  let listener: BaresipPhone;

  beforeAll(async () => {
    server = await ParleyServer.start({ folder, env: { RTP_TIMEOUT_S: '2' } });
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
    await letRun(PHASE * 1000);
    await holder.command('hold');
    await letRun(PHASE * 1000);
    expect(await server.participants('800')).toHaveLength(2);
    await holder.command('resume');
    await letRun(PHASE * 1000);
    await listener.hangUp();

    const recording = readWav(listener.recording());
    const end = recording.samples.length / recording.sampleRate;
    // From the end, as the recording begins with the phones' start: a margin stays at each change.
    const during = (from: number): number =>
      toneLevel(slice(recording, end - from * PHASE + 1, end - (from - 1) * PHASE - 1), TONE);
    expect(during(1)).toBeGreaterThan(-18);
    expect(during(2)).toBeLessThan(-50);
    expect(during(3)).toBeGreaterThan(-18);
  });

  it('both sides have exchanged RTCP reports', async () => {
    await waitUntil('a report', () =>
      holder.events.some((event) => event.type === 'CALL_RTCP') ? undefined : 'without one',
    );
    await holder.hangUp();
  });
});
