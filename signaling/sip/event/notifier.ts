import type { Clock, Logger } from '../../../base/index.ts';
import { Dialog, dialogIdOfRequest, dialogKey, type RequestSender } from '../dialog/index.ts';
import {
  buildResponse,
  newTag,
  parseMediaType,
  type ExtraHeaders,
  type SipRequest,
} from '../message/index.ts';
import type { ServerTransaction } from '../transaction/index.ts';
import { flowTarget, type SendTarget } from '../transport/index.ts';
import { parseEvent, type EventHeader } from './event-header.ts';
import type { EventPackage } from './event-package.ts';
import { Subscription } from './subscription.ts';

export interface NotifierOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly sender: RequestSender;
  readonly packages: readonly EventPackage[];
  /** Our Contact as the peer at a target, who sent the request, reaches it. */
  readonly contactFor: (
    conference: string,
    request: SipRequest,
    target: SendTarget | undefined,
  ) => string;
  /** "Parley/1.0.0", for Server and User-Agent. */
  readonly product: string;
  readonly maxSubscriptions?: number;
  readonly maxPerResource?: number;
}

const DEFAULT_MAX_SUBSCRIPTIONS = 10_000;
const DEFAULT_MAX_PER_RESOURCE = 1000;

/** Takes SUBSCRIBEs and keeps the subscriptions (RFC 6665 4.2). */
export class Notifier {
  readonly #options: NotifierOptions;
  readonly #packages: ReadonlyMap<string, EventPackage>;
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #perResource = new Map<string, number>();

  constructor(options: NotifierOptions) {
    this.#options = options;
    this.#packages = new Map(options.packages.map((each) => [each.name, each]));
  }

  get count(): number {
    return this.#subscriptions.size;
  }

  /**
   * A SUBSCRIBE. In a call's dialog it could only begin a subscription that shares it: "it may choose to
   * fail the SUBSCRIBE request with a 403 … The error text … SHOULD indicate that dialog sharing is not
   * supported" (RFC 6665 4.5.2).
   */
  receive(transaction: ServerTransaction, isInCall = false): void {
    const { request } = transaction;
    if (isInCall) {
      this.#answer(transaction, 403, [], 'Dialog Sharing Not Supported');
      return;
    }
    const event = parseEvent(request.headers.get('event'));
    const found = event && this.#packages.get(event.name);
    if (event === undefined || found === undefined) {
      // "If the notifier does not recognize … the event package … 489" with Allow-Events (4.2.1.1).
      this.#answer(transaction, 489, [['Allow-Events', [...this.#packages.keys()].join(', ')]]);
      return;
    }
    const expires = grantedExpires(request, found);
    if ('status' in expires) {
      this.#answer(transaction, expires.status, expires.headers);
    } else if (!accepts(request, found.contentType)) {
      this.#answer(transaction, 406, [['Accept', found.contentType]]);
    } else if (request.toTag !== undefined) {
      this.#refresh(transaction, event, expires.seconds);
    } else if (request.contact === undefined) {
      this.#answer(transaction, 400, []);
    } else {
      this.#subscribe(transaction, found, event, expires.seconds);
    }
  }

