/**
 * A network in memory for SIP: stacks that are real from the transport layer upwards, peers that send
 * what a test writes, and losses and delays that a test decides. Time is a FakeClock's.
 */
import { silentLogger } from '../../base/index.ts';
import {
  parseMessage,
  parseNameAddr,
  type NameAddr,
  type SipMessage,
} from '../../signaling/sip/message/index.ts';
import { TransactionLayer } from '../../signaling/sip/transaction/index.ts';
import {
  TransportLayer,
  type Endpoint,
  type SendErrorHandler,
  type SendTarget,
  type Transport,
  type TransportEvents,
  type TransportProtocol,
} from '../../signaling/sip/transport/index.ts';
import type { SessionTimerPolicy } from '../../signaling/sip/dialog/index.ts';
import {
  UserAgent,
  type CallHandler,
  type IncomingCall,
  type OutgoingCall,
  type OutgoingCallParts,
} from '../../signaling/sip/ua/index.ts';
import { parseSdp, SdpError, type SdpSession } from '../../signaling/sdp/index.ts';
import type { FakeClock } from './fake-clock.ts';

export interface Delivery {
  readonly at: number;
  readonly from: Endpoint;
  readonly to: Endpoint;
  readonly message: SipMessage;
  readonly lost: boolean;
}

export interface WireOptions {
  /** One way, in milliseconds. */
  readonly latency?: number;
  /** Decides per message; true loses it. */
  readonly drop?: (message: SipMessage, from: Endpoint) => boolean;
  /** Instead of both: after how many milliseconds each copy of a message arrives; none loses it. */
  readonly fate?: () => readonly number[];
}

/** The wire: keeps a log of all that was put on it. */
export class SipWire {
  readonly log: Delivery[] = [];
  readonly clock: FakeClock;
  drop: (message: SipMessage, from: Endpoint) => boolean;
  fate: (() => readonly number[]) | undefined;
  readonly #latency: number;
  readonly #receivers = new Map<string, (bytes: Uint8Array, from: Endpoint) => void>();

  constructor(clock: FakeClock, options: WireOptions = {}) {
    this.clock = clock;
    this.#latency = options.latency ?? 5;
    this.drop = options.drop ?? (() => false);
    this.fate = options.fate;
  }

  attach(at: Endpoint, receive: (bytes: Uint8Array, from: Endpoint) => void): void {
    this.#receivers.set(keyOf(at), receive);
  }

  detach(at: Endpoint): void {
    this.#receivers.delete(keyOf(at));
  }

  send(bytes: Uint8Array, from: Endpoint, to: Endpoint): void {
    const message = readMessage(bytes);
    const arrivals = this.#arrivals(message, from);
    this.log.push({ at: this.clock.now(), from, to, message, lost: arrivals.length === 0 });
    for (const delay of arrivals) {
      this.clock.setTimer(delay, () => this.#receivers.get(keyOf(to))?.(bytes, from));
    }
  }

  #arrivals(message: SipMessage, from: Endpoint): readonly number[] {
    if (this.fate !== undefined) return this.fate();

    return this.drop(message, from) ? [] : [this.#latency];
  }

  /** "INVITE", "200 INVITE" … in the order sent, for comparing whole flows. */
  flow(): string[] {
    return this.log.map(({ message }) => label(message));
  }
}

/** A message that is surely whole: what our own serialiser wrote. */
export function readMessage(bytes: Uint8Array): SipMessage {
  const message = parseMessage(bytes, { stream: false });
  if (message.kind === 'parse-error') throw new Error(`on the wire: ${message.reason}`);

  return message;
}

export function label(message: SipMessage): string {
  return message.kind === 'request'
    ? message.method
    : `${String(message.status)} ${message.method}`;
}

export function keyOf({ address, port }: Endpoint): string {
  return `${address}:${String(port)}`;
}

class WireTransport implements Transport {
  readonly protocol: TransportProtocol;
  readonly local: Endpoint;
  readonly #wire: SipWire;

