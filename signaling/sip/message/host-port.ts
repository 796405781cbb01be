import { isDigit, parseDigits } from './lexer.ts';

/** A host name or address (IPv6 without brackets, all in lower case) and the port, if one was given. */
export interface HostPort {
  readonly host: string;
  readonly port: number | undefined;
}

/** `host`, `host:port`, `[v6]`, `[v6]:port`; undefined when malformed. */
export function parseHostPort(text: string): HostPort | undefined {
  if (text.charCodeAt(0) === 0x5b) return parseBracketed(text);
  const colon = text.indexOf(':');
  const host = colon < 0 ? text : text.slice(0, colon).trimEnd();
  if (!isHostName(host)) return undefined;
  if (colon < 0) return { host: host.toLowerCase(), port: undefined };
  const port = parsePort(text.slice(colon + 1).trimStart());

  return port === undefined ? undefined : { host: host.toLowerCase(), port };
}

function parseBracketed(text: string): HostPort | undefined {
  const close = text.indexOf(']');
  if (close < 0) return undefined;
  const host = text.slice(1, close);
  if (!isIpv6Text(host)) return undefined;
  const rest = text.slice(close + 1).trim();
  if (rest === '') return { host: normaliseIpv6(host), port: undefined };
  if (rest.charCodeAt(0) !== 0x3a) return undefined;
  const port = parsePort(rest.slice(1).trimStart());

  return port === undefined ? undefined : { host: normaliseIpv6(host), port };
}

function parsePort(text: string): number | undefined {
  return parseDigits(text, 65_535);
}

/**
 * RFC 5118 4.10: the grammar of RFC 3261 could yield three colons before an IPv4 tail; what was meant
 * is two.
 */
function normaliseIpv6(host: string): string {
  return host.toLowerCase().replace(':::', '::');
}

/** The characters of an IPv6 address; what it means is found out when something is sent to it. */
function isIpv6Text(text: string): boolean {
  let colons = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x3a) colons++;
    else if (!isHex(code) && code !== 0x2e) return false;
  }

  return colons >= 2 && text.length <= 45;
}

function isHex(code: number): boolean {
  return isDigit(code) || (code >= 0x41 && code <= 0x46) || (code >= 0x61 && code <= 0x66);
}

/** Letters, digits, "-", "." and, since real networks have it, "_". */
function isHostName(text: string): boolean {
  if (text === '' || text.length > 255) return false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const letter = (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a);
    if (!letter && !isDigit(code) && code !== 0x2d && code !== 0x2e && code !== 0x5f) return false;
  }

  return true;
}

/** An IPv6 address in brackets, everything else as it is. */
export function formatHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

export function formatHostPort(host: string, port: number | undefined): string {
  return port === undefined ? formatHost(host) : `${formatHost(host)}:${String(port)}`;
}
