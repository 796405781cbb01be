import { ourH264 } from './h264.ts';
import type { VideoCapabilities } from './video-negotiation.ts';

/**
 * What phones are offered. VP8 first: rooms send it anyway. Of H.264 the mode with fragments first, as
 * browsers send it so.
 */
export const DEFAULT_VIDEO_CAPABILITIES: VideoCapabilities = {
  formats: [
    { name: 'VP8', payloadType: 96 },
    { name: 'H264', payloadType: 102, h264: ourH264(1) },
    { name: 'H264', payloadType: 104, h264: ourH264(0) },
  ],
  rtx: true,
  maxBitrate: 2_000_000,
};
