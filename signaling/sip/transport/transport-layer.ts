import { CloseStack, toError, type Clock, type Logger } from '../../../base/index.ts';
import {
  buildResponse,
  parseMessage,
  serializeMessage,
  type HostPort,
  type ParseError,
  type SipRequest,
  type SipResponse,
} from '../message/index.ts';
import { addressTowards, canReach, reachesWell, sameFamily } from './address.ts';
import { DatagramPeers } from './datagram-peers.ts';
import type {
  MessageSender,
  OutgoingRequest,
  OutgoingResponse,
  SipCounters,
  TraceHook,
  TransportUser,
} from './message-sender.ts';
import { Outgoing } from './outgoing-request.ts';
import { PreparedResponse } from './outgoing-response.ts';
import { markReceived, requestTarget, responseTarget } from './routing.ts';
import { TCP, tlsKind, type TlsSettings } from './stream-kind.ts';
import { TcpTransport, type TcpLimits } from './tcp-transport.ts';
import {
  sameEndpoint,
  type Endpoint,
  type RemoteFlow,
  type SendErrorHandler,
  type SendTarget,
  type Transport,
  type TransportEvents,
  type TransportProtocol,
} from './transport.ts';
import { UdpTransport } from './udp-transport.ts';

/** RFC 3261 18.1.1: with an unknown path MTU, larger requests go over a stream. */
const MAX_DATAGRAM_REQUEST = 1_300;

const UNREACHABLE: SendTarget = { protocol: 'UDP', address: '', port: 0 };

export interface TransportLayerOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly counters?: SipCounters;
  readonly onTrace?: TraceHook;
  /** The host that peers reach us by, where it is not the address of the socket. */
  readonly advertisedHost?: string;
  readonly tcpLimits?: Partial<TcpLimits>;
  /** RFC 3263 5: where a sent-by is, for a response that cannot go back as it came. Never rejects. */
  readonly locateSentBy?: (sentBy: HostPort, protocol: TransportProtocol) => Promise<SendTarget[]>;
  /** Without it there is no TLS. */
  readonly tls?: TlsSettings;
}

/** RFC 3261 18: all sockets of the server behind one interface. */
export class TransportLayer implements MessageSender, TransportEvents {
  user: TransportUser | undefined = undefined;
  readonly #options: TransportLayerOptions;
  readonly #transports: Transport[] = [];
  readonly #closing: CloseStack;
  readonly #datagramPeers: DatagramPeers;
  #closed = false;

