import type { SipRequest } from '../message/index.ts';
import type { RemoteFlow } from '../transport/index.ts';

/** What one subscriber is to be told of one resource, as long as it is subscribed. */
export interface EventWatch {
  /** The whole state: for the first NOTIFY, and for the one that answers a refresh. */
  full(): string;
  /** What has changed since the document before; undefined when nothing has. */
  partial(): string | undefined;
  /** Called once. */
  start(listener: WatchListener): void;
  close(): void;
}

export interface WatchListener {
  /** Ask for a document when you may. */
  changed(): void;
  /** There is nothing to watch any more, or not for this one. */
  over(reason: 'noresource' | 'rejected'): void;
}

/** Who may watch what: the watch, or the status that refuses the SUBSCRIBE. */
export type Opening =
  | { readonly status: number }
  | {
      /** Names what is watched, for the bound on subscriptions to it. */
      readonly resource: string;
      /** The user part of our Contact. */
      readonly conference: string;
      readonly watch: EventWatch;
    };

/** RFC 6665 7.2: an event package, as far as a notifier needs it. */
export interface EventPackage {
  readonly name: string;
  readonly contentType: string;
  /** Seconds. */
  readonly expires: { readonly default: number; readonly min: number; readonly max: number };
  /** Milliseconds between two NOTIFYs of changes; what changes meanwhile is told in one. */
  readonly pace: number;
  open(request: SipRequest, flow: RemoteFlow): Opening;
}
