import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { newLegId, type LegId } from '../../../base/index.ts';
import {
  createEncoder,
  MAX_ENCODED_OCTETS,
  type AudioEncoder,
} from '../../../media/codec/index.ts';
import { audioCodec, type AudioCodecName } from '../../../media/codecs.ts';
import type { Sound } from '../../../media/media-api.ts';
import { RoomMixer, type RoomMixerOptions } from '../../../media/mixer/room-mixer.ts';
import {
  isRtcp,
  openBatchedSocket,
  pollBatchedSockets,
  RtpPacketView,
  writeRtp,
  type PacketSocket,
} from '../../../media/rtp/index.ts';
import { phoneAudio } from '../fake-mixer-pool.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { ToneSource } from '../../support/tone-source.ts';

// It takes as long as it takes to encode, on machines that may be busy.
jest.setTimeout(120_000);

const ADDRESS = '127.0.0.1';
const FRAME_MS = 20;

interface Heard {
  sequenceNumber: number;
  timestamp: number;
  ssrc: number;
  payload: string;
}

/** A phone without a clock of its own: it sends when it is told to. */
class SteppedPhone {
  readonly id: LegId = newLegId();
  readonly heard: Heard[] = [];
  readonly socket: PacketSocket;
  readonly #codec: ReturnType<typeof audioCodec>;
  readonly #encoder: AudioEncoder;
  readonly #tone: ToneSource;
  readonly #payload = new Uint8Array(MAX_ENCODED_OCTETS);
  readonly #out = new Uint8Array(1500);
  #sequenceNumber = 1;
  port = 0;

  constructor(name: AudioCodecName, frequency: number) {
    this.#codec = audioCodec(name);
    this.#encoder = createEncoder(this.#codec, this.#codec.sampleRate, FRAME_MS);
    this.#tone = new ToneSource(frequency, this.#codec.sampleRate, -12);
    this.socket = openBatchedSocket({ address: ADDRESS, port: 0, receiveBufferSize: 200_000 })!;
    const view = new RtpPacketView();
    this.socket.on('message', (data) => {
      if (isRtcp(data) || !view.parse(data)) return;
      const { sequenceNumber, timestamp, ssrc } = view;
      const payload = Buffer.from(view.payload()).toString('base64');
      this.heard.push({ sequenceNumber, timestamp, ssrc, payload });
    });
  }

  audio(ptime: number) {
    const { port } = this.socket.address();

    return phoneAudio(this.#codec.name, { remoteRtpPort: port, remoteRtcpPort: 9, ptime });
  }

  send(): void {
    const pcm = this.#tone.next(this.#encoder.frameSamples);
    const length = this.#encoder.encode(pcm, this.#payload);
    const sequenceNumber = this.#sequenceNumber++;
    const size = writeRtp(this.#out, {
      marker: false,
      payloadType: this.#codec.payloadType,
      sequenceNumber,
      timestamp: (sequenceNumber * this.#codec.clockRate * FRAME_MS) / 1000,
      ssrc: this.#codec.clockRate,
      payload: this.#payload.subarray(0, length),
    });
    this.socket.send(this.#out, 0, size, this.port, ADDRESS);
  }

  close(): void {
    this.socket.close(() => undefined);
    this.#encoder.close();
  }
}

const open: { close: () => unknown }[] = [];

afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
});

function sound(frequency: number, seconds: number): Sound {
  const samples = new Int16Array(new SharedArrayBuffer(2 * 8000 * seconds));
  for (let i = 0; i < samples.length; i++) {
    samples[i] = 8000 * Math.sin((2 * Math.PI * frequency * i) / 8000);
  }

  return { rate: 8000, samples };
}

/** What each phone hears of the same 120 frames, in which the room is frozen and thawed before those of `moves`. */
async function meeting(
  codecs: readonly (readonly [AudioCodecName, ptime: number])[],
  moves: readonly number[],
): Promise<Heard[][]> {
  const clock = new FakeClock();
  const options: RoomMixerOptions = {
    clock,
    bindAddress: ADDRESS,
    rtpTimeout: 30_000,
    dscp: 0,
    autoGain: true,
    onSpeakers: () => undefined,
    onTimeout: () => undefined,
    onDtmf: () => undefined,
    onPlayed: () => undefined,
  };
  let room = new RoomMixer(options);
  const phones = codecs.map(([codec], i) => new SteppedPhone(codec, 410 + 260 * i));
  for (const [i, phone] of phones.entries()) {
    open.push(phone);
    phone.port = (await room.createLeg(phone.id, { rtp: 0, rtcp: 0 })).rtpPort;
    room.configureLeg(phone.id, phone.audio(codecs[i]![1]));
  }
  open.push({ close: () => room.close() });
  room.playTo(phones[0]!.id, 1, [sound(1900, 2)]);
  room.setLegHearingGain(phones[1]!.id, 0.5);
  for (let frame = 0; frame < 120; frame++) {
    clock.advance(FRAME_MS);
    const now = clock.now();
    // The last one is quiet for a while: who talks and who does not is sent different mixes.
    for (const [i, phone] of phones.entries()) {
      if (i < phones.length - 1 || frame < 30 || frame > 85) phone.send();
    }
    if (frame === 50) room.playTone([sound(2300, 1)]);
    if (moves.includes(frame)) {
      const frozen = structuredClone(room.freeze(now));
      room.release();
      room = RoomMixer.thaw(frozen, options);
    }
    pollBatchedSockets();
    room.tick(now, now, 0);
    pollBatchedSockets();
  }

  return phones.map(({ heard }) => heard);
}

describe('a room that is frozen and thawed', () => {
  it.each([
    [
      'G.711 at its own rate',
      [
        ['PCMU', 20],
        ['PCMA', 20],
        ['PCMU', 30],
        ['PCMU', 20],
      ],
    ],
    [
      'all codecs',
      [
        ['PCMU', 20],
        ['opus', 20],
        ['G722', 20],
        ['opus', 40],
        ['PCMA', 10],
        ['opus', 20],
      ],
    ],
    [
      'wide band',
      [
        ['G722', 20],
        ['G722', 30],
        ['PCMU', 20],
      ],
    ],
  ] as const)('sends octet for octet what it would have sent: %s', async (_what, codecs) => {
    const still = await meeting(codecs, []);
    const moved = await meeting(codecs, [12, 20, 31, 40, 41, 55, 87, 100]);

    for (const [i, heard] of moved.entries()) {
      expect(heard.length).toBeGreaterThan(30);
      expect(heard).toHaveLength(still[i]!.length);
      for (const [k, packet] of heard.entries()) {
        const before = heard[0]!;
        const first = still[i]![0]!;
        const wanted = still[i]![k]!;
        if (packet.payload !== wanted.payload) throw new Error(`phone ${i}, packet ${k}`);
        expect((packet.sequenceNumber - before.sequenceNumber) & 0xffff).toBe(k);
        expect((packet.timestamp - before.timestamp) >>> 0).toBe(
          (wanted.timestamp - first.timestamp) >>> 0,
        );
        expect(packet.ssrc).toBe(before.ssrc);
      }
    }
  });
});
