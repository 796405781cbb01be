import { createSocket, type Socket } from 'node:dgram';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { types as mediasoup } from 'mediasoup';
import { newLegId, type ProducerId } from '../../../base/index.ts';
import { isRtcp, parseRtcp, writeRtcp, writeRtp } from '../../../media/rtp/index.ts';
import { openLoopback } from '../../../media/sfu/index.ts';
import { PhoneVideoSession, RoomVideo } from '../../../media/video/index.ts';
import { readVp8 } from '../../../media/video/vp8.ts';
import { WorkerPool } from '../../../media/worker-pool.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { testDeps, testGrids, testSettings, testVideoDeps } from '../media-fixture.ts';
import { VideoPeer } from './video-peer.ts';

jest.setTimeout(60_000);

const PORTS = { min: 30_000, max: 39_999 };
const LAYERS = [
  { ssrc: 0x501, maxBitrate: 150_000 },
  { ssrc: 0x502, maxBitrate: 500_000 },
  { ssrc: 0x503, maxBitrate: 1_500_000 },
];
const FRAME_MS = 40;
/** Seconds from 1900 to 1970. */
const NTP_EPOCH = 2_208_988_800;

/** A camera as browsers send it: three pictures of one scene, VP8 by name only; the last octet says which. */
class Camera {
  readonly #socket: Socket;
  readonly #port: number;
  readonly #wantsKey = LAYERS.map(() => true);
  #timer: NodeJS.Timeout | undefined;
  #count = 0;

  constructor(socket: Socket, port: number) {
    this.#socket = socket;
    this.#port = port;
    socket.on('message', (data) => {
      if (!isRtcp(data)) return;
      for (const packet of parseRtcp(data) ?? []) {
        if (packet.type !== 'PLI') continue;
        const layer = LAYERS.findIndex(({ ssrc }) => ssrc === packet.mediaSsrc);
        this.#wantsKey[layer] = true;
      }
    });
  }

  start(): void {
    this.#timer = setInterval(() => {
      LAYERS.forEach(({ ssrc }, layer) => {
        if (this.#count % 5 === 0) this.#report(ssrc);
        this.#picture(ssrc, layer);
      });
      this.#count++;
    }, FRAME_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #picture(ssrc: number, layer: number): void {
    const inter = this.#wantsKey[layer] === true ? 0 : 1;
    this.#wantsKey[layer] = false;
    const id = this.#count & 0x7fff;
    const head = [0x90, 0xe0, 0x80 | (id >> 8), id & 255, this.#count & 255, 0x20];
    // A key frame says its size behind its start code (RFC 6386 9.1).
    const frame = [inter, 0, 0, 0x9d, 0x01, 0x2a, 0x40, 1, 0xb4, 0, 0, 0, layer + 1];
    const out = new Uint8Array(200);
    const length = writeRtp(out, {
      marker: true,
      payloadType: 96,
      sequenceNumber: this.#count & 0xffff,
      timestamp: (this.#count * FRAME_MS * 90 + ssrc * 1000) >>> 0,
      ssrc,
      payload: Uint8Array.from([...head, ...frame]),
    });
    this.#send(out, length);
  }

  #report(ssrc: number): void {
    const now = Date.now() / 1000;
    const info = {
      ntpSeconds: Math.floor(now) + NTP_EPOCH,
      ntpFraction: Math.floor((now % 1) * 2 ** 32),
      rtpTimestamp: (this.#count * FRAME_MS * 90 + ssrc * 1000) >>> 0,
      packetCount: this.#count,
      octetCount: this.#count * 20,
    };
    const out = new Uint8Array(200);
    this.#send(out, writeRtcp(out, [{ type: 'SR', ssrc, info, reports: [] }]));
  }

  #send(out: Uint8Array, length: number): void {
    this.#socket.send(out.subarray(0, length), this.#port, '127.0.0.1');
  }
}

describe('what a browser sends in several sizes', () => {
  let pool: WorkerPool;
  let router: mediasoup.Router;
  let camera: Camera;
  let producer: mediasoup.Producer;
  const socket = createSocket('udp4');

  beforeAll(async () => {
    pool = await WorkerPool.start(await testSettings(), testDeps);
    ({ router } = await pool.createRouter());
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    const transport = await openLoopback(router, PORTS, false);
    await transport.connect({ ip: '127.0.0.1', port: socket.address().port });
    producer = await transport.produce({
      kind: 'video',
      rtpParameters: {
        codecs: [
          {
            mimeType: 'video/VP8',
            payloadType: 96,
            clockRate: 90_000,
            rtcpFeedback: [{ type: 'nack', parameter: 'pli' }],
          },
        ],
        encodings: LAYERS,
      },
    });
    camera = new Camera(socket, transport.tuple.localPort);
    camera.start();
  });

  afterAll(async () => {
    camera?.stop();
    await pool?.close();
    socket.close();
  });

  it('goes to a phone in the size that its bandwidth allows, in one stream', async () => {
    const room = new RoomVideo({
      grids: testGrids(0),
      router,
      ports: PORTS,
      ...testDeps,
      producerAdded: () => undefined,
      producerRemoved: () => undefined,
      producerPaused: () => undefined,
      codecsWanted: () => undefined,
    });
    const session = await PhoneVideoSession.open(newLegId(), 'main', testVideoDeps(43_000));
    const peer = await VideoPeer.open(7);
    const agreed = peer.agreed({ codec: 'VP8', feedback: { pli: true, tmmbr: true } });
    await session.configure({ ...agreed, maxBitrate: 768_000 });
    room.add(session);
    const info = { legId: newLegId(), kind: 'video', source: 'camera', paused: false } as const;
    room.sourceAdded({ id: producer.id as ProducerId, ...info }, producer);
    const sees = (layer: number): Promise<void> =>
      waitUntil(`layer ${layer}`, () => {
        const last = peer.received.at(-1)?.payload.at(-1);

        return last === layer + 1 ? undefined : String(last);
      });
    await sees(1);
    peer.play(session);
    peer.say([{ type: 'REMB', senderSsrc: peer.ssrc, bitrate: 200_000, ssrcs: [session.ssrc] }]);
    await sees(0);
    await session.configure({ ...agreed, maxBitrate: 4_000_000 });
    peer.say([{ type: 'REMB', senderSsrc: peer.ssrc, bitrate: 3_000_000, ssrcs: [session.ssrc] }]);
    await sees(2);
    const limits = [{ ssrc: session.ssrc, bitrate: 600_000, overhead: 40 }];
    peer.say([{ type: 'TMMBR', senderSsrc: peer.ssrc, limits }]);
    await sees(1);

    const ids = peer.received
      .map(({ payload }) => readVp8(payload)!)
      .map(({ pictureId }, i, all) => (pictureId - (all[i - 1]?.pictureId ?? -1)) & 0x7fff);
    // At a switch the SFU may leave one out.
    expect(Math.min(...ids.slice(1))).toBeGreaterThanOrEqual(1);
    expect(Math.max(...ids.slice(1))).toBeLessThanOrEqual(5);
    await session.close();
    await room.close();
    await peer.close();
  });
});
