/**
 * A network in memory for SIP: stacks that are real from the transport layer upwards, peers that send
 * what a test writes, and losses and delays that a test decides. Time is a FakeClock's.
 */
import { silentLogger } from '../../base/index.ts';
import {
  buildRequest,
  buildResponse,
  newBranch,
  parseMessage,
  parseNameAddr,
  requireUri,
  serializeMessage,
  SipRequest,
  SipResponse,
  type ExtraHeaders,
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
}

/** The wire: keeps a log of all that was put on it. */
export class SipWire {
  readonly log: Delivery[] = [];
  readonly clock: FakeClock;
  drop: (message: SipMessage, from: Endpoint) => boolean;
  readonly #latency: number;
  readonly #receivers = new Map<string, (bytes: Uint8Array, from: Endpoint) => void>();

  constructor(clock: FakeClock, options: WireOptions = {}) {
    this.clock = clock;
    this.#latency = options.latency ?? 5;
    this.drop = options.drop ?? (() => false);
  }

  attach(at: Endpoint, receive: (bytes: Uint8Array, from: Endpoint) => void): void {
    this.#receivers.set(keyOf(at), receive);
  }

  detach(at: Endpoint): void {
    this.#receivers.delete(keyOf(at));
  }

  send(bytes: Uint8Array, from: Endpoint, to: Endpoint): void {
    const message = read(bytes);
    const lost = this.drop(message, from);
    this.log.push({ at: this.clock.now(), from, to, message, lost });
    if (lost) return;
    this.clock.setTimer(this.#latency, () => this.#receivers.get(keyOf(to))?.(bytes, from));
  }

  /** "INVITE", "200 INVITE" … in the order sent, for comparing whole flows. */
  flow(): string[] {
    return this.log.map(({ message }) => label(message));
  }
}

/** A message that is surely whole: what our own serialiser wrote. */
function read(bytes: Uint8Array): SipMessage {
  const message = parseMessage(bytes, { stream: false });
  if (message.kind === 'parse-error') throw new Error(`on the wire: ${message.reason}`);

  return message;
}

export function label(message: SipMessage): string {
  return message.kind === 'request'
    ? message.method
    : `${String(message.status)} ${message.method}`;
}

function keyOf({ address, port }: Endpoint): string {
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
        optionsStatus: (request) => handler?.optionsStatus?.(request) ?? 200,
      },
      product: 'Parley/test',
      ...(options.maxCalls !== undefined && { maxCalls: options.maxCalls }),
      ...(options.random !== undefined && { random: options.random }),
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

export interface PeerRequest {
  readonly headers?: ExtraHeaders;
  readonly body?: string;
  readonly type?: string;
  readonly uri?: string;
  readonly toTag?: string | undefined;
  readonly cseq?: number;
  readonly branch?: string;
  readonly callId?: string;
  readonly contact?: string | undefined;
}

/** A peer that does what the test tells it and nothing else: no retransmission, no ACK. */
export class ScriptedPeer {
  readonly at: Endpoint;
  readonly received: SipMessage[] = [];
  readonly callId: string;
  readonly tag = 'peer-tag';
  readonly #wire: SipWire;
  readonly #remote: Endpoint;
  #cseq = 0;

  constructor(wire: SipWire, at: Endpoint, remote: Endpoint) {
    this.at = at;
    this.#wire = wire;
    this.#remote = remote;
    this.callId = `call-${keyOf(at)}`;
    wire.attach(at, (bytes) => this.received.push(read(bytes)));
  }

  /** A request to the other side; its CSeq is the next one unless given. */
  request(method: string, parts: PeerRequest = {}): SipRequest {
    const sequence = parts.cseq ?? (this.#cseq += 1);
    const to = `<sip:1234@${keyOf(this.#remote)}>`;
    const request = buildRequest({
      method,
      uri: requireUri(parts.uri ?? `sip:1234@${keyOf(this.#remote)}`),
      from: `"Peer" <sip:peer@example.com>;tag=${this.tag}`,
      to: parts.toTag === undefined ? to : `${to};tag=${parts.toTag}`,
      callId: parts.callId ?? this.callId,
      cseq: sequence,
      contact: 'contact' in parts ? parts.contact : `<sip:peer@${keyOf(this.at)}>`,
      headers: parts.headers,
      body:
        parts.body === undefined
          ? undefined
          : { type: parts.type ?? 'application/sdp', content: parts.body },
    });
    const branch = parts.branch ?? newBranch();
    request.headers.prepend('Via', `SIP/2.0/UDP ${keyOf(this.at)};branch=${branch};rport`);
    this.send(request);

    return request;
  }

  /** ACK to a 2xx. */
  ack(response: SipResponse, body?: string): void {
    this.request('ACK', {
      cseq: response.cseq.sequence,
      toTag: response.toTag,
      ...(body !== undefined && { body }),
    });
  }

  /** CANCEL or ACK of a non-2xx: same branch as the INVITE (RFC 3261 9.1, 17.1.1.3). */
  companion(method: 'CANCEL' | 'ACK', invite: SipRequest, toTag?: string): void {
    this.request(method, {
      cseq: invite.cseq.sequence,
      branch: invite.via.params.get('branch')!,
      callId: invite.callId,
      toTag,
    });
  }

  respond(request: SipRequest, status: number, body?: string): void {
    this.send(
      buildResponse(request, status, {
        toTag: this.tag,
        contact: `<sip:peer@${keyOf(this.at)}>`,
        body: body === undefined ? undefined : { type: 'application/sdp', content: body },
      }),
    );
  }

  send(message: SipMessage): void {
    this.#wire.send(serializeMessage(message), this.at, this.#remote);
  }

  labels(): string[] {
    return this.received.map(label);
  }

  /** The last response received that answers `method`. */
  response(method: string): SipResponse {
    const found = this.received.findLast(
      (message) => message.kind === 'response' && message.method === method,
    );
    if (found === undefined)
      throw new Error(`no response to ${method} among ${this.labels().join()}`);

    return found as SipResponse;
  }

  /** The last request received with this method. */
  requestOf(method: string): SipRequest {
    const found = this.received.findLast(
      (message) => message.kind === 'request' && message.method === method,
    );
    if (found === undefined) throw new Error(`no ${method} among ${this.labels().join()}`);

    return found as SipRequest;
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