  /** Ends all subscriptions, with nothing sent. */
  close(): void {
    for (const subscription of [...this.#subscriptions.values()]) subscription.abort();
  }

  #subscribe(
    transaction: ServerTransaction,
    eventPackage: EventPackage,
    event: EventHeader,
    expires: number,
  ): void {
    const { request, info } = transaction;
    const opening = eventPackage.open(request, info.flow);
    if ('status' in opening) {
      this.#answer(transaction, opening.status, []);
      return;
    }
    if (this.#isFull(opening.resource)) {
      opening.watch.close();
      this.#answer(transaction, 503, [['Retry-After', '60']]);
      return;
    }
    const { clock, logger, sender, contactFor, product } = this.#options;
    const tag = newTag();
    const contact = contactFor(opening.conference, request, flowTarget(info.flow));
    const subscription = new Subscription({
      clock,
      logger: logger.child({ callId: request.callId }),
      sender,
      requestHeaders: [['User-Agent', product]],
      package: eventPackage,
      resource: opening.resource,
      watch: opening.watch,
      dialog: Dialog.fromRequest(request, tag, info.flow),
      contact,
      eventId: event.id,
      onTerminated: (over) => {
        this.#remove(over);
      },
    });
    this.#subscriptions.set(keyOf(subscription), subscription);
    this.#perResource.set(opening.resource, this.#countOf(opening.resource) + 1);
    this.#accept(transaction, expires, contact, tag);
    subscription.start(expires);
  }

  #refresh(transaction: ServerTransaction, event: EventHeader, expires: number): void {
    const { request, info } = transaction;
    const key = `${dialogKey(dialogIdOfRequest(request))}\n${event.name}\n${event.id ?? ''}`;
    const subscription = this.#subscriptions.get(key);
    if (subscription?.isActive !== true) {
      this.#answer(transaction, 481, []);
    } else if (!subscription.dialog.acceptSequence(request)) {
      this.#answer(transaction, 500, []);
    } else {
      this.#accept(transaction, expires, subscription.contact);
      subscription.refresh(request, info.flow, expires);
    }
  }

  #accept(transaction: ServerTransaction, expires: number, contact: string, toTag?: string): void {
    const headers: ExtraHeaders = [['Expires', String(expires)], this.#server];
    transaction.respond(buildResponse(transaction.request, 200, { toTag, contact, headers }));
  }

  #answer(
    transaction: ServerTransaction,
    status: number,
    headers: ExtraHeaders,
    reason?: string,
  ): void {
    const all = [...headers, this.#server];
    transaction.respond(buildResponse(transaction.request, status, { reason, headers: all }));
  }

  get #server(): readonly [string, string] {
    return ['Server', this.#options.product];
  }

  #isFull(resource: string): boolean {
    const { maxSubscriptions, maxPerResource } = this.#options;

    return (
      this.count >= (maxSubscriptions ?? DEFAULT_MAX_SUBSCRIPTIONS) ||
      this.#countOf(resource) >= (maxPerResource ?? DEFAULT_MAX_PER_RESOURCE)
    );
  }

  #countOf(resource: string): number {
    return this.#perResource.get(resource) ?? 0;
  }

  #remove(subscription: Subscription): void {
    if (!this.#subscriptions.delete(keyOf(subscription))) return;
    const left = this.#countOf(subscription.resource) - 1;
    if (left > 0) this.#perResource.set(subscription.resource, left);
    else this.#perResource.delete(subscription.resource);
  }
}

function keyOf({ dialog, eventName, eventId }: Subscription): string {
  return `${dialogKey(dialog.id)}\n${eventName}\n${eventId ?? ''}`;
}

type Granted = { seconds: number } | { status: number; headers: ExtraHeaders };

/**
 * "The duration … may be shorter but MUST NOT be longer than the one in the SUBSCRIBE"; one that is too
 * short, though not 0, is answered with 423 and Min-Expires (4.2.1.1).
 */
function grantedExpires(request: SipRequest, { expires }: EventPackage): Granted {
  const value = request.headers.get('expires');
  if (value === undefined) return { seconds: expires.default };
  if (!/^\d+$/.test(value)) return { status: 400, headers: [] };
  const seconds = Number(value);
  if (seconds > 0 && seconds < expires.min) {
    return { status: 423, headers: [['Min-Expires', String(expires.min)]] };
  }

  return { seconds: Math.min(seconds, expires.max) };
}

/** Without Accept the package's own type is meant (RFC 6665 3.1.3). */
function accepts(request: SipRequest, contentType: string): boolean {
  const types = request.headers.list('accept').map((each) => parseMediaType(each)?.type);
  const [main] = contentType.split('/');

  return (
    types.length === 0 || [contentType, `${main ?? ''}/*`, '*/*'].some((t) => types.includes(t))
  );
}
