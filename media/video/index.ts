export { PhoneVideoSession } from './phone-video.ts';
export type { PhoneVideoDeps } from './phone-video.ts';
export { VideoTotals } from './video-totals.ts';
export { RoomVideo } from './room-video.ts';
