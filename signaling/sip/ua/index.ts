/**
 * The user agent: calls in and out on top of dialogs. The gateway implements `CallHandler`, answers
 * each `IncomingCall` by `accept` or `reject`, and learns from its `events` what becomes of it:
 *
 *     incomingCall(call) {
 *       call.handleReoffers((offer) => ({ sdp: answer }));
 *       call.events.on('established', (answer) => …).on('ended', ({ by, cause }) => …);
 *       call.accept(answer);   // or our offer, when call.offer is undefined
 *     }
 */
export { ALLOW_EVENTS, ALLOWED_METHODS, KNOWN_METHODS, SUPPORTED_OPTIONS } from './capabilities.ts';
export type { CallEnd, CallEvents, RejectOptions, ReofferAnswer, ReofferHandler } from './call.ts';
export { withCredentials } from './challenges.ts';
export type { ChallengeAnswerer } from './challenges.ts';
export { IncomingCall } from './incoming-call.ts';
export type { CallHandler } from './incoming-call.ts';
export { OutgoingCall } from './outgoing-call.ts';
export type { OutgoingCallParts } from './outgoing-call.ts';
export type { Refusal } from './request-checks.ts';
export { SessionCall } from './session-call.ts';
export type { MethodHandler, ReofferResult } from './session-call.ts';
export { UserAgent } from './user-agent.ts';
export type { UserAgentOptions } from './user-agent.ts';
