/**
 * Cameras for the `grid` benchmark, in a process of their own: two seconds of a head that moves before
 * a shelf, encoded once and then sent again and again, so that nothing is encoded while it measures.
 */
import { createSocket } from 'node:dgram';
import {
  loadAvLibrary,
  packetize,
  Picture,
  PictureEncoder,
  writeRtp,
  type GridCodec,
  type GridStream,
} from '../media/index.ts';

export interface SourceOrder {
  port: number;
  streams: GridStream[];
  framesPerSecond: number;
  size: { width: number; height: number };
}

export interface SourceAnswer {
  type: 'ready' | 'received';
  port: number;
  /** Packets of the composed picture, and octets. */
  packets: number;
  octets: number;
}

const SECONDS = 2;
/** Bits a second of 640x360. */
const BITRATE = 700_000;
/** Octets of an RTP header (RFC 3550 5.1). */
const HEADER = 12;
const HOST = '127.0.0.1';

const av = await loadAvLibrary();
const socket = createSocket('udp4');
let packets = 0;
let octets = 0;

/** The same for every run: a camera's noise, without a camera. */
function noise(seed: number): number {
  const mixed = Math.imul(seed ^ (seed >>> 15), 0x2c1b3c6d);

  return ((mixed ^ (mixed >>> 12)) >>> 8) & 0xff;
}

function paint(picture: Picture, { width, height }: SourceOrder['size'], frame: number): void {
  const [luma, u, v] = picture.planes;
  const scale = height / 360;
  const centreX = width / 2 + scale * 40 * Math.sin(frame / 9);
  const centreY = height / 2 + scale * 12 * Math.cos(frame / 7);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const inHead = ((x - centreX) / 90) ** 2 + ((y - centreY) / 120) ** 2 < scale ** 2;
      const grain = noise(x * 7919 + y * 104_729 + frame * 31) >> 6;
      const shelf = 70 + ((x >> 5) % 5) * 18 + ((y >> 4) % 3) * 9;
      const face = 150 + 40 * Math.sin((x - centreX) / 17) * Math.cos((y - centreY) / 13);
      luma.data[y * luma.stride + x] = (inHead ? face : shelf) + grain;
    }
  }
  u.data.fill(118);
  v.data.fill(140);
}

async function encode(
  codec: GridCodec,
  { framesPerSecond, size }: Pick<SourceOrder, 'framesPerSecond' | 'size'>,
): Promise<Buffer[][]> {
  const bitrate = Math.round((BITRATE * size.height) / 360);
  const settings = { size, framesPerSecond, bitrate };
  const encoder = await PictureEncoder.open(av, codec, settings);
  const picture = new Picture(size, 'packed');
  const frame = new av.Frame();
  frame.alloc();
  frame.width = size.width;
  frame.height = size.height;
  frame.format = av.AV_PIX_FMT_YUV420P;
  frame.getBuffer(32);
  const frames: Buffer[][] = [];
  for (let index = 0; index < SECONDS * framesPerSecond; index++) {
    paint(picture, size, index);
    frame.makeWritable();
    frame.fromBuffer(picture.data);
    frame.pts = BigInt(Math.round((index * 90_000) / framesPerSecond));
    const encoded = encoder.encode(frame, index === 0);
    if (encoded !== undefined) frames.push(packetize(codec, encoded.data, index));
  }
  encoder.close();

  return frames;
}

async function send({ port, streams, framesPerSecond, size }: SourceOrder): Promise<void> {
  const loops = new Map<GridCodec, Buffer[][]>();
  for (const { codec } of streams) {
    if (!loops.has(codec)) loops.set(codec, await encode(codec, { framesPerSecond, size }));
  }
  const started = performance.now();
  streams.forEach((stream, index) => {
    const frames = loops.get(stream.codec) ?? [];
    // Cameras are not in step.
    let due = started + (index * 1000) / framesPerSecond / streams.length;
    let count = 0;
    let sequenceNumber = 0;
    const next = (): void => {
      const payloads = frames[count++ % frames.length] ?? [];
      payloads.forEach((payload, part) => {
        const packet = Buffer.alloc(HEADER + payload.length);
        const timestamp = Math.round((count * 90_000) / framesPerSecond);
        const marker = part === payloads.length - 1;
        const { ssrc, payloadType } = stream;
        writeRtp(packet, { marker, payloadType, sequenceNumber, timestamp, ssrc, payload });
        sequenceNumber = (sequenceNumber + 1) & 0xffff;
        socket.send(packet, port, HOST);
      });
      due += 1000 / framesPerSecond;
      setTimeout(next, Math.max(1, due - performance.now()));
    };
    setTimeout(next, Math.max(1, due - performance.now()));
  });
}

function tell(type: SourceAnswer['type']): void {
  const answer: SourceAnswer = { type, port: socket.address().port, packets, octets };
  process.send?.(answer);
}

socket.on('message', (data) => {
  packets++;
  octets += data.length;
});
process.on('message', (order: SourceOrder | 'count') => {
  if (order === 'count') tell('received');
  else void send(order);
});
process.on('disconnect', () => process.exit(0));
socket.bind(0, HOST, () => {
  tell('ready');
});
