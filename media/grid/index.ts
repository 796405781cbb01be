export { GridService } from './grid-service.ts';
export { GridView } from './grid-view.ts';
export type { MemberStream } from './grid-view.ts';
export { sharedBitrate, unfitReason } from './viewer-limits.ts';
export type { GridViewerLimits } from './viewer-limits.ts';
export type { GridCodec, GridReport, GridStream } from './grid-protocol.ts';
// What the benchmark is made of.
export { loadAvLibrary } from './av-library.ts';
export { CompositorHost } from './compositor-host.ts';
export { packetize } from './packetizer.ts';
export { PictureEncoder } from './picture-encoder.ts';
export { Picture } from './picture.ts';