  constructor(options: TransportLayerOptions) {
    this.#options = options;
    this.#datagramPeers = new DatagramPeers(options.clock);
    this.#closing = new CloseStack((name, error) => {
      options.logger.warn({ err: toError(error), transport: name }, 'SIP transport did not close');
    });
  }

  get transports(): readonly Transport[] {
    return this.#transports;
  }

  async listen(protocol: 'UDP' | 'TCP' | 'TLS', at: Endpoint): Promise<Transport> {
    const transport = await this.#open(protocol, at);
    this.addTransport(transport);

    return transport;
  }

  #open(protocol: 'UDP' | 'TCP' | 'TLS', at: Endpoint): Promise<Transport> {
    const { clock, tcpLimits, tls } = this.#options;
    if (protocol === 'UDP') return UdpTransport.listen(at, this);
    if (protocol === 'TCP') return TcpTransport.listen(at, this, clock, tcpLimits, TCP);
    if (tls === undefined) throw new TypeError('TLS needs a certificate');

    return TcpTransport.listen(at, this, clock, tcpLimits, tlsKind(tls));
  }

  /** For transports that others make (WebSocket comes with the HTTP server). */
  addTransport(transport: Transport): void {
    this.#transports.push(transport);
    this.#closing.add(`${transport.protocol} ${String(transport.local.port)}`, transport);
  }

  /** Our own host and port as the peer at `target` reaches them, for Via and Contact. */
  localAddressFor(target: SendTarget): Endpoint | undefined {
    const transport = this.#transportTo(target);
    if (transport === undefined) return undefined;
    const { address, port } = transport.local;
    const { advertisedHost } = this.#options;
    // A peer that speaks IPv6 alone has no use for our IPv4 address.
    const isFit = advertisedHost !== undefined && sameFamily(advertisedHost, target.address);

    return { address: isFit ? advertisedHost : addressTowards(address, target.address), port };
  }

  prepareRequest(
    request: SipRequest,
    target: SendTarget | undefined,
    branch: string,
  ): OutgoingRequest {
    const wanted = target ?? requestTarget(request);
    // Nowhere to go: told as a transport error, as 18.4 has it for hosts that do not answer.
    if (wanted === undefined) return new Outgoing(this, request, UNREACHABLE, branch);
    const outgoing = new Outgoing(this, request, wanted, branch);
    // A target given by its connection, or chosen by the URI, is not changed; size is the exception.
    if (wanted.protocol !== 'UDP' || outgoing.size <= MAX_DATAGRAM_REQUEST) return outgoing;
    if (this.#datagramPeers.has(wanted)) return outgoing;
    const overTcp: SendTarget = { ...wanted, protocol: 'TCP' };
    if (this.#transportTo(overTcp) === undefined) return outgoing;

    return new Outgoing(this, request, overTcp, branch, wanted);
  }

  /** Sends bytes of a request; not for use above this folder. */
  transmit(bytes: Uint8Array, method: string, target: SendTarget, onError: SendErrorHandler): void {
    this.#options.counters?.requestOut(method);
    this.#send(bytes, this.#transportTo(target), target, onError);
  }

  /** For outgoing requests; not for use above this folder. */
  onFallBack(target: SendTarget): void {
    this.#datagramPeers.add(target);
  }

  prepareResponse(response: SipResponse, flow: RemoteFlow): OutgoingResponse {
    const bytes = serializeMessage(response);
    const { host, port } = response.via;
    const target = responseTarget(response.via, flow);

    return new PreparedResponse(this, response.status, bytes, target, flow, { host, port });
  }

  sendResponse(response: SipResponse, flow: RemoteFlow, onError: SendErrorHandler): void {
    this.prepareResponse(response, flow).send(onError);
  }

  /** Sends what was prepared; not for use above this folder. */
  transmitResponse(outgoing: PreparedResponse, onError: SendErrorHandler): void {
    const { status, bytes, target, flow } = outgoing;
    this.#options.counters?.responseOut(status);
    const transport = this.#transportOf(flow) ?? this.#transportTo(target);
    const onUnreachable = (error: Error): void => {
      this.#sendToSentBy(outgoing, error, onError);
    };
    if (flow.connectionId === undefined) {
      this.#send(bytes, transport, target, onUnreachable);

      return;
    }
    const back: SendTarget = { ...target, ...flow.remote, connectionId: flow.connectionId };
    this.#send(bytes, transport, back, () => {
      // 18.2.2: "If that connection is no longer open, the server SHOULD open a connection to the IP
      // address in the received parameter".
      this.#send(bytes, transport, target, onUnreachable);
    });
  }

  /**
   * 18.2.2: "if that connection attempt fails, the server SHOULD use the procedures in [RFC 3263 5] for
   * servers in order to determine the IP address and port to open the connection and send the response to."
   */
  #sendToSentBy(outgoing: PreparedResponse, cause: Error, onError: SendErrorHandler): void {
    const { bytes, target, flow, sentBy } = outgoing;
    const located = this.#options.locateSentBy?.(sentBy, flow.protocol) ?? Promise.resolve([]);
    void located.then((places) => {
      const left = places.filter((place) => !sameEndpoint(place, target));
      const tryNext = (error: Error): void => {
        const next = this.#closed ? undefined : left.shift();
        if (next === undefined) onError(error);
        else this.#send(bytes, this.#transportTo(next), next, tryNext);
      };
      tryNext(cause);
    });
  }

  onBytes(bytes: Uint8Array, flow: RemoteFlow): void {
    if (this.#closed || isKeepAlive(bytes)) return;
    this.#options.onTrace?.('in', flow.protocol, flow.remote, bytes);
    const message = parseMessage(bytes, {
      stream: flow.protocol === 'TCP' || flow.protocol === 'TLS',
    });
    try {
      if (message.kind === 'parse-error') this.#onMalformed(message, flow);
      else if (message.kind === 'request') this.#onRequest(message, flow);
      else this.#onResponse(message, flow);
    } catch (error) {
      // One message may not end the process; the fault is ours and is told once, here.
      this.#options.logger.error(
        { err: toError(error), remote: flow.remote },
        'SIP message failed',
      );
    }
  }

  onFramingFault(reason: string, bytes: Uint8Array | undefined, flow: RemoteFlow): void {
    if (this.#closed) return;
    if (bytes !== undefined) this.#options.onTrace?.('in', flow.protocol, flow.remote, bytes);
    const parsed = bytes === undefined ? undefined : parseMessage(bytes, { stream: true });
    if (parsed?.kind === 'parse-error') this.#onMalformed(parsed, flow);
    else this.#options.counters?.malformed(flow.protocol);
    this.#options.logger.debug({ reason, remote: flow.remote }, 'SIP stream cannot be read');
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#closing.closeAll();
  }

  #onRequest(request: SipRequest, flow: RemoteFlow): void {
    this.#options.counters?.requestIn(request.method);
    markReceived(request, flow.remote);
    this.user?.onRequest(request, flow);
  }

  #onResponse(response: SipResponse, flow: RemoteFlow): void {
    this.#options.counters?.responseIn(response.status);
    // 18.1.2: a response whose topmost sent-by is not ours is discarded; here the branch, which is
    // random and ours, decides that in the transaction layer. More than one Via means a stray one.
    if (response.vias.length > 1) return;
    this.user?.onResponse(response, flow);
  }

  #onMalformed(error: ParseError, flow: RemoteFlow): void {
    const { counters, logger } = this.#options;
    counters?.malformed(flow.protocol);
    if (logger.isLevelEnabled('debug')) {
      logger.debug({ reason: error.reason, remote: flow.remote }, 'malformed SIP message');
    }
    if (error.request === undefined) return;
    markReceived(error.request, flow.remote);
    const reason = error.status === 400 ? `Bad Request: ${error.reason}` : error.reason;
    this.sendResponse(buildResponse(error.request, error.status, { reason }), flow, (failure) => {
      logger.debug({ err: failure }, 'a 400 could not be sent');
    });
  }

  #send(
    bytes: Uint8Array,
    transport: Transport | undefined,
    target: SendTarget,
    onError: SendErrorHandler,
  ): void {
    this.#options.onTrace?.('out', target.protocol, target, bytes);
    if (transport !== undefined) transport.send(bytes, target, onError);
    else {
      queueMicrotask(() => {
        onError(new Error(`no ${target.protocol} transport to ${target.address}`));
      });
    }
  }

  #transportOf({ protocol, local }: RemoteFlow): Transport | undefined {
    return this.#transports.find(
      (transport) => transport.protocol === protocol && sameEndpoint(transport.local, local),
    );
  }

  #transportTo(target: SendTarget): Transport | undefined {
    let found: Transport | undefined;
    for (const transport of this.#transports) {
      const { protocol, local } = transport;
      if (protocol !== target.protocol) continue;
      if (target.local !== undefined && sameEndpoint(local, target.local)) return transport;
      if (!canReach(local.address, target.address)) continue;
      if (found === undefined || !reachesWell(found.local.address, target.address)) {
        found = transport;
      }
    }

    return found;
  }
}

/** CRLFs (RFC 5626 3.5.1 and older habits) and single zero octets keep NAT bindings open. */
function isKeepAlive(bytes: Uint8Array): boolean {
  if (bytes.length > 4) return false;
  for (const byte of bytes) if (byte !== 0x0d && byte !== 0x0a && byte !== 0) return false;

  return true;
}
