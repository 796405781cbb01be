/** SIP events (RFC 6665): a notifier, whatever the package. */
export { parseEvent } from './event-header.ts';
export type { EventHeader } from './event-header.ts';
export type { EventPackage, EventWatch, Opening, WatchListener } from './event-package.ts';
export { Notifier } from './notifier.ts';
export type { NotifierOptions } from './notifier.ts';
export { nextSubscriptionState } from './subscription-state.ts';
export type { SubscriptionEvent, SubscriptionState } from './subscription-state.ts';
