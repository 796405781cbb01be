import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BaresipPhone } from '../support/baresip-phone.ts';
import { stopAllChildren } from '../support/child-process.ts';
import { LinphonePhone } from '../support/linphone-phone.ts';
import { ParleyServer } from '../support/parley-server.ts';
import { scratchFolder } from '../support/scratch.ts';
import { lastHeard, untilTone } from '../support/live-recording.ts';
import { readWav, slice, toneLevel } from '../support/tone-meter.ts';
import { letRun, waitUntil } from '../support/wait-until.ts';

const TONES = [440, 660, 880] as const;
const PIN = '1234';

describe('phones that speak WebRTC', () => {
  const folder = scratchFolder('dtls-phones');
  let server: ParleyServer;
  let baresip: BaresipPhone;
  let plain: BaresipPhone;
  let linphone: LinphonePhone;

  beforeAll(async () => {
    server = await ParleyServer.start({ folder });
    await server.api('POST', '/accounts', { username: 'lin', password: 'a word' });
    await server.api('POST', '/rooms', { number: '610', guestPin: PIN });
    const phone = (name: string): { folder: string; name: string } => ({
      folder: path.join(folder, name),
      name,
    });
    baresip = await BaresipPhone.start({
      ...phone('dtls'),
      port: 5070,
      codec: 'opus',
      tone: TONES[0],
      dtls: true,
    });
    plain = await BaresipPhone.start({ ...phone('plain'), port: 5072, tone: TONES[1] });
    linphone = await LinphonePhone.start({
      folder: path.join(folder, 'lin'),
      username: 'lin',
      password: 'a word',
      server: `127.0.0.1:${server.sipPort}`,
      port: 5080,
      tone: TONES[2],
      dtls: true,
    });
  });

  afterAll(async () => {
    await stopAllChildren();
  });

  async function untilMembers(room: string, expected: string[]): Promise<void> {
    await waitUntil(`room ${room} holds [${expected.join(', ')}]`, async () => {
      const now = (await server.participants(room)).map(({ name, muted }) =>
        muted ? `${name} muted` : name,
      );

      return now.join() === expected.join() ? undefined : `[${now.join(', ')}]`;
    });
  }

  async function press(keys: string): Promise<void> {
    for (const key of keys) {
      await baresip.command('sndcode', key);
      await letRun(120);
    }
  }

  it('baresip and linphone with DTLS-SRTP and ICE, and a phone without, hear one another', async () => {
    await plain.call(server.sipUri('600'));
    await baresip.call(server.sipUri('600'));
    await linphone.call(server.sipUri('600'));
    // Whom the others hear its connection has been agreed on with.
    for (const tone of [TONES[1], TONES[2]]) await untilTone(baresip, tone, (level) => level > -24);
    for (const tone of [TONES[0], TONES[2]]) await untilTone(plain, tone, (level) => level > -24);
    await letRun(3500);
    const heardByOthers = [lastHeard(baresip, 2), lastHeard(plain, 2)];
    await linphone.hangUp();
    await linphone.stop();
    const wav = readWav(linphone.recording);
    const end = wav.samples.length / wav.sampleRate;
    for (const [own, heard] of [...heardByOthers, slice(wav, end - 3, end - 1)].entries()) {
      const levels = TONES.map((tone) => [tone, Math.round(toneLevel(heard, tone))] as const);
      for (const [at, level] of levels.entries()) {
        const isRight = at === own ? level[1] < -40 : level[1] > -24;
        expect([own, levels, isRight]).toEqual([own, levels, true]);
      }
    }
  });

  it('their keys (RFC 4733 over DTLS-SRTP) mute and unmute, and nobody hears them', async () => {
    await press('*6');
    await untilMembers('600', ['plain', 'dtls muted']);
    await letRun(1000);
    await press('*6');
    await untilMembers('600', ['plain', 'dtls']);
    const recording = readWav(plain.recording());
    await baresip.hangUp();
    const end = recording.samples.length / recording.sampleRate;
    for (const frequency of [770, 941, 1209, 1477]) {
      expect([frequency, toneLevel(slice(recording, end - 3, end), frequency) < -45]).toEqual([
        frequency,
        true,
      ]);
    }
  });

  it('are asked for the PIN of a room, and then are in it', async () => {
    await baresip.callAndHear(server.sipUri('610'));
    expect(await server.participants('610')).toEqual([]);
    await press(`${PIN}#`);
    await untilMembers('610', ['dtls']);
  });
});
