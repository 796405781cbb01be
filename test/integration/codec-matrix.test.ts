import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { audioCodec } from '../../media/index.ts';
import { RtpPacketView } from '../../media/rtp/index.ts';
import { BaresipPhone, type PhoneCodec } from '../support/baresip-phone.ts';
import { stopAllChildren } from '../support/child-process.ts';
import { decodePackets, encodeWav } from '../support/ffmpeg.ts';
import { LinphonePhone } from '../support/linphone-phone.ts';
import { PacketCapture, type CapturedPacket } from '../support/packet-capture.ts';
import { ParleyServer } from '../support/parley-server.ts';
import { writePayloadsPcap } from '../support/rtp-pcap.ts';
import { scratchFolder } from '../support/scratch.ts';
import { mediaPort, runScenario } from '../support/sipp.ts';
import { readWav, slice, toneLevel, type Signal } from '../support/tone-meter.ts';
import { letRun, waitUntil } from '../support/wait-until.ts';
import { writeToneWav } from '../support/wav-file.ts';

/** Of each maker one phone a codec. */
const CODECS = ['PCMU', 'PCMA', 'G722', 'opus'] as const;
/** Peak of each tone, dBFS: eight at once are still no load for the limiter. */
const SENT = -24;
/** None is a harmonic of another, nor a sum or difference of two. */
const TONES = [430, 530, 670, 830, 1010, 1230, 1490, 1810];
/** Sums, differences and harmonics of them, and what lies between. */
const THIRD_TONES = [
  240, 350, 620, 750, 860, 960, 1060, 1100, 1290, 1360, 1590, 1700, 2010, 2460, 2980, 3300,
];
/** linphone takes the 14 bits of G.722 for 16 when it sends, and back when it hears; ffmpeg and baresip do not. */
const LINPHONE_G722_DB = 6;

/** One phone that plays a tone, and what it heard when it left. */
interface Member {
  readonly what: string;
  readonly codec: (typeof CODECS)[number];
  readonly tone: number;
  /** What is known of its levels, dB. */
  readonly sends?: number;
  readonly hears?: number;
  leave(): Promise<Signal>;
}

/** Opus at its usual rate is for speech; eight lasting tones at once need more for each to keep its level. */
const OPUS_BITRATE = '192000';
/** Its coding noise lies where it would be masked, so close to eight tones higher than near the four of phones-hear-each-other. */
const THIRD_BELOW_DB = { PCMU: 40, PCMA: 40, G722: 40, opus: 32 } as const;

