import type { Clock, Logger } from '../../../base/index.ts';
import type { RoomManager } from '../../../server/index.ts';
import { Notifier } from '../event/index.ts';
import type { RequestSender } from '../dialog/index.ts';
import type { Uri } from '../message/index.ts';
import type { UserAgent } from '../ua/index.ts';
import { ChatReceiver } from './chat.ts';
import { ConferencePackage } from './conference-package.ts';
import type { DialOut } from './dial-out.ts';
import type { MemberCalls } from './member-calls.ts';
import { ReferReceiver } from './refer.ts';

export interface FocusOptions {
  readonly rooms: Pick<RoomManager, 'get' | 'events'>;
  readonly calls: MemberCalls;
  readonly userAgent: UserAgent;
  readonly sender: RequestSender;
  readonly dialOut: DialOut;
  /** Host, and port when it is not 5060, of conference URIs. */
  readonly authority: string;
  readonly isOurs: (uri: Uri) => boolean;
  /** "Parley/1.0.0". */
  readonly product: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What phones may ask of a conference beside calling it: SUBSCRIBE, MESSAGE and REFER (RFC 4579). */
export class Focus {
  readonly #notifier: Notifier;

  constructor(options: FocusOptions) {
    const { rooms, calls, userAgent, sender, dialOut, isOurs, product, clock } = options;
    const logger = options.logger.child({ tag: 'focus' });
    const headers = [['Server', product]] as const;
    this.#notifier = new Notifier({
      clock,
      logger,
      sender,
      packages: [new ConferencePackage({ rooms, calls, authority: options.authority })],
      contactFor: (conference, target) => userAgent.focusContact(conference, target),
      product,
    });
    const chat = new ChatReceiver(rooms, calls, headers);
    const refers = new ReferReceiver({
      calls,
      userAgent,
      sender,
      dialOut,
      isOurs,
      headers,
      clock,
      logger,
    });
    userAgent.serve('SUBSCRIBE', (transaction) => {
      this.#notifier.receive(transaction);
    });
    userAgent.serve('MESSAGE', (transaction, call) => {
      chat.receive(transaction, call);
    });
    userAgent.serve('REFER', (transaction, call) => {
      refers.receive(transaction, call);
    });
  }

  get subscriptions(): number {
    return this.#notifier.count;
  }

  close(): void {
    this.#notifier.close();
  }
}
