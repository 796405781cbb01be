import { TimerSet, type Clock, type Logger } from '../../../base/index.ts';
import { nextHop, type Dialog, type RequestSender } from '../dialog/index.ts';
import type { SipRequest, SipResponse } from '../message/index.ts';
import type { RemoteFlow } from '../transport/index.ts';
import type { EventPackage, EventWatch } from './event-package.ts';
import {
  nextSubscriptionState,
  type SubscriptionEvent,
  type SubscriptionState,
} from './subscription-state.ts';

/** Why a subscription ended (RFC 6665 4.1.3). */
export type TerminationReason = 'timeout' | 'noresource' | 'rejected';

export interface SubscriptionParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly sender: RequestSender;
  /** User-Agent and the like. */
  readonly requestHeaders: readonly (readonly [string, string])[];
  readonly package: EventPackage;
  readonly resource: string;
  readonly watch: EventWatch;
  readonly dialog: Dialog;
  readonly contact: string;
  /** Of the Event header: tells subscriptions of one dialog apart. */
  readonly eventId: string | undefined;
  readonly onTerminated: (subscription: Subscription) => void;
}

type Due = 'nothing' | 'changes' | 'everything';

/**
 * One subscription: its dialog, its end, and the NOTIFYs in it. One NOTIFY is on its way at a time, so
 * that they arrive in order and a slow subscriber gets fewer of them, not more.
 */
export class Subscription {
  readonly dialog: Dialog;
  readonly eventId: string | undefined;
  readonly eventName: string;
  readonly resource: string;
  readonly contact: string;
  readonly #parts: SubscriptionParts;
  readonly #timers: TimerSet<'expiry' | 'pace'>;
  #state: SubscriptionState = 'init';
  #due: Due = 'nothing';
  #isNotifying = false;
  #notifiedAt = -Infinity;
  /** A subscriber that asked for a pause gets one. */
  #blockedUntil = 0;
  #expiresAt = 0;
  #reason: TerminationReason = 'timeout';

  constructor(parts: SubscriptionParts) {
    this.#parts = parts;
    this.dialog = parts.dialog;
    this.eventId = parts.eventId;
    this.eventName = parts.package.name;
    this.resource = parts.resource;
    this.contact = parts.contact;
    this.#timers = new TimerSet(parts.clock);
  }

  get isActive(): boolean {
    return this.#state === 'active';
  }

  /** `expires` in seconds; 0 fetches the state once. The 200 is to be sent before. */
  start(expires: number): void {
    if (expires > 0) {
      this.#move('subscribe');
      this.#setExpiry(expires);
      this.#parts.watch.start({
        changed: () => {
          this.#want('changes');
        },
        over: (reason) => {
          this.#end('watchOver', reason, 'nothing');
        },
      });
    } else {
      this.#move('fetch');
    }
    this.#want('everything');
  }

  /** A SUBSCRIBE in the dialog, answered already. */
  refresh(request: SipRequest, flow: RemoteFlow, expires: number): void {
    this.dialog.refreshTarget(request, flow);
    if (expires === 0) {
      this.#end('unsubscribe', 'timeout', 'everything');
    } else if (this.#move('refresh')) {
      this.#setExpiry(expires);
      // "the notifier MUST immediately send a NOTIFY" on a refresh too (4.2.1.2).
      this.#want('everything');
    }
  }

  /** Without a word to the subscriber. */
  abort(): void {
    if (this.#move('abort')) this.#finish();
  }

  #setExpiry(seconds: number): void {
    this.#expiresAt = this.#parts.clock.now() + seconds * 1000;
    this.#timers.start('expiry', seconds * 1000, () => {
      this.#end('expire', 'timeout', 'nothing');
    });
  }

  #end(event: SubscriptionEvent, reason: TerminationReason, due: Due): void {
    if (!this.#move(event)) return;
    this.#timers.stop('expiry');
    this.#reason = reason;
    this.#due = due;
    this.#notifyWhenDue();
  }

  #want(due: Due): void {
    if (this.#due !== 'everything') this.#due = due;
    this.#notifyWhenDue();
  }

  #notifyWhenDue(): void {
    if (this.#isNotifying || this.#state === 'terminated') return;
    const now = this.#parts.clock.now();
    const pause = this.#due === 'changes' ? this.#notifiedAt + this.#parts.package.pace : 0;
    const wait = Math.max(pause, this.#blockedUntil) - now;
    if (this.#state === 'ending') {
      this.#notify(this.#due === 'everything' ? this.#parts.watch.full() : undefined);
    } else if (this.#due === 'nothing') {
      return;
    } else if (wait > 0) {
      this.#timers.start('pace', wait, () => {
        this.#notifyWhenDue();
      });
    } else if (this.#due === 'everything') {
      this.#notify(this.#parts.watch.full());
    } else {
      const document = this.#parts.watch.partial();
      if (document === undefined) this.#due = 'nothing';
      else this.#notify(document);
    }
  }

  #notify(document: string | undefined): void {
    const { clock, sender, requestHeaders } = this.#parts;
    const { contentType } = this.#parts.package;
    const name = this.eventName;
    this.#timers.stop('pace');
    this.#due = 'nothing';
    this.#isNotifying = true;
    this.#notifiedAt = clock.now();
    const isLast = this.#state === 'ending';
    const left = Math.max(0, Math.ceil((this.#expiresAt - clock.now()) / 1000));
    const event = this.eventId === undefined ? name : `${name};id=${this.eventId}`;
    const notify = this.dialog.createRequest('NOTIFY', {
      contact: this.contact,
      headers: [
        ['Event', event],
        [
          'Subscription-State',
          isLast ? `terminated;reason=${this.#reason}` : `active;expires=${String(left)}`,
        ],
        ...requestHeaders,
      ],
      ...(document !== undefined && { body: { type: contentType, content: document } }),
    });
    sender.request(notify, nextHop(this.dialog), {
      onResponse: (response) => {
        if (response.status >= 200) this.#notified(isLast, response);
      },
      onFailure: () => {
        this.#notified(isLast, undefined);
      },
    });
  }

  /**
   * "If the NOTIFY request fails due to a timeout … or an error response" without Retry-After, the
   * notifier removes the subscription (4.2.2); with Retry-After the whole state is told again.
   */
  #notified(wasLast: boolean, response: SipResponse | undefined): void {
    this.#isNotifying = false;
    if (wasLast) {
      if (this.#move('lastNotified')) this.#finish();
      return;
    }
    const failed = response === undefined || response.status >= 300;
    if (failed && response?.headers.has('Retry-After') !== true) {
      this.#parts.logger.debug({ status: response?.status }, 'a subscriber is gone');
      if (this.#move('notifyFailed')) this.#finish();
      return;
    }
    if (failed) {
      const seconds = Number.parseInt(response?.headers.get('Retry-After') ?? '', 10);
      this.#blockedUntil =
        this.#parts.clock.now() + Math.min(Math.max(seconds || 0, 1), 3600) * 1000;
      if (this.#due === 'nothing' || this.#state === 'active') this.#due = 'everything';
    }
    this.#notifyWhenDue();
  }

  #finish(): void {
    this.#timers.close();
    this.#parts.watch.close();
    this.#parts.onTerminated(this);
  }

  #move(event: SubscriptionEvent): boolean {
    const next = nextSubscriptionState(this.#state, event);
    if (next === undefined) return false;
    this.#parts.logger.trace({ from: this.#state, to: next, event }, 'subscription');
    this.#state = next;

    return true;
  }
}
