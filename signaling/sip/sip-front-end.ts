import type { Clock, Logger } from '../../base/index.ts';
import { Focus, type FocusOptions, MemberCalls, PhoneDialler } from './focus/index.ts';
import { SipGateway, type SipGatewayOptions } from './gateway.ts';
import { formatHostPort, isSipUri } from './message/index.ts';
import { DEFAULT_TIMER_VALUES, TransactionLayer } from './transaction/index.ts';
import { defaultPort, TransportLayer, type SipCounters } from './transport/index.ts';
import { UserAgent } from './ua/index.ts';

export interface SipFrontEndOptions {
  /** Where to listen, UDP and TCP alike. */
  host: string;
  port: number;
  publicAddress: string;
  /** The domain of addresses of record. */
  domain: string;
  /** RFC 3261 17.1.1.1, milliseconds. */
  t1Ms: number;
  /** "Parley/1.0.0", for Server and User-Agent. */
  product: string;
  /** Dialled to get a new room; empty: there is no such address. */
  conferenceFactory: string;
  rooms: SipGatewayOptions['rooms'] & FocusOptions['rooms'];
  counters: SipCounters & SipGatewayOptions['counters'];
  clock: Clock;
  logger: Logger;
}

/** How long phones have to answer the BYE of a server that stops. */
const BYE_WAIT = 1500;

/** The SIP stack, put together: transports, transactions, user agent, gateway. */
export class SipFrontEnd {
  readonly #options: SipFrontEndOptions;
  readonly #transports: TransportLayer;
  readonly #transactions: TransactionLayer;
  readonly #userAgent: UserAgent;
  readonly #focus: Focus;
  #isListening = false;

  constructor(options: SipFrontEndOptions) {
    this.#options = options;
    const { clock, counters } = options;
    const logger = options.logger.child({ tag: 'sip' });
    const timers = { ...DEFAULT_TIMER_VALUES, t1: options.t1Ms };
    const transports = new TransportLayer({
      clock,
      logger,
      counters,
      advertisedHost: options.publicAddress,
    });
    const transactions = new TransactionLayer({ sender: transports, clock, logger, timers });
    this.#transports = transports;
    this.#transactions = transactions;
    const calls = new MemberCalls();
    const userAgent = new UserAgent({
      clock,
      logger,
      sender: transactions,
      timers,
      localAddressFor: (target) => transports.localAddressFor(target),
      handler: new SipGateway({ ...options, calls, factory: options.conferenceFactory }),
      product: options.product,
    });
    this.#userAgent = userAgent;
    this.#focus = this.#createFocus(calls, logger);
    transactions.user = userAgent;
  }

  #createFocus(calls: MemberCalls, logger: Logger): Focus {
    const { rooms, publicAddress, domain, port, product, clock } = this.#options;
    const userAgent = this.#userAgent;
    const usualPort = port === defaultPort('UDP');

    return new Focus({
      rooms,
      calls,
      userAgent,
      sender: this.#transactions,
      dialOut: new PhoneDialler({ rooms, userAgent, calls, publicAddress, logger }),
      authority: formatHostPort(publicAddress, usualPort ? undefined : port),
      isOurs: (uri) =>
        isSipUri(uri) &&
        [publicAddress, domain].some((ours) => ours.toLowerCase() === uri.host) &&
        (uri.port ?? defaultPort('UDP')) === port,
      product,
      clock,
      logger,
    });
  }

  async listen(): Promise<void> {
    const at = { address: this.#options.host, port: this.#options.port };
    await this.#transports.listen('UDP', at);
    await this.#transports.listen('TCP', at);
    this.#isListening = true;
  }

  unreadyReason(): string | undefined {
    return this.#isListening ? undefined : 'SIP does not listen';
  }

  /** What is open now. */
  counts(): { transactions: number; dialogs: number } {
    return {
      transactions: this.#transactions.counts().total,
      dialogs: this.#userAgent.callCount,
    };
  }

  /** BYE to every call, then silence. */
  async close(): Promise<void> {
    this.#isListening = false;
    await this.#userAgent.close([], BYE_WAIT);
    this.#focus.close();
    this.#transactions.close();
    await this.#transports.close();
  }
}
