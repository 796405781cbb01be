import { BLACK_H264, BLACK_VP8 } from './black-pictures.ts';
import type { VideoCodecName } from '../video-api.ts';

/** Begins a picture; room for a picture ID of 15 bits (RFC 7741 4.2). */
const VP8_DESCRIPTOR = [0x90, 0x80, 0x80, 0x00];

const H264 = BLACK_H264.map((units) => units.map((unit) => toBytes(unit)));
const VP8 = Uint8Array.from([...VP8_DESCRIPTOR, ...toBytes(BLACK_VP8)]);

/** The payloads of the `count`th black picture, each a key frame. */
export function blackPicture(codec: VideoCodecName, count: number): readonly Uint8Array[] {
  return codec === 'VP8' ? [VP8] : H264[count % H264.length]!;
}

function toBytes(base64: string): Uint8Array {
  return Uint8Array.from(Buffer.from(base64, 'base64'));
}
