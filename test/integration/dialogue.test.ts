import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { silentLogger } from '../../base/index.ts';
import { PromptLibrary, type PromptItem, type Sound } from '../../media/index.ts';
import { BaresipPhone } from '../support/baresip-phone.ts';
import { stopAllChildren } from '../support/child-process.ts';
import { findSound } from '../support/correlation.ts';
import { join, keyTone, silence, sine } from '../support/key-tones.ts';
import { heardSeconds, untilSound } from '../support/live-recording.ts';
import { ParleyServer } from '../support/parley-server.ts';
import { writeAudioPcap } from '../support/rtp-pcap.ts';
import { scratchFolder } from '../support/scratch.ts';
import { runScenario } from '../support/sipp.ts';
import { readWav, slice, toneLevel, type Signal } from '../support/tone-meter.ts';
import { letRun, waitUntil } from '../support/wait-until.ts';

/** A recording that holds a prompt, through two codecs, is at least this like it; chance is below 0.3. */
const SAME = 0.8;
/** One that was never played stays below this, though prompts share words and a speaker. */
const OTHER = 0.5;
const GUEST_PIN = '1234';

describe('callers who are asked', () => {
  const folder = scratchFolder('dialogue');
  const prompts = new PromptLibrary({
    customFolder: path.join(folder, 'none'),
    language: 'en',
    logger: silentLogger,
  });
  let server: ParleyServer;
  let phone: BaresipPhone;

  beforeAll(async () => {
    server = await ParleyServer.start({ folder });
    await server.api('POST', '/rooms', { number: '500', guestPin: GUEST_PIN, hostPin: '9999' });
    await server.api('POST', '/rooms', { number: '510', guestPin: GUEST_PIN, language: 'fr' });
    await server.api('POST', '/rooms', { number: '520', hostPin: '9999', lobby: true });
    phone = await BaresipPhone.start({
      folder: path.join(folder, 'asked'),
      name: 'asked',
      port: 5070,
    });
  });

  afterAll(async () => {
    await stopAllChildren();
  });

  /** One after the other, as a finger does; the phone sends RFC 4733. */
  async function press(keys: string): Promise<void> {
    for (const key of keys) {
      await phone.command('sndcode', key);
      await letRun(120);
    }
  }

  function soundOf(item: PromptItem): Sound {
    const [sound] = prompts.sounds([item], 'en');
    expect(sound).toBeDefined();

    return sound!;
  }

  /** The caller has heard it since its recording was so long. */
  async function untilSaid(item: PromptItem, since = 0): Promise<void> {
    await untilSound(phone, soundOf(item), { since, score: SAME });
  }

  async function members(room: string): Promise<string[]> {
    return (await server.participants(room)).map(({ name, state, muted }) =>
      [name, state, ...(muted ? ['muted'] : [])].join(' '),
    );
  }

  async function untilMembers(room: string, expected: string[]): Promise<void> {
    await waitUntil(`room ${room} holds [${expected.join(', ')}]`, async () => {
      const now = await members(room);

      return now.join() === expected.join() ? undefined : `[${now.join(', ')}]`;
    });
  }

  it('name a room and its PIN by keys (RFC 4733), press keys there, and hear each answer', async () => {
    await phone.callAndHear(server.sipUri('0'));
    await untilSaid('ask-room');
    expect(await members('500')).toEqual([]);
    let since = heardSeconds(phone);
    await press('500#');
    await untilSaid('ask-pin', since);
    expect(await members('500')).toEqual([]);
    since = heardSeconds(phone);
    await press(`${GUEST_PIN}#`);
    await untilMembers('500', ['asked joined']);
    await untilSaid('only-one', since);
    await press('*6');
    await untilMembers('500', ['asked joined muted']);
    await untilSaid('muted', since);
    await press('*6');
    await untilMembers('500', ['asked joined']);
    await untilSaid('unmuted', since);
    since = heardSeconds(phone);
    await press('*1');
    await untilSaid('only-one', since);
    const recording = phone.recording();
    await phone.hangUp();

    expect(findSound(soundOf('bad-pin'), readWav(recording)).score).toBeLessThan(OTHER);
  });

  it('are asked in the language of the room, and cannot try PINs for ever (INFO)', async () => {
    const work = path.join(folder, 'info');
    mkdirSync(work);
    const { exitCode, errors } = await runScenario({
      folder: work,
      scenario: 'wrong-pin-by-info.xml',
      target: `127.0.0.1:${server.sipPort}`,
      user: '510',
      port: 5180,
      seconds: 40,
    });

    expect({ exitCode, errors }).toEqual({ exitCode: 0, errors: '' });
    expect(await members('510')).toEqual([]);
  });

  it('legacy-dtmf-inband: press keys by tones, which nobody else hears', async () => {
    const work = path.join(folder, 'tones');
    mkdirSync(path.join(work, 'media'), { recursive: true });
    const keys = (pressed: string): Float64Array[] =>
      [...pressed].flatMap((key) => [keyTone({ key, ms: 100 }), silence(100)]);
    writeAudioPcap(
      path.join(work, 'media/key-tones.pcap'),
      'PCMU',
      join([
        ...[silence(1500), ...keys(`${GUEST_PIN}#`), silence(4500)],
        ...[sine(600, 1000, -15), ...keys('*6'), sine(600, 1000, -15), silence(1000)],
      ]),
      0x6060,
    );
    await phone.call(server.sipUri(`500*${GUEST_PIN}`));
    const scenario = runScenario({
      folder: work,
      scenario: 'keys-by-tones.xml',
      target: `127.0.0.1:${server.sipPort}`,
      user: '500',
      port: 5181,
      seconds: 40,
      pause: 13_000,
    });
    await untilMembers('500', ['asked joined', 'sipp joined']);
    await untilMembers('500', ['asked joined', 'sipp joined muted']);
    await letRun(500);
    const recording = phone.recording();
    await phone.hangUp();
    const heard = slice(readWav(recording), -3);

    expect((await scenario).exitCode).toBe(0);
    // Up to the keys it was heard.
    expect(loudest(heard, 600)).toBeGreaterThan(-25);
    for (const frequency of [770, 941, 1209, 1477]) {
      expect([frequency, loudest(heard, frequency) < -40]).toEqual([frequency, true]);
    }
  });

  it('wait in the lobby with music until they are let in', async () => {
    await phone.callAndHear(server.sipUri('520'));
    await untilMembers('520', ['asked lobby']);
    await untilSaid('wait-for-host');
    const [waiting] = await server.participants('520');
    await server.api('PATCH', `/rooms/520/participants/${waiting?.id ?? ''}`, { state: 'joined' });
    await untilMembers('520', ['asked joined']);
    await phone.hangUp();
  });
});

/** Of any 60 ms, dBFS. */
function loudest(signal: Signal, frequency: number): number {
  const seconds = signal.samples.length / signal.sampleRate;
  const levels: number[] = [];
  for (let at = 0; at + 0.06 <= seconds; at += 0.02) {
    levels.push(toneLevel(slice(signal, at, at + 0.06), frequency));
  }

  return Math.max(...levels);
}
