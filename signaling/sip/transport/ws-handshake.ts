/** Which HTTP upgrades become SIP connections (RFC 7118 4); pure. */
import type { IncomingMessage } from 'node:http';
import { isLoopback } from './address.ts';

export const SIP_PATH = '/sip';
export const SUBPROTOCOL = 'sip';

export function isSipPath(url: string | undefined): boolean {
  const [path] = (url ?? '').split('?', 1);

  return path === SIP_PATH || path === `${SIP_PATH}/`;
}

/** The HTTP status of a refusal; undefined when the handshake may go on. */
export function refuseHandshake(
  { headers }: Pick<IncomingMessage, 'headers'>,
  allowedOrigins: readonly string[],
): number | undefined {
  const offered = (headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
  // RFC 7118 4.1: "The client MUST include the value "sip" in the Sec-WebSocket-Protocol header in its
  // handshake request."
  if (!offered.includes(SUBPROTOCOL)) return 400;

  return isAllowedOrigin(headers.origin, headers.host, allowedOrigins) ? undefined : 403;
}

/**
 * Only browsers send an Origin, and only they lend a page the address and trust of their user. Pages of
 * this host, of whatever port, and those that the operator names may connect; "*" names all.
 */
function isAllowedOrigin(
  origin: string | undefined,
  host: string | undefined,
  allowed: readonly string[],
): boolean {
  if (origin === undefined || allowed.includes('*') || allowed.includes(origin)) return true;
  if (host === undefined || !URL.canParse(origin) || !URL.canParse(`http://${host}`)) return false;
  const from = new URL(origin).hostname;
  const to = new URL(`http://${host}`).hostname;

  return from === to || (isLocal(from) && isLocal(to));
}

function isLocal(hostname: string): boolean {
  return hostname === 'localhost' || isLoopback(hostname.replace(/^\[(.*)\]$/, '$1'));
}
