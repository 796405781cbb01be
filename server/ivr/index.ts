export { Reception } from './reception.ts';
export type { ReceptionOptions, Voice } from './reception.ts';
export { RoomService } from './room-service.ts';
export type { ServedRoom } from './room-service.ts';
