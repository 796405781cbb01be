/**
 * A process that sends coloured pictures as RTP and says what it sees in what it is sent. In a
 * process of its own, as FFmpeg's binding loads neither in jest nor beside the server under test.
 */
import { createSocket } from 'node:dgram';
import { loadAvLibrary, type AvLibrary } from '../../media/grid/av-library.ts';
import type { GridStream } from '../../media/grid/grid-protocol.ts';
import { OutputStream } from '../../media/grid/output-stream.ts';
import { Picture, type Colour } from '../../media/grid/picture.ts';
import { StreamDecoder } from '../../media/grid/stream-decoder.ts';
import {
  isRtcp,
  parseRtcp,
  RtpPacketView,
  sequenceDifference,
  writeRtcp,
} from '../../media/rtp/index.ts';
import type {
  ProbeAnswer,
  ProbeRequest,
  SeenStream,
  SendRequest,
  ShownPicture,
} from './video-probe.ts';

const FRAME_MS = 40;
/** Between two requests for a key frame. */
const ASK_MS = 500;
/** More than a busy machine loses at once. */
const MAX_STEP = 500;
const HOST = '127.0.0.1';

const av = await loadAvLibrary();
const socket = createSocket('udp4');
const senders = new Map<number, { output: OutputStream; timer: NodeJS.Timeout }>();
const watched = new Map<
  number,
  { decoder: StreamDecoder; seen: SeenStream; last?: number; askedAt: number }
>();
/** Port of the sender → SSRC. */
const sources = new Map<number, number>();
const view = new RtpPacketView();
const feedback = new Uint8Array(64);

function tell(message: ProbeAnswer): void {
  process.send?.(message);
}

async function startSender(library: AvLibrary, request: SendRequest): Promise<void> {
  const size = { width: request.width, height: request.height };
  const picture = new Picture(size, 'packed');
  const settings = { framesPerSecond: 1000 / FRAME_MS, bitrate: 600_000, size };
  const output = await OutputStream.open(library, request.stream, settings);
  const frame = new library.Frame();
  frame.alloc();
  frame.width = size.width;
  frame.height = size.height;
  frame.format = library.AV_PIX_FMT_YUV420P;
  frame.getBuffer(32);
  const started = performance.now();
  let count = 0;
  const timer = setInterval(() => {
    const now = performance.now();
    picture.fill({ x: 0, y: 0, ...size }, request.colour);
    // Something moves, as in any camera.
    const [y, u, v] = request.colour;
    const x = 2 * (count++ % Math.floor((size.width - 16) / 2));
    picture.fill({ x, y: 0, width: 16, height: 8 }, [255 - y, u, v]);
    frame.makeWritable();
    frame.fromBuffer(picture.data);
    const time = Math.round((now - started) * 90);
    frame.pts = BigInt(time);
    output.send(frame, time, now, (packet) => {
      socket.send(packet, request.port, HOST);
    });
  }, FRAME_MS);
  senders.set(request.stream.ssrc, { output, timer });
}

function stopSender(ssrc: number): void {
  const sender = senders.get(ssrc);
  if (sender === undefined) return;
  clearInterval(sender.timer);
  sender.output.close();
  senders.delete(ssrc);
}

async function watch(stream: GridStream): Promise<void> {
  const decoder = await StreamDecoder.open(av, stream, { decoded: 0, discarded: 0 });
  const seen = { packets: 0, gaps: 0, jumps: 0, longest: 0, frames: 0 };
  watched.set(stream.ssrc, { decoder, seen, askedAt: 0 });
}

