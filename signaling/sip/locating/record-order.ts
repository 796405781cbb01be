/** The order in which DNS wants its records tried (RFC 2782, RFC 3263 4.1); pure but for `random`. */
import type { TransportProtocol } from '../transport/index.ts';
import type { NaptrRecord, SrvRecord } from './name-resolver.ts';

/** RFC 2782: by priority, and within one by chance in proportion to the weights. */
export function orderSrv(records: readonly SrvRecord[], random: () => number): SrvRecord[] {
  // "A Target of "." means that the service is decidedly not available at this domain."
  const usable = records.filter(({ name }) => name !== '' && name !== '.');
  const priorities = [...new Set(usable.map(({ priority }) => priority))].sort((a, b) => a - b);

  return priorities.flatMap((priority) =>
    drawAll(
      usable.filter((record) => record.priority === priority),
      random,
    ),
  );
}

function drawAll(records: readonly SrvRecord[], random: () => number): SrvRecord[] {
  // "placing all those with weight 0 at the beginning of the list": they have a very small chance.
  const left = records.toSorted((a, b) => a.weight - b.weight);
  const drawn: SrvRecord[] = [];
  while (left.length > 0) {
    const total = left.reduce((sum, { weight }) => sum + weight, 0);
    const mark = Math.floor(random() * (total + 1));
    let sum = 0;
    const index = left.findIndex(({ weight }) => (sum += weight) >= mark);
    drawn.push(...left.splice(Math.max(0, index), 1));
  }

  return drawn;
}

export interface NaptrChoice {
  readonly protocol: TransportProtocol;
  /** The name of the SRV records. */
  readonly srvName: string;
}

const SERVICES: Readonly<Record<string, TransportProtocol>> = {
  'SIP+D2U': 'UDP',
  'SIP+D2T': 'TCP',
  'SIPS+D2T': 'TLS',
};

/** The services of a domain that we can use, the most preferred first. */
export function orderNaptr(
  records: readonly NaptrRecord[],
  supported: ReadonlySet<TransportProtocol>,
  secure: boolean,
): NaptrChoice[] {
  return records
    .filter(({ flags, regexp }) => flags.toLowerCase() === 's' && regexp === '')
    .toSorted((a, b) => a.order - b.order || a.preference - b.preference)
    .flatMap(({ service, replacement }) => {
      const protocol = SERVICES[service.toUpperCase()];
      // 4.1: "a client resolving a SIPS URI MUST discard any services that do not contain "SIPS"".
      const isFit = protocol !== undefined && supported.has(protocol);

      return isFit && (!secure || protocol === 'TLS') ? [{ protocol, srvName: replacement }] : [];
    });
}
