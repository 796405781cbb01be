/**
 * One mediasoup process with its WebRTC port, from start to end.
 */
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { createWorker, type types as mediasoup } from 'mediasoup';
import { AppError, toError } from '../../base/index.ts';
import { OpenCounts } from './open-counts.ts';

export interface MediaWorkerOptions {
  /** What browsers are told to send to: an address or a name. */
  publicAddress: string;
  /** UDP and TCP. */
  port: number;
}

export interface MediaWorker {
  worker: mediasoup.Worker;
  webRtcServer: mediasoup.WebRtcServer;
  open: OpenCounts;
}

/** How long a worker may take to end after it was told to. */
const END_TIMEOUT = 2000;

export async function startMediaWorker(options: MediaWorkerOptions): Promise<MediaWorker> {
  const worker = await spawnWorker();
  const open = new OpenCounts();
  open.watch(worker);
  try {
    return { worker, webRtcServer: await listen(worker, options), open };
  } catch (error) {
    await endMediaWorker(worker);
    const { publicAddress, port } = options;
    throw new AppError(
      'MEDIA_UNAVAILABLE',
      `no WebRTC port ${port} (UDP and TCP) on ${listenAddress(publicAddress)}: ${toError(error).message}; ` +
        'end what uses the port, or set WEBRTC_PORT or PUBLIC_ADDRESS',
      { cause: error },
    );
  }
}

/** Resolves when the process is gone and its ports are free. */
export async function endMediaWorker(worker: mediasoup.Worker): Promise<void> {
  if (worker.subprocessClosed) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, END_TIMEOUT);
    worker.once('subprocessclose', () => {
      clearTimeout(timer);
      resolve();
    });
    worker.close();
  });
}

/**
 * The public address itself where this machine has it; behind a NAT or under a name, every address
 * of the same family.
 */
export function listenAddress(publicAddress: string): string {
  const family = isIP(publicAddress);
  if (family === 0) return '0.0.0.0';
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const isLoopback = publicAddress.startsWith('127.') || publicAddress === '::1';
  if (isLoopback || own.some(({ address }) => address === publicAddress)) return publicAddress;

  return family === 6 ? '::' : '0.0.0.0';
}

async function spawnWorker(): Promise<mediasoup.Worker> {
  const workerBin = process.env['MEDIASOUP_WORKER_BIN'];
  try {
    return await withoutSignalListeners(() =>
      createWorker({ logLevel: 'warn', ...(workerBin && { workerBin }) }),
    );
  } catch (error) {
    throw new AppError(
      'MEDIA_UNAVAILABLE',
      `the mediasoup worker ${workerBin ?? 'of the npm package'} does not start: ${toError(error).message}; ` +
        'npm start builds it, or set MEDIASOUP_WORKER_BIN to a worker of this mediasoup version',
      { cause: error },
    );
  }
}

/**
 * mediasoup closes a worker as soon as this process gets SIGINT or SIGTERM. Ours drains first: the
 * order of ending is the composition root's, so these listeners are taken off again.
 */
function withoutSignalListeners<T>(create: () => T): T {
  const signals = ['SIGINT', 'SIGTERM'] as const;
  const before = signals.map((signal) => new Set(process.rawListeners(signal)));
  const created = create();
  signals.forEach((signal, index) => {
    for (const listener of process.rawListeners(signal)) {
      if (before[index]?.has(listener) === true) continue;
      process.removeListener(signal, listener as () => void);
    }
  });

  return created;
}

function listen(
  worker: mediasoup.Worker,
  { publicAddress, port }: MediaWorkerOptions,
): Promise<mediasoup.WebRtcServer> {
  const ip = listenAddress(publicAddress);
  const announced = ip === publicAddress ? {} : { announcedAddress: publicAddress };

  return worker.createWebRtcServer({
    listenInfos: [
      { protocol: 'udp', ip, port, ...announced },
      { protocol: 'tcp', ip, port, ...announced },
    ],
  });
}
