import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BaresipPhone, type PhoneCodec } from '../support/baresip-phone.ts';
import { stopAllChildren } from '../support/child-process.ts';
import { ParleyServer } from '../support/parley-server.ts';
import { scratchFolder } from '../support/scratch.ts';
import { readWav, slice, toneLevel } from '../support/tone-meter.ts';
import { letRun, waitUntil } from '../support/wait-until.ts';

const TONES = [440, 660, 880];

describe('three baresip phones in one room', () => {
  const folder = scratchFolder('phones');
  let server: ParleyServer;

  beforeAll(async () => {
    server = await ParleyServer.start({ folder });
  });

  afterAll(async () => {
    await stopAllChildren();
  });

  async function meeting(
    room: string,
    codecs: PhoneCodec[],
    transport: 'udp' | 'tcp',
  ): Promise<string[]> {
    const phones = await Promise.all(
      codecs.map((codec, i) =>
        BaresipPhone.start({
          folder: path.join(folder, `${room}-${i}`),
          name: `phone${i}`,
          port: 5070 + 2 * i,
          codec,
          tone: TONES[i] ?? 440,
          transport,
        }),
      ),
    );
    for (const phone of phones) {
      await phone.call(server.sipUri(room, transport === 'tcp' ? 'tcp' : undefined));
    }
    expect((await server.participants(room)).map((each) => each.kind)).toEqual(
      codecs.map(() => 'phone'),
    );
    await letRun(5000);
    const recordings = phones.map((phone) => phone.recording());
    for (const phone of phones) await phone.hangUp();
    for (const phone of phones) await phone.stop();
    await waitUntil('the room is over', async () => {
      const rooms = (await server.metrics()).get('parley_rooms');

      return rooms === 0 ? undefined : `${rooms} open`;
    });

    return recordings;
  }

  it.each<{ what: string; codecs: PhoneCodec[]; transport: 'udp' | 'tcp' }>([
    { what: 'all PCMU', codecs: ['pcmu', 'pcmu', 'pcmu'], transport: 'udp' },
    { what: 'PCMU, PCMA and Opus', codecs: ['pcmu', 'pcma', 'opus'], transport: 'udp' },
    {
      what: 'PCMU, PCMA and Opus, called over TCP',
      codecs: ['pcmu', 'pcma', 'opus'],
      transport: 'tcp',
    },
  ])('each hears the two others and not itself: $what', async ({ codecs, transport }) => {
    const recordings = await meeting(`r${codecs.join('')}${transport}`, codecs, transport);

    const heard = recordings.map((file, i) => {
      // The first second and a half holds the others' joining.
      const signal = slice(readWav(file), 1.5, 4.5);
      const levels = TONES.map((tone) => toneLevel(signal, tone));

      return { own: levels[i] ?? 0, others: levels.filter((_, j) => j !== i) };
    });

    for (const { own, others } of heard) {
      for (const level of others) {
        expect(level).toBeGreaterThan(-18);
        expect(level).toBeLessThan(-9);
        expect(level - own).toBeGreaterThanOrEqual(20);
      }
    }
  });
});
