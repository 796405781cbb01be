import { createSocket, type Socket } from 'node:dgram';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { newLegId, silentLogger, SystemClock, type LegId } from '../../../base/index.ts';
import { createEncoder } from '../../../media/codec/index.ts';
import { audioCodec } from '../../../media/codecs.ts';
import { createMixerPool, type MixerPool, type MixerRoom } from '../../../media/mixer/index.ts';
import { isRtcp, RtpPacketView, writeRtp } from '../../../media/rtp/index.ts';
import { slice, toneLevel } from '../../support/tone-meter.ts';
import { ToneSource } from '../../support/tone-source.ts';
import { UdpPhone } from '../../support/udp-phone.ts';
import { letRun, waitUntil } from '../../support/wait-until.ts';

const ADDRESS = '127.0.0.1';
const LEVEL_ID = 6;
const PUBLISHED_SSRC = 0xabcd_0123;

interface Published {
  ssrc: number;
  payloadType: number;
  sequenceNumber: number;
  timestamp: number;
  level: number | undefined;
  voice: boolean;
  payloadLength: number;
}

// In real time, on machines that may be busy.
jest.setTimeout(60_000);

let pool: MixerPool;
let room: MixerRoom;
let phone: UdpPhone;
let legId: LegId;
let rtpPort: number;
/** Plays the SFU. */
let sfu: Socket;
const published: Published[] = [];

beforeEach(async () => {
  pool = await createMixerPool(
    { rtpPortMin: 36_300, rtpPortMax: 36_319, rtpTimeout: 30_000, mixerThreads: 1 },
    { clock: new SystemClock(), logger: silentLogger, bindAddress: ADDRESS },
  );
  room = pool.createRoom();
  phone = await UdpPhone.open({ codec: 'PCMU', frequency: 440 });
  legId = newLegId();
  ({ rtpPort } = await room.createLeg(legId));
  await room.configureLeg(legId, phone.audio());
  published.length = 0;
  sfu = createSocket('udp4');
  const view = new RtpPacketView();
  sfu.on('message', (data) => {
    if (isRtcp(data) || !view.parse(data)) return;
    const { ssrc, payloadType, sequenceNumber, timestamp, payloadLength } = view;
    const level = view.audioLevel(LEVEL_ID);
    const voice = view.voiceActivity(LEVEL_ID);
    published.push({ ssrc, payloadType, sequenceNumber, timestamp, level, voice, payloadLength });
  });
  await new Promise<void>((resolve) => {
    sfu.bind(0, ADDRESS, resolve);
  });
});

afterEach(async () => {
  await pool.close();
  await phone.close();
  await new Promise<void>((resolve) => {
    sfu.close(() => {
      resolve();
    });
  });
});

async function publish(): Promise<void> {
  await room.publishLeg(legId, {
    address: ADDRESS,
    port: sfu.address().port,
    ssrc: PUBLISHED_SSRC,
    payloadType: 96,
    codec: audioCodec('PCMU'),
    audioLevelExtensionId: LEVEL_ID,
  });
}

async function untilPublished(count: number): Promise<void> {
  const wanted = published.length + count;
  await waitUntil('published packets', () =>
    published.length >= wanted ? undefined : `${published.length} of ${wanted}`,
  );
}

