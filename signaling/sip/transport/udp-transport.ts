import { createSocket, type RemoteInfo, type Socket, type SocketOptions } from 'node:dgram';
import { lookup } from 'node:dns';
import { isIP, isIPv4, isIPv6 } from 'node:net';
import { toError } from '../../../base/index.ts';
import { normaliseAddress } from './address.ts';
import type {
  Endpoint,
  RemoteFlow,
  SendErrorHandler,
  SendTarget,
  Transport,
  TransportEvents,
} from './transport.ts';

/** The kernel's queue must hold a burst of calls while one event loop turn is busy. */
const SOCKET_BUFFER_BYTES = 4 * 1024 * 1024;

/** SIP over one UDP socket: what comes in on it is answered from it (RFC 3581 4). */
export class UdpTransport implements Transport {
  readonly protocol = 'UDP';
  readonly reliable = false;
  readonly local: Endpoint;
  readonly #socket: Socket;
  readonly #events: TransportEvents;
  #closed = false;

  private constructor(socket: Socket, events: TransportEvents) {
    const { address, port } = socket.address();
    this.#socket = socket;
    this.#events = events;
    this.local = { address: normaliseAddress(address), port };
    socket.on('message', this.#onMessage);
    // ICMP errors of earlier datagrams arrive here; each send has told its own error already.
    socket.on('error', () => undefined);
  }

  static async listen(at: Endpoint, events: TransportEvents): Promise<UdpTransport> {
    const isV6 = isIPv6(at.address);
    const socket = createSocket({ type: isV6 ? 'udp6' : 'udp4', lookup: numericFirst });
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(at.port, at.address, () => {
        socket.off('error', reject);
        resolve();
      });
    });
    enlargeBuffers(socket);

    return new UdpTransport(socket, events);
  }

  send(bytes: Uint8Array, target: SendTarget, onError: SendErrorHandler): void {
    if (this.#closed) {
      queueMicrotask(() => {
        onError(new Error('the transport is closed'));
      });

      return;
    }
    try {
      this.#socket.send(bytes, target.port, this.#addressFor(target.address), (error) => {
        if (error !== null) onError(error);
      });
    } catch (error) {
      // A port of 0, for example, is thrown back at once.
      queueMicrotask(() => {
        onError(toError(error));
      });
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await new Promise<void>((resolve) => {
      this.#socket.close(resolve);
    });
  }

  /** A dual-stack socket takes IPv4 peers in their mapped form only. */
  #addressFor(address: string): string {
    return isIPv6(this.local.address) && isIPv4(address) ? `::ffff:${address}` : address;
  }

  readonly #onMessage = (bytes: Buffer, from: RemoteInfo): void => {
    const flow: RemoteFlow = {
      protocol: 'UDP',
      remote: { address: normaliseAddress(from.address), port: from.port },
      local: this.local,
      connectionId: undefined,
    };
    this.#events.onBytes(bytes, flow);
  };
}

/** Targets are addresses, but for what a Via may claim: those need no resolver and no wait for it. */
const numericFirst: NonNullable<SocketOptions['lookup']> = (host, options, callback) => {
  const family = isIP(host);
  if (family === 0) lookup(host, options, callback);
  else callback(null, host, family);
};

function enlargeBuffers(socket: Socket): void {
  try {
    socket.setRecvBufferSize(SOCKET_BUFFER_BYTES);
    socket.setSendBufferSize(SOCKET_BUFFER_BYTES);
  } catch {
    // The system's limit stands then; everything works with less room for bursts.
  }
}
