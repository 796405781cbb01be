import type { AvCodecContext, AvFrame, AvLibrary, AvPacket } from './av-library.ts';
import type { GridCodec } from './grid-protocol.ts';
import { MAX_PAYLOAD } from './packetizer.ts';
import type { Size } from './tiles.ts';

const ENCODERS: Readonly<Record<GridCodec, string>> = { H264: 'libx264', VP8: 'libvpx' };

/** RTP's clock for video; frames come when there is CPU for them, so no rate tells their time. */
const CLOCK_RATE = 90_000;
/** Seconds without a key frame, unless somebody asks for one. */
const KEY_FRAME_SECONDS = 20;
/** Seconds of the bit rate that a frame may take at once: what a receiver's buffer holds easily. */
const BUFFER_SECONDS = 0.5;

/**
 * Constrained baseline is what every phone decodes (RFC 6184 8.1), and level 3.1 is 720p at 30
 * frames a second. Parameter sets stand before each key frame, as none are in the SDP.
 */
const H264_OPTIONS = {
  preset: 'superfast',
  tune: 'zerolatency',
  profile: 'baseline',
  level: '31',
  'forced-idr': '1',
  'x264-params': `slice-max-size=${MAX_PAYLOAD}:annexb=1:repeat-headers=1`,
};
const VP8_OPTIONS = {
  deadline: 'realtime',
  'cpu-used': '8',
  'lag-in-frames': '0',
  'max-intra-rate': '300',
  'static-thresh': '100',
  'undershoot-pct': '100',
  'overshoot-pct': '15',
};

export interface EncoderSettings {
  size: Size;
  framesPerSecond: number;
  bitrate: number;
}

/** One encoded stream of a picture. */
export class PictureEncoder {
  readonly #av: AvLibrary;
  readonly #context: AvCodecContext;
  readonly #packet: AvPacket;

  private constructor(av: AvLibrary, context: AvCodecContext) {
    this.#av = av;
    this.#context = context;
    this.#packet = new av.Packet();
    this.#packet.alloc();
  }

  static async open(
    av: AvLibrary,
    codec: GridCodec,
    { size, framesPerSecond, bitrate }: EncoderSettings,
  ): Promise<PictureEncoder> {
    const encoder = av.Codec.findEncoderByName(ENCODERS[codec]);
    if (encoder === null) throw new TypeError(`no encoder for ${codec}`);
    const context = new av.CodecContext();
    context.allocContext3(encoder);
    context.width = size.width;
    context.height = size.height;
    context.pixelFormat = av.AV_PIX_FMT_YUV420P;
    context.timeBase = new av.Rational(1, CLOCK_RATE);
    context.framerate = new av.Rational(framesPerSecond, 1);
    context.gopSize = framesPerSecond * KEY_FRAME_SECONDS;
    context.maxBFrames = 0;
    context.threadCount = 1;
    context.bitRate = BigInt(bitrate);
    context.rcMaxRate = BigInt(bitrate);
    context.rcBufferSize = bitrate * BUFFER_SECONDS;
    // libvpx keeps to its rate only when the lowest is the highest.
    if (codec === 'VP8') {
      context.rcMinRate = BigInt(bitrate);
      context.qMin = 4;
      context.qMax = 56;
    }
    const options = av.Dictionary.fromObject(codec === 'H264' ? H264_OPTIONS : VP8_OPTIONS);
    const result = await context.open2(encoder, options);
    if (result < 0) throw new TypeError(`the encoder for ${codec} fails: ${result}`);

    return new PictureEncoder(av, context);
  }

  /** `frame` with its time in units of 1/90000 s; undefined when the encoder made nothing of it. */
  encode(frame: AvFrame, key: boolean): { data: Buffer; key: boolean } | undefined {
    frame.pictType = key ? this.#av.AV_PICTURE_TYPE_I : this.#av.AV_PICTURE_TYPE_NONE;
    if (this.#context.sendFrameSync(frame) < 0) return undefined;
    const pieces: Buffer[] = [];
    let isKey = false;
    while (this.#context.receivePacketSync(this.#packet) >= 0) {
      if (this.#packet.data !== null) pieces.push(Buffer.from(this.#packet.data));
      isKey ||= this.#packet.isKeyframe;
      this.#packet.unref();
    }

    return pieces.length === 0 ? undefined : { data: Buffer.concat(pieces), key: isKey };
  }

  close(): void {
    this.#packet.free();
    this.#context.freeContext();
  }
}