function look(ssrc: number, areas: readonly (readonly number[])[]): ProbeAnswer {
  const entry = watched.get(ssrc);
  const whole = { x: 0, y: 0, width: 1280, height: 720 };
  const scaled = entry?.decoder.scaled(whole);
  const planes = scaled?.picture.planes;
  const looks = areas.map(([x = 0, y = 0, width = 2, height = 2]) => {
    let [least, most] = [255, 0];
    const sums = [0, 0, 0];
    planes?.forEach(({ data, stride }, plane) => {
      const shift = plane === 0 ? 0 : 1;
      for (let row = y; row < y + height; row += 2) {
        for (let column = x; column < x + width; column += 2) {
          const value = data[(row >> shift) * stride + (column >> shift)] ?? 0;
          sums[plane] = (sums[plane] ?? 0) + value;
          if (plane !== 0) continue;
          least = Math.min(least, value);
          most = Math.max(most, value);
        }
      }
    });
    const count = Math.ceil(width / 2) * Math.ceil(height / 2);
    const [luma, u, v] = sums.map((sum) => Math.round(sum / count));

    return { y: luma ?? 0, u: u ?? 0, v: v ?? 0, least, most };
  });

  return { type: 'seen', ...(entry && { stream: entry.seen }), looks: scaled ? looks : [] };
}

async function replay(
  stream: GridStream,
  packets: readonly { time: number; data: string }[],
): Promise<ShownPicture[]> {
  const decoder = await StreamDecoder.open(av, stream, { decoded: 0, discarded: 0 });
  const pictures: ShownPicture[] = [];
  for (const { time, data } of packets) {
    if (!view.parse(Buffer.from(data, 'base64'))) continue;
    decoder.receive(view, time);
    const picture = decoder.decode(time) && decoder.scaled({ x: 0, y: 0, width: 64, height: 64 });
    if (picture) pictures.push({ time, colour: meanOf(picture.picture) });
  }
  decoder.close();

  return pictures;
}

function meanOf({ width, height, planes }: Picture): Colour {
  const [y, u, v] = planes.map(({ data, stride }, plane) => {
    const [columns, rows] = plane === 0 ? [width, height] : [width / 2, height / 2];
    let sum = 0;
    for (let row = 0; row < rows; row++) {
      for (const value of data.subarray(row * stride, row * stride + columns)) sum += value;
    }

    return Math.round(sum / (columns * rows));
  });

  return [y ?? 0, u ?? 0, v ?? 0];
}

socket.on('message', (data, from) => {
  if (isRtcp(data)) {
    for (const packet of parseRtcp(data) ?? []) {
      if (packet.type === 'PLI') senders.get(packet.mediaSsrc)?.output.askForKey();
    }
    return;
  }
  if (!view.parse(data)) return;
  sources.set(from.port, view.ssrc);
  const entry = watched.get(view.ssrc);
  if (entry === undefined) return;
  const { seen } = entry;
  if (entry.last !== undefined) {
    const step = sequenceDifference(view.sequenceNumber, entry.last);
    if (step !== 1) seen.gaps++;
    if (Math.abs(step) > MAX_STEP) seen.jumps++;
  }
  entry.last = view.sequenceNumber;
  seen.packets++;
  seen.longest = Math.max(seen.longest, view.payloadLength);
  if (view.marker) seen.frames++;
  entry.decoder.receive(view, performance.now());
  entry.decoder.decode(performance.now());
  if (entry.decoder.needsKey && performance.now() - entry.askedAt > ASK_MS) {
    entry.askedAt = performance.now();
    const mediaSsrc = view.ssrc;
    const length = writeRtcp(feedback, [{ type: 'PLI', senderSsrc: 1, mediaSsrc }]);
    socket.send(feedback.slice(0, length), from.port, HOST);
  }
});

async function handle(request: ProbeRequest): Promise<void> {
  switch (request.type) {
    case 'send':
      await startSender(av, request);
      break;
    case 'stop':
      stopSender(request.ssrc);
      break;
    case 'watch':
      await watch(request.stream);
      break;
    case 'source':
      tell({ type: 'source', ssrc: sources.get(request.port) });
      break;
    case 'replay':
      tell({ type: 'replayed', pictures: await replay(request.stream, request.packets) });
      break;
    case 'look':
      tell(look(request.ssrc, request.areas));
      break;
  }
}

// One after the other, as opening a codec takes a moment.
let handling = Promise.resolve();
process.on('message', (request: ProbeRequest) => {
  handling = handling.then(() => handle(request));
});
process.on('disconnect', () => process.exit(0));
socket.bind(0, HOST, () => {
  tell({ type: 'ready', port: socket.address().port });
});
