import type { VideoCodecName } from '../video-api.ts';
import { beginsIdr } from './h264.ts';
import { readVp8 } from './vp8.ts';

/** Whether a picture begins in this packet that needs no other. */
export function beginsPicture(codec: VideoCodecName, payload: Uint8Array): boolean {
  return codec === 'VP8' ? readVp8(payload)?.keyFrame === true : beginsIdr(payload);
}
