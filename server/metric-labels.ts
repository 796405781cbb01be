/** Values of labels: what comes from the network must not make a label grow without end. */

/** The registered methods (RFC 3261 and extensions); any other text from the network is "OTHER". */
const SIP_METHODS = new Set([
  'ACK',
  'BYE',
  'CANCEL',
  'INFO',
  'INVITE',
  'MESSAGE',
  'NOTIFY',
  'OPTIONS',
  'PRACK',
  'PUBLISH',
  'REFER',
  'REGISTER',
  'SUBSCRIBE',
  'UPDATE',
]);
const TRANSPORTS = new Set(['udp', 'tcp', 'tls', 'ws', 'wss']);

export function methodLabel(method: string): string {
  return SIP_METHODS.has(method) ? method : 'OTHER';
}

export function transportLabel(transport: string): string {
  const name = transport.toLowerCase();

  return TRANSPORTS.has(name) ? name : 'other';
}

/** The first values as they are, later new ones as "other": a label must not grow without end. */
export function boundedLabel(limit = 32): (value: string) => string {
  const seen = new Set<string>();

  return (value) => {
    if (!seen.has(value) && seen.size >= limit) return 'other';
    seen.add(value);

    return value;
  };
}
