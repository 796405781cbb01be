import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RtpPacketView } from '../../media/rtp/index.ts';
import { BaresipPhone, type PhoneCodec } from '../support/baresip-phone.ts';
import { stopAllChildren } from '../support/child-process.ts';
import { decodePackets } from '../support/ffmpeg.ts';
import { PacketCapture } from '../support/packet-capture.ts';
import { ParleyServer } from '../support/parley-server.ts';
import { scratchFolder } from '../support/scratch.ts';
import { mediaPort, runScenario, scenarioMessages } from '../support/sipp.ts';
import { slice, toneLevel } from '../support/tone-meter.ts';
import { waitUntil } from '../support/wait-until.ts';

const ROOM = '810';

interface CallRow {
  id: string;
  state: string;
  direction: string;
}

describe('keys that a room presses in its calls', () => {
  const folder = scratchFolder('keys-out');
  let server: ParleyServer;

  beforeAll(async () => {
    server = await ParleyServer.start({ folder });
  });

  afterAll(async () => {
    await stopAllChildren();
  });

  function dial(port: number, digits?: string): Promise<{ id: string }> {
    const uri = `sip:bridge@127.0.0.1:${port}`;

    return server.api('POST', `/rooms/${ROOM}/calls`, { uri, ...(digits && { digits }) });
  }

  async function established(): Promise<CallRow> {
    let row: CallRow | undefined;
    await waitUntil('the call stands', async () => {
      const rows = await server.api<CallRow[]>('GET', '/calls');
      row = rows.find(({ direction, state }) => direction === 'out' && state === 'established');

      return row === undefined ? JSON.stringify(rows) : undefined;
    });

    return row!;
  }

  async function everybodyLeaves(): Promise<void> {
    await server.api('DELETE', `/rooms/${ROOM}`);
    await waitUntil('no call is left', async () => {
      const left = (await server.metrics()).get('parley_sip_dialogs');

      return left === 0 ? undefined : `${left} there`;
    });
  }

  it.each<{ codec: PhoneCodec }>([{ codec: 'pcmu' }, { codec: 'opus' }])(
    '4733-2.5.1.4-a are told by baresip one by one, after the answer and later: $codec',
    async ({ codec }) => {
      const port = codec === 'opus' ? 5076 : 5070;
      const phone = await BaresipPhone.start({
        folder: path.join(folder, codec),
        name: 'bridge',
        port,
        codec,
        answers: 'auto',
      });
      const pressed = (): string =>
        phone.events
          .filter(({ type }) => type === 'CALL_DTMF_START')
          .map(({ param }) => param)
          .join('');
      const untilPressed = (keys: string): Promise<void> =>
        waitUntil(`${keys} are pressed`, () => (pressed() === keys ? undefined : pressed()));
      await dial(port, 'w1234w#');
      await untilPressed('1234#');
      const { id } = await established();
      const answer = await server.api('POST', `/calls/${id}/digits`, { digits: '*0055D' });
      expect(answer).toEqual({ digits: '*0055D', form: 'events' });
      await untilPressed('1234#*0055D');
      await waitUntil('the last one is up', () => {
        const ends = phone.events.filter(({ type }) => type === 'CALL_DTMF_END').length;

        return ends === 11 ? undefined : `${ends} are`;
      });
      await everybodyLeaves();
      await phone.stop();
    },
  );

  async function sipp(name: string, port: number, methods: string) {
    const work = path.join(folder, name);
    mkdirSync(work);
    const capture = await PacketCapture.start(work, `udp and dst port ${mediaPort(port)}`);
    const played = runScenario({
      folder: work,
      scenario: 'called/without-events.xml',
      user: 'bridge',
      port,
      seconds: 30,
      keys: { methods },
    });

    return { work, capture, played };
  }

  it('legacy-info-a are INFO to who has no events', async () => {
    const { work, capture, played } = await sipp('info', 5180, 'INFO');
    await dial(5180, '7w*');
    const keys = (): string =>
      [...scenarioMessages(work).matchAll(/^Signal=(.)/gm)].map(([, key]) => key).join('');
    await waitUntil('both came', () => (keys() === '7*' ? undefined : keys()));
    await everybodyLeaves();
    expect(await played).toEqual({ exitCode: 0, errors: '' });
    await capture.stop();
  });

  it('are tones, and nothing beside them, to who has neither', async () => {
    const { capture, played } = await sipp('tones', 5184, 'OPTIONS');
    await dial(5184);
    const { id } = await established();
    const answer = await server.api('POST', `/calls/${id}/digits`, { digits: '19' });
    expect(answer).toEqual({ digits: '19', form: 'tones' });
    await waitUntil('they were pressed', () =>
      server.log.includes('keys were pressed') && server.log.includes('"form":"tones"')
        ? undefined
        : 'not yet',
    );
    await everybodyLeaves();
    expect(await played).toEqual({ exitCode: 0, errors: '' });
    const view = new RtpPacketView();
    const packets = (await capture.stop()).flatMap(({ payload }) =>
      view.parse(payload) && view.payloadType === 0 ? [view.payload().slice()] : [],
    );
    const heard = decodePackets(packets, 'PCMU');
    const ends = heard.samples.length / heard.sampleRate;
    const found: string[] = [];
    for (let at = 0; at + 0.05 < ends; at += 0.02) {
      const piece = slice(heard, at, at + 0.05);
      const key = keyOf((hertz) => toneLevel(piece, hertz));
      if (key !== found.at(-1)) found.push(key);
    }
    expect(found.filter((key) => key !== '').join('')).toBe('19');
  });
});

/** The key whose two tones stand alone 20 dB above all others, as ITU-T Q.24 would have it heard. */
function keyOf(level: (hertz: number) => number): string {
  const strongest = (tones: number[]): number => {
    const levels = tones.map(level);
    const best = Math.max(...levels);
    const others = levels.filter((each) => each !== best);

    return best > -20 && best - Math.max(...others) > 20 ? levels.indexOf(best) : -1;
  };
  const row = strongest([697, 770, 852, 941]);
  const column = strongest([1209, 1336, 1477, 1633]);

  return row < 0 || column < 0 ? '' : '123A456B789C*0#D'[4 * row + column]!;
}
