/**
 * FFmpeg through the optional package node-av: the part of it that is used here, in types of our
 * own, so that Parley builds where the package is not installed.
 *
 * `open2` is awaited on purpose: its synchronous twin frees the options twice, and the process dies.
 */
export interface AvPacket {
  data: Buffer | null;
  readonly isKeyframe: boolean;
  alloc(): void;
  unref(): void;
  free(): void;
}

export interface AvFrame {
  format: number;
  width: number;
  height: number;
  pts: bigint;
  pictType: number;
  readonly linesize: number[];
  readonly data: Buffer[] | null;
  alloc(): void;
  getBuffer(align?: number): number;
  makeWritable(): number;
  fromBuffer(buffer: Buffer): number;
  unref(): void;
  free(): void;
}

export interface AvCodecContext {
  width: number;
  height: number;
  pixelFormat: number;
  timeBase: unknown;
  framerate: unknown;
  gopSize: number;
  maxBFrames: number;
  threadCount: number;
  bitRate: bigint;
  rcMaxRate: bigint;
  rcMinRate: bigint;
  rcBufferSize: number;
  qMin: number;
  qMax: number;
  allocContext3(codec: unknown): void;
  open2(codec: unknown, options: unknown): Promise<number>;
  sendPacketSync(packet: AvPacket): number;
  receiveFrameSync(frame: AvFrame): number;
  sendFrameSync(frame: AvFrame): number;
  receivePacketSync(packet: AvPacket): number;
  flushBuffers(): void;
  freeContext(): void;
}

export interface AvScaler {
  getContext(
    fromWidth: number,
    fromHeight: number,
    fromFormat: number,
    toWidth: number,
    toHeight: number,
    toFormat: number,
    flags: number,
  ): void;
  scaleSync(
    from: Buffer[],
    fromStrides: number[],
    firstRow: number,
    rows: number,
    to: Buffer[],
    toStrides: number[],
  ): number;
  freeContext(): void;
}

interface AvModule {
  Codec: {
    findEncoderByName(name: string): unknown;
    findDecoderByName(name: string): unknown;
  };
  CodecContext: new () => AvCodecContext;
  Dictionary: { fromObject(options: Record<string, string>): unknown };
  Frame: new () => AvFrame;
  Packet: new () => AvPacket;
  Rational: new (numerator: number, denominator: number) => unknown;
  SoftwareScaleContext: new () => AvScaler;
  Log: { setLevel(level: number): void };
}

interface AvConstants {
  AV_PIX_FMT_YUV420P: number;
  AV_PICTURE_TYPE_I: number;
  AV_PICTURE_TYPE_NONE: number;
  AV_LOG_FATAL: number;
  SWS_FAST_BILINEAR: number;
}

export type AvLibrary = AvModule & AvConstants;

/** Variables, so that no compiler looks for what may not be there. */
const MODULES = ['node-av/lib', 'node-av/constants'] as const;

/** Rejects where the package or its binary is missing. */
export async function loadAvLibrary(): Promise<AvLibrary> {
  const [library, constants] = await Promise.all(
    MODULES.map((name: string) => import(name) as Promise<unknown>),
  );
  const av = { ...(constants as AvConstants), ...(library as AvModule) };
  // What peers send may be broken, and is no news.
  av.Log.setLevel(av.AV_LOG_FATAL);

  return av;
}
