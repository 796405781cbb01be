import { isIP } from 'node:net';
import { makeSipUri, type HostPort, type SipUri } from '../message/index.ts';
import { defaultPort, type SendTarget, type TransportProtocol } from '../transport/index.ts';
import type { NameResolver, SrvRecord } from './name-resolver.ts';
import { orderNaptr, orderSrv } from './record-order.ts';

/** Each may take 64*T1 to fail. */
const MAX_TARGETS = 8;

export interface LocatorOptions {
  readonly resolver: NameResolver;
  /** What we can send over. */
  readonly protocols: ReadonlySet<TransportProtocol>;
  /** 0 ≤ value < 1. */
  readonly random?: () => number;
}

/** RFC 3263: the places where a URI is served, in the order in which they are to be tried. */
export class Locator {
  readonly #options: LocatorOptions;

  constructor(options: LocatorOptions) {
    this.#options = options;
  }

  /** Never rejects; none when the name leads nowhere. */
  async locate(uri: SipUri): Promise<SendTarget[]> {
    try {
      const targets = await this.#locate(uri);

      return targets.slice(0, MAX_TARGETS);
    } catch {
      return [];
    }
  }

  /** RFC 3263 5: where who wrote this sent-by into a Via is reached. Never rejects. */
  locateSentBy({ host, port }: HostPort, protocol: TransportProtocol): Promise<SendTarget[]> {
    const isSecure = protocol === 'TLS';
    const transport = isSecure ? 'tcp' : protocol.toLowerCase();
    const scheme = isSecure ? 'sips' : 'sip';

    return this.locate(makeSipUri({ scheme, host, port, params: { transport } }));
  }

  async #locate(uri: SipUri): Promise<SendTarget[]> {
    const host = uri.params.get('maddr')?.replace(/^\[(.*)\]$/, '$1') ?? uri.host;
    const secure = uri.scheme === 'sips';
    const named = namedProtocol(uri);
    if (named === 'unknown') return [];
    const certain =
      named ?? (isIP(host) !== 0 || uri.port !== undefined ? simple(secure) : undefined);
    if (certain !== undefined && !this.#options.protocols.has(certain)) return [];
    if (certain !== undefined && (isIP(host) !== 0 || uri.port !== undefined)) {
      return this.#atPort(host, uri.port ?? defaultPort(certain), certain, uri.host);
    }
    const choices =
      certain === undefined
        ? await this.#choices(host, secure)
        : [{ protocol: certain, srvName: srvName(host, certain) }];
    const services = await Promise.all(
      choices.map(async ({ protocol, srvName: name }) => ({
        protocol,
        found: await this.#srv(name),
      })),
    );
    for (const { protocol, found } of services) {
      const targets = await this.#bySrv(found, protocol, uri.host);
      if (targets.length > 0) return targets;
    }
    if (services.some(({ found }) => isDenied(found))) return [];
    // "If no SRV records were found, the client performs an A or AAAA record lookup" (4.2).
    const protocol = certain ?? simple(secure);
    if (!this.#options.protocols.has(protocol)) return [];

    return this.#atPort(host, defaultPort(protocol), protocol, uri.host);
  }

  /** 4.1: NAPTR, and in its absence SRV of each transport that we have. */
  async #choices(
    host: string,
    secure: boolean,
  ): Promise<{ protocol: TransportProtocol; srvName: string }[]> {
    const { resolver, protocols } = this.#options;
    const records = await noneIfUnanswered(resolver.naptr(host));
    const found = orderNaptr(records, protocols, secure);
    if (found.length > 0) return found;
    const possible = secure ? (['TLS'] as const) : (['UDP', 'TCP', 'TLS'] as const);

    return possible
      .filter((protocol) => protocols.has(protocol))
      .map((protocol) => ({ protocol, srvName: srvName(host, protocol) }));
  }

  #srv(name: string): Promise<readonly SrvRecord[]> {
    return noneIfUnanswered(this.#options.resolver.srv(name));
  }

  async #bySrv(
    records: readonly SrvRecord[],
    protocol: TransportProtocol,
    domain: string,
  ): Promise<SendTarget[]> {
    const { random = Math.random } = this.#options;
    const targets: SendTarget[] = [];
    for (const { name: host, port } of orderSrv(records, random).slice(0, MAX_TARGETS)) {
      targets.push(...(await this.#atPort(host, port, protocol, domain)));
    }

    return targets;
  }

  async #atPort(
    host: string,
    port: number,
    protocol: TransportProtocol,
    domain: string,
  ): Promise<SendTarget[]> {
    const addresses = isIP(host) === 0 ? await this.#options.resolver.addresses(host) : [host];
    // RFC 5922 4: the identity asked for is that of the URI, wherever DNS has led us.
    const identity = protocol === 'TLS' ? { domain } : {};

    return addresses.map((address) => ({ protocol, address, port, ...identity }));
  }
}

/**
 * Many a resolver fails for what it does not know (containers', routers'), and names of the hosts file need
 * none at all: the addresses may still be found.
 */
async function noneIfUnanswered<T>(answer: Promise<readonly T[]>): Promise<readonly T[]> {
  try {
    return await answer;
  } catch {
    return [];
  }
}

/** RFC 2782: a target of "." means that "the service is decidedly not available at this domain". */
function isDenied(records: readonly SrvRecord[]): boolean {
  return records.length > 0 && records.every(({ name }) => name === '' || name === '.');
}

/** RFC 3263 says TCP for a SIPS URI, by which it means TLS over TCP. */
function simple(secure: boolean): TransportProtocol {
  return secure ? 'TLS' : 'UDP';
}

function srvName(host: string, protocol: TransportProtocol): string {
  if (protocol === 'TLS') return `_sips._tcp.${host}`;

  return `_sip.${protocol === 'UDP' ? '_udp' : '_tcp'}.${host}`;
}

/** What the transport parameter says. WebSocket clients cannot be called by a name. */
function namedProtocol({ scheme, params }: SipUri): TransportProtocol | 'unknown' | undefined {
  const secure = scheme === 'sips';
  switch (params.get('transport')?.toLowerCase()) {
    case undefined:
      return undefined;
    case 'udp':
      return secure ? 'unknown' : 'UDP';
    case 'tcp':
      return secure ? 'TLS' : 'TCP';
    case 'tls':
      return 'TLS';
    default:
      return 'unknown';
  }
}
