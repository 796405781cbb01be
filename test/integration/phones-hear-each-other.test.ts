import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BaresipPhone, type PhoneCodec } from '../support/baresip-phone.ts';
import { stopAllChildren } from '../support/child-process.ts';
import { ParleyServer } from '../support/parley-server.ts';
import { scratchFolder } from '../support/scratch.ts';
import { readWav, slice, toneLevel, type Signal } from '../support/tone-meter.ts';
import { letRun, waitUntil } from '../support/wait-until.ts';

/** None is a harmonic of another, nor a difference of two. */
const TONES = [410, 670, 1010, 1490];
/** Peak of the tones that the phones play, dBFS. */
const SENT = -12;
/** Nobody sends these: sums and differences of the tones, their harmonics, and what lies between. */
const THIRD_TONES = [260, 340, 480, 600, 820, 1080, 1230, 1340, 1680, 2020, 2500, 2980, 3300];

/**
 * Half seconds of the recording's end: what came before holds the others' joining, and the tones that
 * tell of it. Of several the median is judged: a phone that a busy machine held up once, and whose
 * gap was filled, is not a wrong level.
 */
function lastPieces(whole: Signal): Signal[] {
  const end = whole.samples.length / whole.sampleRate - 0.3;

  return [0, 1, 2, 3, 4, 5, 6].map((i) => slice(whole, end - 0.5 * (i + 1), end - 0.5 * i));
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

describe('baresip phones in one room', () => {
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
    {
      what: 'every codec with every other',
      codecs: ['pcmu', 'pcma', 'g722', 'opus'],
      transport: 'udp',
    },
  ])('each hears the others as they are and not itself: $what', async ({ codecs, transport }) => {
    const recordings = await meeting(`r${codecs.join('')}${transport}`, codecs, transport);

    const wrong: string[] = [];
    for (const [i, file] of recordings.entries()) {
      const pieces = lastPieces(readWav(file));
      const check = (tone: number, what: string, right: (level: number) => boolean): void => {
        const level = median(pieces.map((piece) => toneLevel(piece, tone)));
        if (!right(level)) wrong.push(`${codecs[i]!} ${i}: ${what} ${tone} Hz at ${level}`);
      };
      for (const [j] of codecs.entries()) {
        if (j === i) check(TONES[j]!, 'itself', (level) => level < SENT - 40);
        else check(TONES[j]!, codecs[j]!, (level) => Math.abs(level - SENT) < 1);
      }
      for (const tone of THIRD_TONES) check(tone, 'nobody', (level) => level < SENT - 40);
    }
    expect(wrong).toEqual([]);
  });
});
