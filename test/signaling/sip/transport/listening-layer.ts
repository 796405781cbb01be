import { silentLogger } from '../../../../base/index.ts';
import type { SipRequest, SipResponse } from '../../../../signaling/sip/message/index.ts';
import {
  TransportLayer,
  type RemoteFlow,
  type SendTarget,
} from '../../../../signaling/sip/transport/index.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { tcpPeer, udpPeer, type RawPeer } from './raw-peer.ts';

export interface ArrivedRequest {
  message: SipRequest;
  flow: RemoteFlow;
}

/** A transport layer on loopback that listens on UDP and TCP, and what comes through it. */
export class ListeningLayer {
  readonly clock = new FakeClock();
  readonly counted: string[] = [];
  readonly traced: string[] = [];
  readonly responses: SipResponse[] = [];
  /** What DNS says of sent-by hosts. */
  readonly places = new Map<string, SendTarget[]>();
  readonly layer: TransportLayer;
  udpPort = 0;
  tcpPort = 0;
  readonly #peers: RawPeer[] = [];
  readonly #requests: ArrivedRequest[] = [];
  readonly #waiters: ((arrived: ArrivedRequest) => void)[] = [];

  static async open(): Promise<ListeningLayer> {
    const listening = new ListeningLayer();
    const at = { address: '127.0.0.1', port: 0 };
    listening.udpPort = (await listening.layer.listen('UDP', at)).local.port;
    listening.tcpPort = (await listening.layer.listen('TCP', at)).local.port;

    return listening;
  }

  private constructor() {
    const { counted, traced } = this;
    this.layer = new TransportLayer({
      clock: this.clock,
      logger: silentLogger,
      counters: {
        requestIn: (method) => counted.push(`in ${method}`),
        requestOut: (method) => counted.push(`out ${method}`),
        responseIn: (code) => counted.push(`in ${String(code)}`),
        responseOut: (code) => counted.push(`out ${String(code)}`),
        malformed: (transport) => counted.push(`malformed ${transport}`),
      },
      onTrace: (direction, protocol, remote, bytes) => {
        traced.push(`${direction} ${protocol} ${String(remote.port)} ${String(bytes.length)}`);
      },
      tcpLimits: { maxConnections: 3 },
      locateSentBy: ({ host }) => Promise.resolve(this.places.get(host) ?? []),
    });
    this.layer.user = {
      onRequest: (message, flow) => {
        const waiter = this.#waiters.shift();
        if (waiter === undefined) this.#requests.push({ message, flow });
        else waiter({ message, flow });
      },
      onResponse: (message) => this.responses.push(message),
    };
  }

  udp(port = this.udpPort, address?: string): Promise<RawPeer> {
    return this.#keep(udpPeer(port, address));
  }

  tcp(): ReturnType<typeof tcpPeer> {
    return this.#keep(tcpPeer(this.tcpPort));
  }

  nextRequest(): Promise<ArrivedRequest> {
    const arrived = this.#requests.shift();
    if (arrived !== undefined) return Promise.resolve(arrived);

    return new Promise((resolve) => {
      this.#waiters.push(resolve);
    });
  }

  async close(): Promise<void> {
    for (const peer of this.#peers) peer.close();
    await this.layer.close();
  }

  async #keep<T extends RawPeer>(opening: Promise<T>): Promise<T> {
    const peer = await opening;
    this.#peers.push(peer);

    return peer;
  }
}

export function failOnError(error: Error): void {
  throw error;
}