  constructor(
    wire: SipWire,
    local: Endpoint,
    events: TransportEvents,
    protocol: TransportProtocol,
  ) {
    this.#wire = wire;
    this.local = local;
    this.protocol = protocol;
    wire.attach(local, (bytes, from) => {
      const connectionId = this.reliable ? keyOf(from) : undefined;
      events.onBytes(bytes, { protocol, remote: from, local, connectionId });
    });
  }

  get reliable(): boolean {
    return this.protocol !== 'UDP';
  }

  send(bytes: Uint8Array, target: SendTarget, _onError: SendErrorHandler): void {
    this.#wire.send(bytes, this.local, target);
  }

  close(): Promise<void> {
    this.#wire.detach(this.local);

    return Promise.resolve();
  }
}

export interface StackOptions {
  readonly protocol?: TransportProtocol;
  readonly handler?: Partial<CallHandler>;
  readonly maxCalls?: number;
  readonly random?: () => number;
  readonly sessionTimer?: SessionTimerPolicy;
}

/** One side with all its layers. Calls that come in are kept; `handler` may answer them. */
export class SipStack {
  readonly at: Endpoint;
  readonly calls: IncomingCall[] = [];
  readonly transactions: TransactionLayer;
  readonly userAgent: UserAgent;
  readonly #transport: TransportLayer;

  constructor(wire: SipWire, at: Endpoint, options: StackOptions = {}) {
    this.at = at;
    const { clock } = wire;
    const { handler, protocol = 'UDP' } = options;
    this.#transport = new TransportLayer({ clock, logger: silentLogger });
    this.#transport.addTransport(new WireTransport(wire, at, this.#transport, protocol));
    this.transactions = new TransactionLayer({
      sender: this.#transport,
      clock,
      logger: silentLogger,
    });
    this.userAgent = new UserAgent({
      clock,
      logger: silentLogger,
      sender: this.transactions,
      timers: this.transactions.timers.values,
      localAddressFor: (target) => this.#transport.localAddressFor(target),
      handler: {
        incomingCall: (call) => {
          this.calls.push(call);
          handler?.incomingCall?.(call);
        },
        ...(handler?.optionsRefusal !== undefined && {
          optionsRefusal: (request, flow) => handler.optionsRefusal!(request, flow),
        }),
        conferenceFor: (request) => handler?.conferenceFor?.(request),
      },
      product: 'Parley/test',
      ...(options.maxCalls !== undefined && { maxCalls: options.maxCalls }),
      ...(options.random !== undefined && { random: options.random }),
      ...(options.sessionTimer !== undefined && { sessionTimer: options.sessionTimer }),
    });
    this.transactions.user = this.userAgent;
  }

  /** The one call that came in. */
  get call(): IncomingCall {
    const [call] = this.calls;
    if (call === undefined) throw new Error('no call came in');

    return call;
  }

  dial(to: SipStack, parts: Partial<OutgoingCallParts> = {}): OutgoingCall {
    return this.userAgent.call({
      to: nameAddr(`<sip:room@${keyOf(to.at)}>`),
      from: nameAddr(`<sip:caller@${keyOf(this.at)}>`),
      offer: sdp({ port: 5000 }),
      ...parts,
    });
  }

  /** Nothing of the stack may be left afterwards: hold `clock.pendingTimers` against it. */
  async close(): Promise<void> {
    this.transactions.close();
    await this.#transport.close();
  }
}

export interface SdpParts {
  readonly port?: number;
  readonly direction?: string;
  readonly version?: number;
}

/** A plain description of a phone, as text. */
export function sdpText({
  port = 4000,
  direction = 'sendrecv',
  version = 1,
}: SdpParts = {}): string {
  return [
    'v=0',
    `o=- 1 ${String(version)} IN IP4 10.0.0.9`,
    's=-',
    'c=IN IP4 10.0.0.9',
    't=0 0',
    `m=audio ${String(port)} RTP/AVP 0 8`,
    `a=${direction}`,
    '',
  ].join('\r\n');
}

export function sdp(parts: SdpParts = {}): SdpSession {
  const session = parseSdp(sdpText(parts));
  if (session instanceof SdpError) throw session;

  return session;
}

export function nameAddr(text: string): NameAddr {
  const value = parseNameAddr(text);
  if (value === undefined) throw new TypeError(`not a name-addr: ${text}`);

  return value;
}
