export { RtpLeg } from './rtp-leg.ts';
export type { RtpLegHandlers, RtpLegOptions } from './rtp-leg.ts';
export { LoopbackSocket, LOOPBACK_ADDRESS } from './loopback-socket.ts';
export { StreamRewriter } from './stream-rewriter.ts';
