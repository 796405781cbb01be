/**
 * The life of a subscription as its notifier sees it (RFC 6665 4.2). Policy decides at once here, so no
 * subscription is ever pending; `ending`: the last NOTIFY is on its way.
 */
export type SubscriptionState = 'init' | 'active' | 'ending' | 'terminated';

export type SubscriptionEvent =
  | 'subscribe'
  /** SUBSCRIBE with Expires: 0 that makes no subscription: "a fetch" (4.4.3). */
  | 'fetch'
  | 'refresh'
  | 'unsubscribe'
  | 'expire'
  /** What was watched is no more, or may not be watched any more by this one. */
  | 'watchOver'
  /** The last NOTIFY was answered. */
  | 'lastNotified'
  /** A NOTIFY got no answer, or one that ends the subscription (4.2.2). */
  | 'notifyFailed'
  | 'abort';

const TRANSITIONS: Readonly<
  Record<SubscriptionState, Partial<Record<SubscriptionEvent, SubscriptionState>>>
> = {
  init: { subscribe: 'active', fetch: 'ending' },
  active: {
    refresh: 'active',
    unsubscribe: 'ending',
    expire: 'ending',
    watchOver: 'ending',
    notifyFailed: 'terminated',
    abort: 'terminated',
  },
  ending: { lastNotified: 'terminated', notifyFailed: 'terminated', abort: 'terminated' },
  terminated: {},
};

/** The state after the event; undefined when it has no place there. */
export function nextSubscriptionState(
  state: SubscriptionState,
  event: SubscriptionEvent,
): SubscriptionState | undefined {
  return TRANSITIONS[state][event];
}
