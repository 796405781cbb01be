import type { Clock, Logger } from '../../base/index.ts';
import { SipGateway, type SipGatewayOptions } from './gateway.ts';
import { PhoneDialer } from './gateway-dialer.ts';
import { createAccountServices, type AccountServiceOptions } from './gateway-accounts.ts';
import { TrunkKeeper } from './trunk/index.ts';
import { DEFAULT_TIMER_VALUES, TransactionLayer } from './transaction/index.ts';
import { TransportLayer, type SipCounters } from './transport/index.ts';
import { UserAgent } from './ua/index.ts';

export interface SipFrontEndOptions {
  /** Where to listen, UDP and TCP alike. */
  host: string;
  port: number;
  publicAddress: string;
  /** RFC 3261 17.1.1.1, milliseconds. */
  t1Ms: number;
  /** "Parley/1.0.0", for Server and User-Agent. */
  product: string;
  /** The domain of addresses of record. */
  domain: string;
  guests: boolean;
  digestAlgorithms: AccountServiceOptions['digestAlgorithms'];
  accounts: AccountServiceOptions['accounts'];
  trunks: AccountServiceOptions['trunks'];
  rooms: SipGatewayOptions['rooms'];
  counters: SipCounters & SipGatewayOptions['counters'] & AccountServiceOptions['counters'];
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
  /** Makes calls out of rooms. */
  readonly dialer: PhoneDialer;
  readonly #trunks: TrunkKeeper;
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
    const { registrar, admission, isOurHost } = createAccountServices(options);
    this.#userAgent = new UserAgent({
      clock,
      logger,
      sender: transactions,
      timers,
      localAddressFor: (target) => transports.localAddressFor(target),
      handler: new SipGateway({ ...options, admission }),
      registrar: (transaction) => {
        registrar.receive(transaction);
      },
      product: options.product,
    });
    this.dialer = new PhoneDialer({ ...options, isOurHost }, this.#userAgent);
    this.#trunks = new TrunkKeeper({
      trunks: options.trunks,
      sender: transactions,
      localAddressFor: (target) => transports.localAddressFor(target),
      product: options.product,
      clock,
      logger,
      random: Math.random,
    });
    transactions.user = this.#userAgent;
  }

  async listen(): Promise<void> {
    const at = { address: this.#options.host, port: this.#options.port };
    await this.#transports.listen('UDP', at);
    await this.#transports.listen('TCP', at);
    this.#isListening = true;
    this.#trunks.start();
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
    this.#trunks.close();
    await this.#userAgent.close([], BYE_WAIT);
    this.#transactions.close();
    await this.#transports.close();
  }
}
