export { maskSecrets } from './mask.ts';
export { WireTrace } from './wire-trace.ts';
export type { CallState, TracedCall, TracedMessage, WireTraceLimits } from './wire-trace.ts';
