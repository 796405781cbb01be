import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BaresipPhone, type PhoneCodec } from '../support/baresip-phone.ts';
import { stopAllChildren } from '../support/child-process.ts';
import { PacketCapture, type CapturedPacket } from '../support/packet-capture.ts';
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

/** What is wrong with the one RTP stream that a phone was sent. */
function streamFaults(packets: CapturedPacket[], to: { min: number; max: number }): string[] {
  const stream = packets
    .filter(({ destinationPort: port }) => port >= to.min && port <= to.max && port % 2 === 0)
    .map(({ payload, sourcePort }) => ({ rtp: Buffer.from(payload), sourcePort }));
  const faults: string[] = [];
  if (stream.length < 100) faults.push(`${stream.length} packets`);
  const ssrcs = new Set(stream.map(({ rtp }) => rtp.readUInt32BE(8)));
  const ports = new Set(stream.map(({ sourcePort }) => sourcePort));
  if (ssrcs.size !== 1 || ports.size !== 1) faults.push(`${ssrcs.size} SSRCs, ${ports.size} ports`);
  const steps = stream
    .slice(1)
    .map(({ rtp }, i) => (rtp.readUInt32BE(4) - stream[i]!.rtp.readUInt32BE(4)) >>> 0);
  const frame = median(steps);
  for (const [i, step] of steps.entries()) {
    const sequences =
      (stream[i + 1]!.rtp.readUInt16BE(2) - stream[i]!.rtp.readUInt16BE(2)) & 0xffff;
    // More than one frame at a time only where a busy machine made the thread give some up, or tcpdump miss some.
    const tooMuch = step - sequences * frame;
    if (
      sequences === 0 ||
      sequences > 25 ||
      step % frame !== 0 ||
      tooMuch < 0 ||
      tooMuch > 25 * frame
    ) {
      faults.push(`packet ${i + 1}: ${sequences} on, ${step} later`);
    }
  }

  return faults;
}

/** What is wrong with what a phone heard from the last one's joining on: `other`'s tone and not its `own`. */
function levelFaults(whole: Signal, other: number, own: number): string[] {
  const seconds = whole.samples.length / whole.sampleRate;
  const pieces = Array.from({ length: Math.floor(2 * (seconds - 2.3)) }, (_unused, i) =>
    slice(whole, seconds - 0.3 - 0.5 * (i + 1), seconds - 0.3 - 0.5 * i),
  );
  const levels = pieces.map((piece) => toneLevel(piece, other));
  const off = levels.filter((level) => Math.abs(level - SENT) > 3).length;
  const itself = median(pieces.map((piece) => toneLevel(piece, own)));
  const faults: string[] = [];
  if (Math.abs(median(levels) - SENT) > 1) faults.push(`hears ${median(levels)} dBFS`);
  if (off > 0.1 * pieces.length + 1)
    faults.push(`${off} of ${pieces.length} pieces: ${levels.join(' ')}`);
  if (itself > SENT - 40) faults.push(`hears itself at ${itself} dBFS`);

  return faults;
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

describe('baresip phones in one room', () => {
  const folder = scratchFolder('phones');
  let server: ParleyServer;

  beforeAll(async () => {
    // One room alone never moves; two on one thread do, at the first per cent of its time.
    const env = { MIXER_THREADS: '2', MIXER_MOVE_PERCENT: '1' };
    server = await ParleyServer.start({ folder, env });
  });

  afterAll(async () => {
    await stopAllChildren();
  });

  async function startPhone(name: string, codec: PhoneCodec, i: number): Promise<BaresipPhone> {
    return BaresipPhone.start({
      folder: path.join(folder, name),
      name: `phone${i}`,
      port: 5070 + 2 * i,
      codec,
      tone: TONES[i] ?? 440,
    });
  }

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

  it('hear each other without a seam when their room goes to another mixer thread', async () => {
    const moves = async (): Promise<number> =>
      (await server.metrics()).get('parley_mixer_room_moves_total{outcome="moved"}') ?? 0;
    const codecs: PhoneCodec[] = ['opus', 'opus', 'g722', 'pcmu'];
    const phones = await Promise.all(codecs.map((codec, i) => startPhone(`moved-${i}`, codec, i)));
    const [first, second, third, fourth] = phones as [
      BaresipPhone,
      BaresipPhone,
      BaresipPhone,
      BaresipPhone,
    ];
    const before = await moves();
    // Each new room is put on the thread with the fewest phones: "elsewhere" keeps the other one busy.
    await first.call(server.sipUri('moved-a'));
    await second.call(server.sipUri('elsewhere'));
    await third.call(server.sipUri('moved-b'));
    await second.hangUp();
    await Promise.all([
      second.call(server.sipUri('moved-a')),
      fourth.call(server.sipUri('moved-b')),
    ]);
    const capture = await PacketCapture.start(folder, 'udp and src portrange 40000-49998');
    await waitUntil(
      'a room moves',
      async () => ((await moves()) > before ? undefined : 'none moved'),
      30_000,
    );
    await letRun(3000);
    const packets = await capture.stop();
    for (const phone of phones) await phone.hangUp();
    for (const phone of phones) await phone.stop();

    expect(await moves()).toBe(before + 1);
    const wrong = phones.flatMap((phone, i) => [
      ...streamFaults(packets, phone.mediaPorts).map((fault) => `${codecs[i]!} ${i}: ${fault}`),
      ...levelFaults(readWav(phone.recording()), TONES[i ^ 1]!, TONES[i]!).map(
        (fault) => `${codecs[i]!} ${i}: ${fault}`,
      ),
    ]);
    expect(wrong).toEqual([]);
  });
});
