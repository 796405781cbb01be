import { toError, type Clock, type Logger } from '../../../base/index.ts';
import type { CallTransfers, DialOut, RoomManager } from '../../../server/index.ts';
import { Notifier, parseEvent } from '../event/index.ts';
import type { RequestSender } from '../dialog/index.ts';
import { buildResponse, type ExtraHeaders } from '../message/index.ts';
import type { MethodHandler, UserAgent } from '../ua/index.ts';
import { PhoneTransfers } from './call-transfers.ts';
import { ChatReceiver } from './chat.ts';
import { ConferencePackage } from './conference-package.ts';
import type { Gatekeeper } from './gatekeeper.ts';
import type { MemberCalls } from './member-calls.ts';
import { ReferReceiver } from './refer.ts';

export interface FocusOptions {
  readonly rooms: Pick<RoomManager, 'get' | 'events'>;
  readonly calls: MemberCalls;
  readonly userAgent: UserAgent;
  readonly sender: RequestSender;
  readonly dialOut: Pick<DialOut, 'start' | 'follow'>;
  readonly gatekeeper: Gatekeeper;
  /** Host, and port when it is not 5060, of conference URIs. */
  readonly authority: string;
  /** "Parley/1.0.0". */
  readonly product: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What phones may ask of a conference beside calling it: SUBSCRIBE, MESSAGE and REFER (RFC 4579). */
export class Focus {
  readonly #notifier: Notifier;
  readonly #transfers: PhoneTransfers;
  readonly #calls: MemberCalls;

  constructor(options: FocusOptions) {
    const { rooms, calls, userAgent, sender, product, clock } = options;
    this.#calls = calls;
    const logger = options.logger.child({ tag: 'focus' });
    const headers = [['Server', product]] as const;
    this.#notifier = new Notifier({
      clock,
      logger,
      sender,
      packages: [new ConferencePackage({ rooms, calls, authority: options.authority })],
      contactFor: (...peer) => userAgent.focusContact(...peer),
      product,
    });
    const chat = new ChatReceiver(rooms, calls, headers);
    const refers = new ReferReceiver({ ...options, headers, logger });
    this.#transfers = new PhoneTransfers({ ...options, headers, logger });
    const serve = (method: string, handler: MethodHandler): void => {
      userAgent.serve(method, behindGate(options.gatekeeper, headers, logger, handler));
    };
    serve('SUBSCRIBE', (transaction, call) => {
      const event = parseEvent(transaction.request.headers.get('event'));
      if (call !== undefined && event?.name === 'refer') {
        refers.receiveSubscribe(transaction, call, event.id);
      } else {
        this.#notifier.receive(transaction, call !== undefined);
      }
    });
    serve('MESSAGE', (transaction, call) => {
      chat.receive(transaction, call);
    });
    serve('REFER', (transaction, call) => {
      refers.receive(transaction, call);
    });
    // Only in calls do we ask for news.
    userAgent.serve('NOTIFY', (transaction, call) => {
      this.#transfers.receive(transaction, call);
    });
  }

  get transfers(): CallTransfers {
    return this.#transfers;
  }

  get subscriptions(): number {
    return this.#notifier.count;
  }

  close(): void {
    this.#notifier.close();
    this.#transfers.close();
    this.#calls.dialled.close();
  }
}

/** Who is in a dialog with us was let in when it began; anybody else has to be let in as a caller. */
function behindGate(
  gatekeeper: Gatekeeper,
  headers: ExtraHeaders,
  logger: Logger,
  handler: MethodHandler,
): MethodHandler {
  return (transaction, call) => {
    const { request, info } = transaction;
    if (call !== undefined || request.toTag !== undefined) {
      handler(transaction, call);
      return;
    }
    const enter = async (): Promise<void> => {
      const refused = await gatekeeper.refusalOf(request, info.flow);
      if (refused === undefined) {
        handler(transaction, call);
        return;
      }
      const all = [...refused.headers, ...headers];
      transaction.respond(buildResponse(request, refused.status, { headers: all }));
    };
    enter().catch((error: unknown) => {
      logger.error({ err: toError(error), method: request.method }, 'SIP request failed');
      if (transaction.isPending) transaction.respond(buildResponse(request, 500, { headers }));
    });
  };
}
