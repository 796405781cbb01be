export { GridService } from './grid-service.ts';
export type { GridCounters, GridLimits } from './grid-service.ts';
export type { GridMember } from './grid-inputs.ts';
export { RoomGrid } from './room-grid.ts';
export type { GridCodec } from './grid-protocol.ts';
