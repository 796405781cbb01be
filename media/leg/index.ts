export { RtpLeg } from './rtp-leg.ts';
export type { RtpLegHandlers, RtpLegOptions } from './leg-options.ts';
export { LoopbackSocket, LOOPBACK_ADDRESS } from './loopback-socket.ts';
export { StreamRewriter } from './stream-rewriter.ts';
export { LegRtcp } from './leg-rtcp.ts';
