import { createSocket, type Socket } from 'node:dgram';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { types as mediasoup } from 'mediasoup';
import { SystemClock } from '../../../base/index.ts';
import { RtpPacketView, writeRtp } from '../../../media/rtp/index.ts';
import { withKeyLabels } from '../../../media/sfu/key-codecs.ts';
import { splitKeys } from '../../../media/sfu/key-split.ts';
import { openLoopback } from '../../../media/sfu/loopback.ts';
import { WorkerPool } from '../../../media/worker-pool.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { testDeps, testSettings } from '../media-fixture.ts';

const PORTS = { min: 30_000, max: 39_999 };
const SSRC = 4242;
const OPUS = 96;
const EVENT = 97;

describe('the microphone of a WebRTC phone that sends keys', () => {
  let pool: WorkerPool;
  let router: mediasoup.Router;
  let phone: Socket;
  let producer: mediasoup.Producer;
  let voice: mediasoup.Producer;
  let port: number;
  let sequenceNumber: number;
  const heard: number[] = [];
  const digits: string[] = [];

  beforeAll(async () => {
    pool = await WorkerPool.start(await testSettings(), testDeps);
  });

  afterAll(async () => {
    await pool?.close();
  });

  beforeEach(async () => {
    heard.length = 0;
    digits.length = 0;
    sequenceNumber = 1;
    ({ router } = await pool.createRouter());
    const outside = await openLoopback(router, PORTS, true);
    port = outside.tuple.localPort;
    producer = await outside.produce({
      kind: 'audio',
      rtpParameters: withKeyLabels({
        codecs: [
          { mimeType: 'audio/opus', payloadType: OPUS, clockRate: 48_000, channels: 2 },
          { mimeType: 'audio/telephone-event', payloadType: EVENT, clockRate: 48_000, channels: 1 },
        ],
        encodings: [{ ssrc: SSRC }],
      }),
    });
    voice = await splitKeys({
      router,
      ports: PORTS,
      clock: new SystemClock(),
      producer,
      paused: false,
      onDigit: (digit) => digits.push(digit),
    });
    const direct = await router.createDirectTransport();
    const consumer = await direct.consume({
      producerId: voice.id,
      rtpCapabilities: router.rtpCapabilities,
    });
    const packet = new RtpPacketView();
    consumer.on('rtp', (data) => {
      if (packet.parse(data)) heard.push(packet.payload()[0]!);
    });
    phone = createSocket('udp4');
  });

  afterEach(() => {
    phone.close();
    router.close();
  });

  function send(payloadType: number, timestamp: number, payload: number[]): void {
    const header = { marker: false, payloadType, sequenceNumber: sequenceNumber++, timestamp };
    const out = new Uint8Array(100);
    const length = writeRtp(out, { ...header, ssrc: SSRC, payload: Uint8Array.from(payload) });
    phone.send(out, 0, length, port, '127.0.0.1');
  }

  async function sendUntil(what: string, done: () => boolean, next: () => void): Promise<void> {
    await waitUntil(what, () => {
      if (done()) return undefined;
      next();

      return `heard ${heard.join(' ')}, keys ${digits.join('')}`;
    });
  }

  /** Its voice, as a stream begins with; answers what time it is then. */
  async function speak(): Promise<number> {
    let at = 1000;
    await sendUntil(
      'the voice is heard',
      () => heard.length > 3,
      () => send(OPUS, (at += 960), [0x78, at & 0xff]),
    );

    return at + 960;
  }

  it('is heard without them, and they are read', async () => {
    const key = await speak();
    await sendUntil(
      'a key is read',
      () => digits.length > 0,
      () => send(EVENT, key, [6, 0x8a, 3, 0xc0]),
    );

    expect(digits).toEqual(['6']);
    expect(new Set(heard)).toEqual(new Set([0x78]));
  });

  it('whoever is muted can still press them', async () => {
    const key = await speak();
    await voice.pause();
    const count = heard.length;
    await sendUntil(
      'a key is read',
      () => digits.length > 0,
      () => send(EVENT, key, [10, 0x8a, 3, 0xc0]),
    );
    send(OPUS, key + 9600, [0x78]);
    await sendUntil(
      'another key is read',
      () => digits.length > 1,
      () => send(EVENT, key + 19_200, [6, 0x8a, 3, 0xc0]),
    );

    expect(digits).toEqual(['*', '6']);
    expect(heard).toHaveLength(count);
  });

  it('either stream closes the other', () => {
    voice.close();
    expect(producer.closed).toBe(true);
  });
});
