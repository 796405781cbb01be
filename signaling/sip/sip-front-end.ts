/** Size: its constructor joins the parts, one statement each. */
import type { Clock, Logger } from '../../base/index.ts';
import type { PhoneLegStats } from '../../media/index.ts';
import type { RequestSender } from './dialog/index.ts';
import { Focus, type FocusOptions, KeySender, MemberCalls } from './focus/index.ts';
import {
  createAccountServices,
  type AccountServices,
  type AccountServiceOptions,
} from './gateway-accounts.ts';
import { createDialOut, type CallsOutOptions } from './gateway-dialer.ts';
import { ReceptionDesk, type ReceptionDeskOptions } from './gateway-reception.ts';
import { SipGateway, type SipGatewayOptions } from './gateway.ts';
import { SrtpRules, type SrtpRulesOptions } from './gateway-srtp.ts';
import { formatHostPort } from './message/index.ts';
import { CachingResolver, DnsResolver, LocatingSender, Locator } from './locating/index.ts';
import { DEFAULT_TIMER_VALUES, TransactionLayer } from './transaction/index.ts';
import {
  AdmissionControl,
  defaultPort,
  TransportLayer,
  WsTransport,
  type SipCounters,
  type TlsSettings,
  type TransportProtocol,
  type WsOptions,
} from './transport/index.ts';
import { negotiationSettings } from './negotiation/index.ts';
import { WireTrace } from './trace/index.ts';
import { TrunkKeeper } from './trunk/index.ts';
import { UserAgent } from './ua/index.ts';

export interface SipFrontEndOptions {
  /** Where to listen, UDP, TCP and TLS alike. */
  hosts: readonly string[];
  port: number;
  tlsPort: number;
  /** Without it there is no SIP over TLS. */
  tls?: TlsSettings;
  /** Pages elsewhere that may use SIP over WebSocket, "*" for all. */
  wsOrigins?: readonly string[];
  publicAddress: string;
  /** RFC 3261 17.1.1.1, milliseconds. */
  t1Ms: number;
  /** How long changes of a room are gathered before a phone gets them, milliseconds. */
  reinviteWindowMs: number;
  /** "Parley/1.0.0", for Server and User-Agent. */
  product: string;
  /** Requests outside dialogs that one source may send, a second. */
  rateLimit: number;
  /** Between two OPTIONS to a trunk, milliseconds. */
  trunkProbeMs: number;
  /** Dialled to get a new room; empty: there is no such address. */
  conferenceFactory: string;
  /** The domain of addresses of record. */
  domain: string;
  guests: boolean;
  dialOutLimits: CallsOutOptions['dialOutLimits'];
  digestAlgorithms: AccountServiceOptions['digestAlgorithms'];
  accounts: AccountServiceOptions['accounts'];
  trunks: AccountServiceOptions['trunks'];
  /** By default no call is encrypted. */
  srtp?: SrtpRulesOptions['settings'];
  rooms: SipGatewayOptions['rooms'] & ReceptionDeskOptions['rooms'] & FocusOptions['rooms'];
  /** Speaks to callers who are asked for a room. */
  voice: ReceptionDeskOptions['voice'];
  counters: SipCounters & CallsOutOptions['counters'] & AccountServiceOptions['counters'];
  clock: Clock;
  logger: Logger;
}

/** How long phones have to answer the BYE of a server that stops. */
const BYE_WAIT = 1500;
/** Phones that start together after a power failure come in one burst. */
const BURST_SECONDS = 5;

/** The SIP stack, put together: transports, transactions, user agent, gateway. */
export class SipFrontEnd {
  /** Calls' messages, for who looks into why one failed. */
  readonly trace: WireTrace;
  readonly #options: SipFrontEndOptions;
  readonly #transports: TransportLayer;
  readonly #transactions: TransactionLayer;
  readonly #admission: AdmissionControl;
  readonly #userAgent: UserAgent;
  readonly #focus: Focus;
  readonly #calls: MemberCalls;
  /** Makes calls out of rooms, for the API and for members' REFERs alike. */
  readonly dialOut: ReturnType<typeof createDialOut>;
  /** Presses keys in calls, for the API and for calls out. */
  readonly keys: KeySender;
  readonly #trunks: TrunkKeeper;
  #isListening = false;

