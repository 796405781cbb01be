import { lookup, Resolver } from 'node:dns/promises';

export interface NaptrRecord {
  readonly order: number;
  readonly preference: number;
  readonly flags: string;
  readonly service: string;
  readonly regexp: string;
  readonly replacement: string;
}

export interface SrvRecord {
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  readonly name: string;
}

/** What locating asks of DNS. A name without such records gives none; a server that fails, an error. */
export interface NameResolver {
  naptr(name: string): Promise<readonly NaptrRecord[]>;
  srv(name: string): Promise<readonly SrvRecord[]>;
  /** IPv4 first, as most of our peers are. */
  addresses(name: string): Promise<readonly string[]>;
}

const TIMEOUT_MS = 2_000;
const TRIES = 2;
const NO_RECORDS: ReadonlySet<unknown> = new Set(['ENOTFOUND', 'ENODATA', 'EBADNAME', 'EBADRESP']);

/** DNS as Node has it. */
export class DnsResolver implements NameResolver {
  readonly #resolver = new Resolver({ timeout: TIMEOUT_MS, tries: TRIES });
  readonly #usesSystem: boolean;

  /** `servers`: "address:port"; without them those of the system, and its table of hosts. */
  constructor(servers?: readonly string[]) {
    this.#usesSystem = servers === undefined;
    if (servers !== undefined) this.#resolver.setServers(servers);
  }

  async naptr(name: string): Promise<readonly NaptrRecord[]> {
    return noneIfAbsent(this.#resolver.resolveNaptr(name));
  }

  async srv(name: string): Promise<readonly SrvRecord[]> {
    return noneIfAbsent(this.#resolver.resolveSrv(name));
  }

  async addresses(name: string): Promise<readonly string[]> {
    if (this.#usesSystem) {
      const found = await noneIfAbsent(lookup(name, { all: true, order: 'ipv4first' }));

      return found.map(({ address }) => address);
    }
    const [v4, v6] = await Promise.allSettled([
      noneIfAbsent(this.#resolver.resolve4(name)),
      noneIfAbsent(this.#resolver.resolve6(name)),
    ]);
    const found = [v4, v6].flatMap((each) => (each.status === 'fulfilled' ? each.value : []));
    // Servers that fail for the one kind alone are common (RFC 4074).
    if (found.length === 0 && v4.status === 'rejected') throw v4.reason;

    return found;
  }
}

async function noneIfAbsent<T>(answer: Promise<T[]>): Promise<T[]> {
  try {
    return await answer;
  } catch (error) {
    const hasCode = typeof error === 'object' && error !== null && 'code' in error;
    if (hasCode && NO_RECORDS.has(error.code)) return [];
    throw error;
  }
}