describe('a published phone', () => {
  it('is one stream with its measured level, whatever SSRC the phone uses', async () => {
    await publish();
    phone.start(rtpPort);
    await untilPublished(25);
    phone.ssrc = 0x1111_1111;
    phone.sequenceNumber = 60_000;
    phone.timestamp = 0xffff_ff00;
    await untilPublished(25);

    for (let i = 1; i < published.length; i++) {
      const [before, after] = [published[i - 1]!, published[i]!];
      expect((after.sequenceNumber - before.sequenceNumber) & 0xffff).toBe(1);
      const step = (after.timestamp - before.timestamp) >>> 0;
      expect(step).toBeGreaterThanOrEqual(160);
      expect(step).toBeLessThan(8000);
    }
    expect(new Set(published.map(({ ssrc }) => ssrc))).toEqual(new Set([PUBLISHED_SSRC]));
    expect(new Set(published.map(({ payloadType }) => payloadType))).toEqual(new Set([96]));
    const last = published.at(-1)!;
    expect(last).toMatchObject({ voice: true, payloadLength: 160 });
    // A sine whose peak is at −15 dBFS.
    expect(Math.abs(last.level! + 18)).toBeLessThanOrEqual(1);
  });

  it('is not heard by browsers while it is muted or on hold, and leaves no gap', async () => {
    await publish();
    phone.start(rtpPort);
    await untilPublished(10);
    await room.setLegMuted(legId, true);
    await letRun(60);
    const muted = published.length;
    await letRun(300);
    expect(published.length).toBe(muted);
    await room.setLegMuted(legId, false);
    await untilPublished(10);
    await room.configureLeg(legId, phone.audio('recvonly'));
    await letRun(60);
    const held = published.length;
    await letRun(300);
    expect(published.length).toBe(held);

    const steps = published.slice(1).map((packet, i) => {
      return (packet.sequenceNumber - published[i]!.sequenceNumber) & 0xffff;
    });
    expect(new Set(steps)).toEqual(new Set([1]));
  });

  it('does not forward keys, and closes up over them', async () => {
    await publish();
    phone.start(rtpPort);
    await untilPublished(5);
    for (let i = 0; i < 5; i++) phone.send(rtpPort, 101, Uint8Array.of(7, 10, 0, 160));
    await untilPublished(10);

    expect(published.every(({ payloadLength }) => payloadLength === 160)).toBe(true);
    const steps = published.slice(1).map((packet, i) => {
      return (packet.sequenceNumber - published[i]!.sequenceNumber) & 0xffff;
    });
    expect(new Set(steps)).toEqual(new Set([1]));
  });

  it('ends when it is unpublished', async () => {
    await publish();
    phone.start(rtpPort);
    await untilPublished(5);
    await room.unpublishLeg(legId);
    await letRun(60);
    const count = published.length;
    await letRun(200);

    expect(published.length).toBe(count);
  });
});

/** Sends `packets` of a tone as the SFU would, in real time. */
async function speak(
  target: { address: string; port: number },
  options: { ssrc: number; frequency: number; level: number; packets: number },
): Promise<void> {
  const codec = audioCodec('opus');
  const encoder = createEncoder(codec, 48_000, 20);
  const tone = new ToneSource(options.frequency, 48_000, -15);
  const payload = new Uint8Array(1400);
  const out = new Uint8Array(1500);
  const startedAt = performance.now();
  for (let sequence = 0; sequence < options.packets; sequence++) {
    const length = encoder.encode(tone.next(960), payload);
    const octets = writeRtp(out, {
      marker: sequence === 0,
      payloadType: 111,
      sequenceNumber: sequence,
      timestamp: sequence * 960,
      ssrc: options.ssrc,
      extensions: [{ id: LEVEL_ID, data: Uint8Array.of(0x80 | -options.level) }],
      payload: payload.subarray(0, length),
    });
    sfu.send(out.slice(0, octets), target.port, target.address);
    await letRun(Math.max(0, startedAt + (sequence + 1) * 20 - performance.now()));
  }
  encoder.close();
}

describe('a browser microphone', () => {
  const microphone = (ssrc: number) => ({
    legId: newLegId(),
    codec: audioCodec('opus'),
    payloadType: 111,
    ssrc,
    audioLevelExtensionId: LEVEL_ID,
  });

  it('is heard by phones, two of them on one port', async () => {
    phone.start(rtpPort);
    const target = await room.addMicrophone(microphone(1));
    expect(await room.addMicrophone(microphone(2))).toEqual(target);
    await Promise.all([
      speak(target, { ssrc: 1, frequency: 700, level: -18, packets: 75 }),
      speak(target, { ssrc: 2, frequency: 1100, level: -18, packets: 75 }),
    ]);
    const heard = slice(phone.signal(), -1);

    for (const frequency of [700, 1100]) {
      expect(Math.abs(toneLevel(heard, frequency) + 15)).toBeLessThan(4);
    }
    expect(toneLevel(heard, 440)).toBeLessThan(-60);
  });

  it('is not decoded when its level says silence', async () => {
    phone.start(rtpPort);
    const target = await room.addMicrophone(microphone(1));
    await speak(target, { ssrc: 1, frequency: 700, level: -90, packets: 50 });

    expect(toneLevel(phone.signal(), 700)).toBeLessThan(-70);
  });

  it('is not heard after it was removed', async () => {
    phone.start(rtpPort);
    const input = microphone(1);
    const target = await room.addMicrophone(input);
    await room.removeMicrophone(input.legId);
    await speak(target, { ssrc: 1, frequency: 700, level: -18, packets: 40 });

    expect(toneLevel(phone.signal(), 700)).toBeLessThan(-70);
  });
});
