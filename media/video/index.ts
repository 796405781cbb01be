export { PhoneVideoSession } from './phone-video.ts';
export type { PhoneVideoDeps } from './phone-video.ts';
export { RoomVideo } from './room-video.ts';