  constructor(options: SipFrontEndOptions) {
    this.#options = options;
    const { clock, counters } = options;
    const logger = options.logger.child({ tag: 'sip' });
    const timers = { ...DEFAULT_TIMER_VALUES, t1: options.t1Ms };
    this.trace = new WireTrace(clock);
    const locator = new Locator({
      resolver: new CachingResolver(new DnsResolver(), clock),
      protocols: new Set<TransportProtocol>([
        'UDP',
        'TCP',
        ...(options.tls ? ['TLS' as const] : []),
      ]),
    });
    const transports = new TransportLayer({
      clock,
      logger,
      counters,
      onTrace: this.trace.record,
      advertisedHost: options.publicAddress,
      locateSentBy: (sentBy, protocol) => locator.locateSentBy(sentBy, protocol),
      ...(options.tls !== undefined && { tls: options.tls }),
    });
    const { rateLimit } = options;
    const admission = new AdmissionControl({
      clock,
      rate: { perSecond: rateLimit, burst: rateLimit * BURST_SECONDS },
      onRefused: (reason) => counters.refused?.(reason),
    });
    const transactions = new TransactionLayer({
      sender: transports,
      clock,
      logger,
      timers,
      admission,
    });
    this.#admission = admission;
    this.#transports = transports;
    this.#transactions = transactions;
    const accounts = createAccountServices(options);
    const sender = new LocatingSender(transactions, locator);
    const calls = new MemberCalls(clock);
    this.#calls = calls;
    const srtp = createSrtpRules(options, accounts.isOurHost, logger);
    const negotiation = negotiationSettings(options.reinviteWindowMs, options.t1Ms);
    const userAgent = new UserAgent({
      clock,
      logger,
      sender,
      timers,
      localAddressFor: (target) => transports.localAddressFor(target),
      handler: new SipGateway({
        ...options,
        calls,
        desk: new ReceptionDesk(options),
        factory: options.conferenceFactory,
        admission: accounts.admission,
        negotiation,
        ...srtp,
      }),
      registrar: (transaction) => {
        accounts.registrar.receive(transaction);
      },
      product: options.product,
    });
    this.#userAgent = userAgent;
    const { isOurHost, admission: gatekeeper } = accounts;
    this.keys = new KeySender({ calls, clock, logger });
    const shared = { ...options, calls, negotiation, keys: this.keys, ...srtp };
    this.dialOut = createDialOut({ ...shared, isOurHost }, userAgent);
    this.#focus = this.#createFocus(calls, gatekeeper, sender, logger);
    this.#trunks = new TrunkKeeper({
      trunks: options.trunks,
      sender,
      localAddressFor: (target) => transports.localAddressFor(target),
      product: options.product,
      probeMs: options.trunkProbeMs,
      clock,
      logger,
      random: Math.random,
    });
    transactions.user = userAgent;
  }

  #createFocus(
    calls: MemberCalls,
    gatekeeper: AccountServices['admission'],
    sender: RequestSender,
    logger: Logger,
  ): Focus {
    const { rooms, publicAddress, port, product, clock } = this.#options;
    const usualPort = port === defaultPort('UDP');

    return new Focus({
      rooms,
      calls,
      userAgent: this.#userAgent,
      sender,
      dialOut: this.dialOut,
      gatekeeper,
      authority: formatHostPort(publicAddress, usualPort ? undefined : port),
      product,
      clock,
      logger,
    });
  }

  /** Sends phones elsewhere. */
  get transfers(): Focus['transfers'] {
    return this.#focus.transfers;
  }

  /** What the audio of a call has counted; undefined for one that is in no room. */
  async statsOf(callId: string): Promise<PhoneLegStats | undefined> {
    return this.#calls.ofCallId(callId)?.participant.voiceLeg?.stats();
  }

  async listen(): Promise<void> {
    const { hosts, port, tlsPort, tls } = this.#options;
    for (const address of hosts) {
      await this.#transports.listen('UDP', { address, port });
      await this.#transports.listen('TCP', { address, port });
      if (tls !== undefined) await this.#transports.listen('TLS', { address, port: tlsPort });
    }
    this.#isListening = true;
    this.#trunks.start();
  }

  /** SIP over WebSocket, at `/sip` of this server. */
  attachWebSocket(server: WsOptions['server'], secure: boolean): void {
    const { clock, wsOrigins = [] } = this.#options;
    const options = { server, secure, clock, allowedOrigins: wsOrigins };
    this.#transports.addTransport(new WsTransport(this.#transports, options));
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
    this.#focus.close();
    this.#transactions.close();
    this.#admission.close();
    await this.#transports.close();
  }
}

function createSrtpRules(
  { srtp: settings, accounts, trunks }: SipFrontEndOptions,
  isOurHost: (host: string) => boolean,
  logger: Logger,
): { srtp: SrtpRules | undefined } {
  const rules = settings && new SrtpRules({ settings, accounts, trunks, isOurHost, logger });

  return { srtp: rules };
}
