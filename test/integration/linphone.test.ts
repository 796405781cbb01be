import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BaresipPhone } from '../support/baresip-phone.ts';
import { stopAllChildren } from '../support/child-process.ts';
import { LinphonePhone } from '../support/linphone-phone.ts';
import { PacketCapture } from '../support/packet-capture.ts';
import { ParleyServer } from '../support/parley-server.ts';
import { scratchFolder } from '../support/scratch.ts';
import { untilTone } from '../support/live-recording.ts';
import { readWav, slice, toneLevel, type Signal } from '../support/tone-meter.ts';
import { letRun, waitUntil } from '../support/wait-until.ts';

const SERVER = '127.0.0.1:5060';
const ROOM = '700';
const LIN_TONE = 530;
const BOB_TONE = 670;
/** Of the call in which the phone holds, what comes before and after. */
const TALK_S = 3;

/** linphone answers SHA-256, offers static payload types without rtpmap, and holds by sendonly while it goes on to play. */
describe('linphone', () => {
  const folder = scratchFolder('linphone');
  let server: ParleyServer;
  let lin: LinphonePhone;
  let bob: BaresipPhone;

  beforeAll(async () => {
    server = await ParleyServer.start({ folder });
    await server.api('POST', '/accounts', {
      username: 'lin',
      password: 'lin-secret',
      digest: ['SHA-256'],
    });
    await server.api('POST', '/rooms', { number: ROOM, hostPin: '4711' });
    bob = await BaresipPhone.start({
      folder: path.join(folder, 'bob'),
      name: 'bob',
      port: 5070,
      tone: BOB_TONE,
    });
    lin = await LinphonePhone.start({
      folder: path.join(folder, 'lin'),
      username: 'lin',
      password: 'lin-secret',
      server: SERVER,
      port: 5090,
      tone: LIN_TONE,
    });
  });

  afterAll(async () => {
    await stopAllChildren();
  });

  async function waitForMembers(names: string): Promise<void> {
    await waitUntil(`${names} are in the room`, async () => {
      const members = (await server.participants(ROOM)).map(({ name }) => name).sort();

      return members.join() === names ? undefined : `[${members.join()}]`;
    });
  }

  it('8760-2.3-a registers with SHA-256', async () => {
    await waitUntil('it is registered', async () => {
      const { registrations } = await server.api<{ registrations: object[] }>(
        'GET',
        '/accounts/lin',
      );

      return registrations.length === 1 ? undefined : 'not yet';
    });
    expect(lin.log).toMatch(/algorithm=SHA-256/);
  });

  it('calls a room with a static payload type that has no rtpmap', async () => {
    await bob.call(server.sipUri(ROOM));
    await lin.call(`sip:${ROOM}*4711@${SERVER}`);
    await waitForMembers('bob,lin');
    const offer = /^m=audio [^]{0,300}/m.exec(lin.log);
    expect(offer?.[0]).toMatch(new RegExp(`^m=audio ${lin.rtpPort} RTP/AVP 0 `));
    expect(offer?.[0]).not.toMatch(/rtpmap:0 /);
  });

  it('3264-8.4-a held, it neither hears nor is heard, and does both again when it resumes', async () => {
    await untilTone(bob, LIN_TONE, (level) => level > -20, TALK_S);
    await lin.hold();
    await untilTone(bob, LIN_TONE, (level) => level < -50);
    const capture = await PacketCapture.start(folder, `udp and dst port ${lin.rtpPort}`);
    await letRun(2000);
    expect(await capture.stop()).toEqual([]);
    await lin.resume();
    await untilTone(bob, LIN_TONE, (level) => level > -20, TALK_S);
    await bob.hangUp();
  });

  it('3515-2.4.2-a transfers the phone at its desk into the room', async () => {
    const from = bob.events.length;
    lin.command('transfer sip:bob@127.0.0.1:5070');
    await bob.waitFor('CALL_INCOMING', from);
    await bob.command('accept');
    await bob.waitFor('CALL_ESTABLISHED', from);
    await waitForMembers('bob');
    await bob.hangUp();
  });

  it('is called through its account, and hung up on from the room', async () => {
    const from = lin.log.length;
    await server.api('POST', `/rooms/${ROOM}/calls`, { uri: 'lin' });
    await lin.ringing(from);
    await lin.answer();
    await waitForMembers('lin');
    await letRun(1000);
    const [member] = await server.participants(ROOM);
    const before = lin.log.length;
    await server.api('DELETE', `/rooms/${ROOM}/participants/${member!.id}`);
    await lin.waitFor(/to (?:state )?\S*(?:End|Released)/, before);
    await waitUntil('no dialog is left', async () => {
      const left = (await server.metrics()).get('parley_sip_dialogs');

      return left === 0 ? undefined : `${left} there`;
    });
  });

  it('heard the others in its calls', async () => {
    await lin.stop();
    const heard = readWav(lin.recording);
    const seconds = Math.floor(heard.samples.length / heard.sampleRate);
    const hasBob = (part: Signal): boolean => toneLevel(part, BOB_TONE) > -20;
    const withBob = Array.from({ length: seconds }, (_, i) => slice(heard, i, i + 1)).filter(
      hasBob,
    );
    // At least as long as they talked.
    expect(withBob.length).toBeGreaterThan(TALK_S);
    // From its beginning to its end: alone, a phone hears music, which may hold any tone.
    const whole = withBob.filter((second) =>
      [0, 0.25, 0.5, 0.75].every((at) => hasBob(slice(second, at, at + 0.25))),
    );
    expect(whole.length).toBeGreaterThan(1);
    for (const second of whole) expect(toneLevel(second, LIN_TONE)).toBeLessThan(-45);
  });
});
