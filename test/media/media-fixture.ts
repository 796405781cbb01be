import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import type { types as mediasoup } from 'mediasoup';
import { SystemClock, silentLogger } from '../../base/index.ts';
import { audioCodec } from '../../media/codecs.ts';
import { GridService } from '../../media/grid/index.ts';
import type { MediaSettings } from '../../media/media-api.ts';
import { PortAllocator } from '../../media/rtp/index.ts';
import { VideoTotals, type PhoneVideoDeps } from '../../media/video/index.ts';

/** Tests of the SFU run on the real worker; without one they fail and say what is missing. */
export function requireWorkerBin(): void {
  if (process.env['MEDIASOUP_WORKER_BIN'] === undefined) {
    throw new Error('MEDIASOUP_WORKER_BIN is not set: run npm test, which builds the worker');
  }
}

export const testDeps = { logger: silentLogger, clock: new SystemClock() };

export async function testSettings(changes: Partial<MediaSettings> = {}): Promise<MediaSettings> {
  requireWorkerBin();

  return {
    publicAddress: '127.0.0.1',
    rtpPortMin: 40_000,
    rtpPortMax: 40_999,
    webRtcPort: await freePorts(changes.workers ?? 1),
    workers: 1,
    mixerThreads: 1,
    rtpTimeout: 30_000,
    rtpDscp: 46,
    ...changes,
  };
}

/** For the composed pictures of so many rooms. */
export function testGrids(rooms: number): GridService {
  const limits = { rooms, framesPerSecond: 25, cpuShare: 0.9, bitrate: 1_500_000 };

  return new GridService(limits, testDeps);
}

/** For phones' video, on ports that the mixers of `testSettings` do not have. */
export function testVideoDeps(firstPort = 41_000): PhoneVideoDeps {
  const clock = new SystemClock();
  const ports = new PortAllocator({ min: firstPort, max: firstPort + 999, clock });

  return { clock, ports, bindAddress: '127.0.0.1', dscp: 0, totals: new VideoTotals() };
}

/** The first of `count` ports in a row that nobody has, for UDP and TCP; other tests run beside. */
async function freePorts(count: number): Promise<number> {
  for (;;) {
    const first = 20_000 + Math.floor(Math.random() * 10_000);
    const ports = Array.from({ length: count }, (_, index) => first + index);
    if ((await Promise.all(ports.map(isFree))).every(Boolean)) return first;
  }
}

async function isFree(port: number): Promise<boolean> {
  const udp = createSocket('udp4');
  const tcp = createServer();
  const bound = Promise.all([
    new Promise<boolean>((resolve) => {
      udp.once('error', () => resolve(false)).bind(port, '127.0.0.1', () => resolve(true));
    }),
    new Promise<boolean>((resolve) => {
      tcp.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true));
    }),
  ]);
  const free = (await bound).every(Boolean);
  udp.close();
  await new Promise((resolve) => tcp.close(resolve));

  return free;
}

/** What a browser sends of its microphone, as mediasoup-client writes it. */
export function microphoneParameters(ssrc = 1111): mediasoup.RtpParameters {
  const opus = audioCodec('opus');

  return {
    mid: '0',
    codecs: [
      {
        mimeType: 'audio/opus',
        payloadType: opus.payloadType,
        clockRate: 48_000,
        channels: 2,
        parameters: { useinbandfec: 1 },
        rtcpFeedback: [{ type: 'transport-cc' }],
      },
    ],
    headerExtensions: [
      { uri: 'urn:ietf:params:rtp-hdrext:sdes:mid', id: 1 },
      { uri: 'urn:ietf:params:rtp-hdrext:ssrc-audio-level', id: 6 },
    ],
    encodings: [{ ssrc, dtx: false }],
    rtcp: { cname: 'browser' },
  };
}

/** A camera in three layers, as mediasoup-client writes it. */
export function cameraParameters(): mediasoup.RtpParameters {
  return {
    mid: '1',
    codecs: [
      {
        mimeType: 'video/VP8',
        payloadType: 96,
        clockRate: 90_000,
        rtcpFeedback: [{ type: 'nack' }, { type: 'nack', parameter: 'pli' }],
      },
      {
        mimeType: 'video/rtx',
        payloadType: 97,
        clockRate: 90_000,
        parameters: { apt: 96 },
      },
    ],
    headerExtensions: [
      { uri: 'urn:ietf:params:rtp-hdrext:sdes:mid', id: 1 },
      { uri: 'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id', id: 2 },
    ],
    encodings: [
      { rid: 'r0', scalabilityMode: 'L1T2' },
      { rid: 'r1', scalabilityMode: 'L1T2' },
      { rid: 'r2', scalabilityMode: 'L1T2' },
    ],
    rtcp: { cname: 'browser' },
  };
}

export const dtlsParameters: mediasoup.DtlsParameters = {
  role: 'client',
  fingerprints: [{ algorithm: 'sha-256', value: Array(32).fill('AB').join(':') }],
};

/** What a room's phones need for video when nothing is composed. */
export function testRoomVideo(): { grids: GridService; video: PhoneVideoDeps } {
  return { grids: testGrids(0), video: testVideoDeps() };
}
