import type { RtpPacketView } from '../rtp/index.ts';
import type { AvCodecContext, AvFrame, AvLibrary, AvPacket, AvScaler } from './av-library.ts';
import { FrameAssembler, type VideoFrame } from './frame-assembler.ts';
import type { GridCodec, GridStream } from './grid-protocol.ts';
import { PacketOrder } from './packet-order.ts';
import { Picture } from './picture.ts';
import { fitInside, type Rect, type Size } from './tiles.ts';

const DECODERS: Readonly<Record<GridCodec, string>> = { H264: 'h264', VP8: 'vp8' };

/** Frames and octets that wait for the CPU: a second of a lively picture. */
const MAX_PENDING = 40;
const MAX_PENDING_OCTETS = 4_000_000;
/** Of what a peer may make us decode. */
const MAX_SIDE = 4096;

export interface DecoderCounts {
  decoded: number;
  discarded: number;
}

/** One stream that the grid shows: packets in, a picture of the size of its tile out. */
export class StreamDecoder {
  readonly stream: GridStream;
  readonly #av: AvLibrary;
  readonly #counts: DecoderCounts;
  readonly #context: AvCodecContext;
  readonly #frame: AvFrame;
  readonly #packet: AvPacket;
  readonly #assembler: FrameAssembler;
  readonly #order: PacketOrder;
  #pending: VideoFrame[] = [];
  #pendingOctets = 0;
  /** Of the frame that was decoded last; undefined before the first. */
  #size: Size | undefined;
  #scaler: { context: AvScaler; key: string; picture: Picture } | undefined;
  #closed = false;

  private constructor(
    av: AvLibrary,
    stream: GridStream,
    context: AvCodecContext,
    counts: DecoderCounts,
  ) {
    this.stream = stream;
    this.#av = av;
    this.#counts = counts;
    this.#context = context;
    this.#frame = new av.Frame();
    this.#frame.alloc();
    this.#packet = new av.Packet();
    this.#packet.alloc();
    this.#assembler = new FrameAssembler(stream.codec, (frame) => {
      this.#queue(frame);
    });
    this.#order = new PacketOrder((packet, gap) => {
      this.#assembler.push(packet, gap);
    });
  }

  static async open(
    av: AvLibrary,
    stream: GridStream,
    counts: DecoderCounts,
  ): Promise<StreamDecoder> {
    const codec = av.Codec.findDecoderByName(DECODERS[stream.codec]);
    if (codec === null) throw new TypeError(`no decoder for ${stream.codec}`);
    const context = new av.CodecContext();
    context.allocContext3(codec);
    context.threadCount = 1;
    const result = await context.open2(codec, null);
    if (result < 0) throw new TypeError(`the decoder for ${stream.codec} fails: ${result}`);

    return new StreamDecoder(av, stream, context, counts);
  }

  /** Nothing can be decoded until a key frame comes. */
  get needsKey(): boolean {
    return this.#assembler.needsKey;
  }

  get hasPicture(): boolean {
    return this.#size !== undefined;
  }

  receive(packet: RtpPacketView, now: number): void {
    if (this.#closed || packet.payloadType !== this.stream.payloadType) return;
    this.#order.push(
      {
        sequenceNumber: packet.sequenceNumber,
        timestamp: packet.timestamp,
        marker: packet.marker,
        payload: packet.payload(),
      },
      now,
    );
  }

  /** Decodes what came; true when there is a newer picture than before. */
  decode(now: number): boolean {
    this.#order.expire(now);
    const pending = this.#pending;
    this.#pending = [];
    this.#pendingOctets = 0;
    let fresh = false;
    for (const { data } of pending) fresh = this.#decodeOne(data) || fresh;

    return fresh;
  }

  /** The newest frame as it fits into `tile`, and where it belongs. */
  scaled(tile: Rect): { picture: Picture; place: Rect } | undefined {
    const size = this.#size;
    const planes = this.#frame.data;
    if (size === undefined || planes === null) return undefined;
    const place = fitInside(size, tile);
    const { context, picture } = this.#scalerFor(size, place);
    context.scaleSync(
      planes,
      this.#frame.linesize,
      0,
      size.height,
      picture.planes.map(({ data }) => data),
      picture.planes.map(({ stride }) => stride),
    );

    return { picture, place };
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#size = undefined;
    this.#scaler?.context.freeContext();
    this.#packet.free();
    this.#frame.free();
    this.#context.freeContext();
  }

  #queue(frame: VideoFrame): void {
    if (this.#closed) return;
    // A key frame needs nothing that came before it, and neither does whoever looks.
    if (frame.key && this.#pending.length > 0) this.#discardPending();
    const octets = this.#pendingOctets + frame.data.length;
    if (this.#pending.length >= MAX_PENDING || octets > MAX_PENDING_OCTETS) {
      this.#discardPending();
      this.#counts.discarded++;
      this.#assembler.awaitKey();

      return;
    }
    this.#pending.push(frame);
    this.#pendingOctets = octets;
  }

  #discardPending(): void {
    this.#counts.discarded += this.#pending.length;
    this.#pending = [];
    this.#pendingOctets = 0;
  }

  #decodeOne(data: Buffer): boolean {
    this.#packet.data = data;
    const sent = this.#context.sendPacketSync(this.#packet);
    this.#packet.unref();
    if (sent < 0) {
      this.#counts.discarded++;
      this.#assembler.awaitKey();

      return false;
    }
    let fresh = false;
    // Receiving empties the frame first, so what it held last is gone when there is none.
    while (this.#context.receiveFrameSync(this.#frame) >= 0) {
      this.#counts.decoded++;
      const { width, height } = this.#frame;
      const usable = width > 0 && height > 0 && width <= MAX_SIDE && height <= MAX_SIDE;
      this.#size = usable ? { width, height } : undefined;
      fresh = usable;
      if (usable) return true;
    }

    return fresh;
  }

  #scalerFor(size: Size, place: Rect): { context: AvScaler; picture: Picture } {
    const format = this.#frame.format;
    const key = `${size.width}x${size.height}/${format}>${place.width}x${place.height}`;
    if (this.#scaler?.key === key) return this.#scaler;
    this.#scaler?.context.freeContext();
    const context = new this.#av.SoftwareScaleContext();
    context.getContext(
      size.width,
      size.height,
      format,
      place.width,
      place.height,
      this.#av.AV_PIX_FMT_YUV420P,
      this.#av.SWS_FAST_BILINEAR,
    );
    this.#scaler = { context, key, picture: new Picture(place, 'padded') };

    return this.#scaler;
  }
}
