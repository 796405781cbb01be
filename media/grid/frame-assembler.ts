/**
 * Video frames out of RTP payloads: H.264 (RFC 6184) as a byte stream with start codes, VP8 (RFC
 * 7741) as its decoder takes it. After a loss everything up to the next key frame is left out, as it
 * would only be shown broken.
 */
import type { VideoPacket } from './packet-order.ts';

export type GridCodec = 'H264' | 'VP8';

export interface VideoFrame {
  data: Buffer;
  key: boolean;
}

/** What one payload adds to its frame; undefined: it is not what its format allows. */
interface Part {
  pieces: Uint8Array[];
  key: boolean;
  /** It may stand first in a frame. */
  begins: boolean;
}

/** A key frame of 1080p in high quality is a quarter of this. */
const MAX_FRAME = 1_000_000;

const START_CODE = Uint8Array.of(0, 0, 0, 1);
/** Types of NAL units (RFC 6184 table 1, H.264 table 7-1). */
const NAL_IDR = 5;
const NAL_STAP_A = 24;
const NAL_FU_A = 28;

export class FrameAssembler {
  readonly #read: (payload: Uint8Array) => Part | undefined;
  readonly #onFrame: (frame: VideoFrame) => void;
  #pieces: Uint8Array[] = [];
  #size = 0;
  #key = false;
  #timestamp: number | undefined;
  /** Something of the frame that is being put together is missing. */
  #broken = false;
  #needsKey = true;

  constructor(codec: GridCodec, onFrame: (frame: VideoFrame) => void) {
    this.#read = codec === 'H264' ? readH264 : readVp8;
    this.#onFrame = onFrame;
  }

  /** Nothing can be shown before a key frame comes. */
  get needsKey(): boolean {
    return this.#needsKey;
  }

  /** Frames that were given out are not decoded: the next must not depend on them. */
  awaitKey(): void {
    this.#needsKey = true;
  }

  push({ payload, timestamp, marker }: VideoPacket, gap: boolean): void {
    // Without its marker a frame ends where another one's timestamp begins.
    if (timestamp !== this.#timestamp && !gap) this.#finish();
    if (gap) this.#lose();
    if (timestamp !== this.#timestamp) this.#begin(timestamp, gap);
    this.#add(payload);
    if (marker) this.#finish();
  }

  #begin(timestamp: number, gap: boolean): void {
    this.#timestamp = timestamp;
    this.#pieces = [];
    this.#size = 0;
    this.#key = false;
    // What is missing may be this frame's beginning.
    this.#broken = gap;
  }

  #lose(): void {
    this.#needsKey = true;
    this.#broken = true;
  }

  #add(payload: Uint8Array): void {
    if (payload.length === 0) return;
    const part = this.#read(payload);
    if (part === undefined) {
      this.#lose();

      return;
    }
    if (this.#pieces.length === 0 && !part.begins) this.#lose();
    this.#key ||= part.key;
    this.#pieces.push(...part.pieces);
    this.#size += part.pieces.reduce((sum, { length }) => sum + length, 0);
    if (this.#size > MAX_FRAME) this.#lose();
    if (this.#broken) this.#pieces.length = Math.min(this.#pieces.length, 1);
  }

  #finish(): void {
    const whole = this.#pieces.length > 0 && !this.#broken;
    if (whole && this.#key) this.#needsKey = false;
    if (whole && !this.#needsKey) {
      this.#onFrame({ data: Buffer.concat(this.#pieces), key: this.#key });
    }
    this.#pieces = [];
    this.#size = 0;
    this.#key = false;
    this.#broken = false;
    this.#timestamp = undefined;
  }
}

function readH264(payload: Uint8Array): Part | undefined {
  const type = payload[0]! & 0x1f;
  if (type > 0 && type < NAL_STAP_A) {
    return { pieces: [START_CODE, payload], key: type === NAL_IDR, begins: true };
  }
  if (type === NAL_STAP_A) return readAggregate(payload);
  if (type === NAL_FU_A) return readFragment(payload);

  return undefined;
}

/** "STAP-A": each unit behind its size in two octets (RFC 6184 5.7.1). */
function readAggregate(payload: Uint8Array): Part | undefined {
  const part: Part = { pieces: [], key: false, begins: true };
  let offset = 1;
  while (offset + 2 < payload.length) {
    const size = (payload[offset]! << 8) | payload[offset + 1]!;
    const end = offset + 2 + size;
    if (size === 0 || end > payload.length) return undefined;
    part.pieces.push(START_CODE, payload.subarray(offset + 2, end));
    part.key ||= (payload[offset + 2]! & 0x1f) === NAL_IDR;
    offset = end;
  }

  return part;
}

/** "FU-A": the unit's first octet is split over the indicator and the header (RFC 6184 5.8). */
function readFragment(payload: Uint8Array): Part | undefined {
  if (payload.length < 3) return undefined;
  const [indicator, header] = [payload[0]!, payload[1]!];
  const type = header & 0x1f;
  const data = payload.subarray(2);
  if ((header & 0x80) === 0) return { pieces: [data], key: false, begins: false };
  const first = Uint8Array.of((indicator & 0xe0) | type);

  return { pieces: [START_CODE, first, data], key: type === NAL_IDR, begins: true };
}

/** The payload descriptor of RFC 7741 4.2; "P: inverse key frame flag" is the first bit behind it (4.3). */
function readVp8(payload: Uint8Array): Part | undefined {
  const first = payload[0]!;
  let offset = 1;
  if ((first & 0x80) !== 0) {
    const extension = payload[offset++] ?? 0;
    if ((extension & 0x80) !== 0) offset += ((payload[offset] ?? 0) & 0x80) !== 0 ? 2 : 1;
    if ((extension & 0x40) !== 0) offset++;
    if ((extension & 0x30) !== 0) offset++;
  }
  if (offset >= payload.length) return undefined;
  const begins = (first & 0x10) !== 0 && (first & 0x07) === 0;
  const data = payload.subarray(offset);

  return { pieces: [data], key: begins && (data[0]! & 0x01) === 0, begins };
}
