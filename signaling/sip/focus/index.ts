/** A room as a SIP focus (RFC 4353): its roster as events, its chat as messages, and who is called in. */
export { KeySender } from './key-sender.ts';
export { ChatOutbox } from './chat.ts';
export type { DialledEndpoint, DisconnectionMethod } from './dialled-endpoints.ts';
export { Focus } from './focus.ts';
export type { FocusOptions } from './focus.ts';
export type { Gatekeeper, Refused } from './gatekeeper.ts';
export { streamLabel } from './conference-roster.ts';
export { allows, MemberCalls, phoneStatus } from './member-calls.ts';
export type { MemberCall } from './member-calls.ts';
export type { MediaStatus } from './conference-document.ts';
