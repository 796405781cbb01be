export { findSrtpSuite, SRTP_SUITES } from './suites.ts';
export type { SrtpKey, SrtpKeys, SrtpSuite, SrtpSuiteName } from './suites.ts';
export { SrtpSession } from './srtp-session.ts';