describe('phones of three makers in every pair of codecs', () => {
  const folder = scratchFolder('codec-matrix');
  let server: ParleyServer;

  beforeAll(async () => {
    server = await ParleyServer.start({ folder, env: { OPUS_BITRATE } });
  });

  afterAll(async () => {
    await stopAllChildren();
  });

  async function baresips(room: string, tones: readonly number[]): Promise<Member[]> {
    const phones = await Promise.all(
      CODECS.map((codec, i) =>
        BaresipPhone.start({
          folder: path.join(folder, `${room}-baresip-${codec}`),
          name: `baresip-${codec}`,
          port: 5070 + 2 * i,
          codec: codec.toLowerCase() as PhoneCodec,
          tone: tones[i]!,
          level: SENT,
        }),
      ),
    );
    await Promise.all(phones.map((phone) => phone.call(server.sipUri(room))));

    return phones.map((phone, i) => ({
      what: phone.name,
      codec: CODECS[i]!,
      tone: tones[i]!,
      leave: async () => {
        const recording = phone.recording();
        await phone.hangUp();
        await phone.stop();

        return readWav(recording);
      },
    }));
  }

  async function linphones(room: string, tones: readonly number[]): Promise<Member[]> {
    const phones = await Promise.all(
      CODECS.map(async (codec, i) => {
        const username = `lin${codec.toLowerCase()}`;
        await server.api('POST', '/accounts', { username, password: 'lin-secret' });

        return LinphonePhone.start({
          folder: path.join(folder, `${room}-${username}`),
          username,
          password: 'lin-secret',
          server: `127.0.0.1:${server.sipPort}`,
          port: 5090 + 2 * i,
          codec,
          tone: tones[i]!,
          level: SENT,
        });
      }),
    );
    await Promise.all(phones.map((phone) => phone.call(server.sipUri(room))));

    return phones.map((phone, i) => ({
      what: `linphone-${CODECS[i]!}`,
      codec: CODECS[i]!,
      tone: tones[i]!,
      ...(CODECS[i] === 'G722' && { sends: -LINPHONE_G722_DB, hears: LINPHONE_G722_DB }),
      leave: async () => {
        await phone.hangUp();
        await phone.stop();

        return readWav(phone.recording);
      },
    }));
  }

  /** They play what ffmpeg encoded; what they are sent is captured, and decoded by ffmpeg. */
  async function sipps(room: string, tones: readonly number[]): Promise<Member[]> {
    const works = CODECS.map((codec, i) => {
      const work = path.join(folder, `${room}-sipp-${codec}`);
      mkdirSync(path.join(work, 'media'), { recursive: true });
      const wav = path.join(work, 'tone.wav');
      writeToneWav(wav, tones[i]!, { seconds: 15, sampleRate: 48_000, level: SENT });
      const { payloadType, clockRate, channels } = audioCodec(codec);
      const stream = { payloadType, clockRate, ssrc: 0x5100 + i };
      writePayloadsPcap(path.join(work, 'media/audio.pcap'), encodeWav(wav, codec), stream);
      const rtpmap = `${codec}/${clockRate}${channels === 1 ? '' : `/${channels}`}`;

      return { codec, work, payloadType, rtpmap };
    });
    const captures = await Promise.all(
      works.map(({ work }, i) => {
        return PacketCapture.start(work, `udp and dst port ${mediaPort(5190 + i)}`);
      }),
    );
    const calls = works.map(({ work, payloadType, rtpmap }, i) =>
      runScenario({
        folder: work,
        scenario: 'one-codec.xml',
        target: `127.0.0.1:${server.sipPort}`,
        user: room,
        port: 5190 + i,
        seconds: 30,
        pause: 7000,
        keys: { payload: String(payloadType), codec: rtpmap },
      }),
    );

    return works.map(({ codec, payloadType }, i) => ({
      what: `sipp-${codec}`,
      codec,
      tone: tones[i]!,
      leave: async () => {
        const packets = await captures[i]!.stop();
        expect(await calls[i]).toEqual({ exitCode: 0, errors: '' });

        return decodePackets(audioOf(packets, payloadType), codec);
      },
    }));
  }

  async function meet(room: string, members: readonly Member[]): Promise<Signal[]> {
    await waitUntil('all are in the room', async () => {
      const { length } = await server.participants(room);

      return length === members.length ? undefined : `${length} are`;
    });
    await letRun(4500);
    const recordings = await Promise.all(members.map((member) => member.leave()));
    await waitUntil('the room is over', async () => {
      const rooms = (await server.metrics()).get('parley_rooms');

      return rooms === 0 ? undefined : `${rooms} open`;
    });

    return recordings;
  }

  it.each<{ makers: string; others: typeof linphones }>([
    { makers: 'baresip and linphone', others: linphones },
    { makers: 'baresip and SIPp with ffmpeg', others: sipps },
  ])('each hears the others as they are and not itself: $makers', async ({ others }) => {
    const room = `room-of-${others.name}`;
    const half = CODECS.length;
    // SIPp's calls last as long as its script says, so they come last.
    const members = [
      ...(await baresips(room, TONES.slice(0, half))),
      ...(await others(room, TONES.slice(half))),
    ];
    expect(judge(members, await meet(room, members))).toEqual([]);
  });
});

/** What is wrong with what they heard. */
function judge(members: readonly Member[], recordings: readonly Signal[]): string[] {
  return members.flatMap((listener, i) => {
    const levelOf = levelsAtTheEnd(recordings[i]!);
    const hears = listener.hears ?? 0;
    const wrong: string[] = [];
    for (const talker of members) {
      const level = levelOf(talker.tone);
      const distance = level - SENT - hears - (talker.sends ?? 0);
      const right = talker === listener ? level < SENT - 40 : Math.abs(distance) < 1;
      if (!right) wrong.push(`${listener.what} hears ${talker.what} at ${level.toFixed(1)}`);
    }
    for (const tone of THIRD_TONES) {
      const level = levelOf(tone);
      if (level > SENT + hears - THIRD_BELOW_DB[listener.codec]) {
        wrong.push(`${listener.what} hears ${tone} Hz at ${level.toFixed(1)}`);
      }
    }

    return wrong;
  });
}

/**
 * The median of its last half seconds: what came before holds the others' joining, and what follows some that left
 * earlier; a phone that a busy machine held up once, and whose gap was filled, is not a wrong level.
 */
function levelsAtTheEnd(whole: Signal): (tone: number) => number {
  const end = whole.samples.length / whole.sampleRate - 0.3;
  const pieces = [0, 1, 2, 3, 4, 5, 6].map((i) => slice(whole, end - 0.5 * (i + 1), end - 0.5 * i));

  return (tone) => {
    const levels = pieces.map((piece) => toneLevel(piece, tone)).sort((a, b) => a - b);

    return levels[levels.length >> 1]!;
  };
}

/** Of one payload type, in the order of arrival: nothing is lost on loopback. */
function audioOf(packets: readonly CapturedPacket[], payloadType: number): Uint8Array[] {
  const view = new RtpPacketView();

  return packets.flatMap(({ payload }) =>
    view.parse(payload) && view.payloadType === payloadType ? [view.payload().slice()] : [],
  );
}
