import { formatHostPort, parseHostPort, type HostPort } from './host-port.ts';
import { NO_PARAMS, type Params } from './params.ts';

/** A SIP or SIPS URI (RFC 3261 19.1). `user`, parameters and password are unescaped. */
export interface SipUri {
  readonly scheme: 'sip' | 'sips';
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** Lower case; an IPv6 address has no brackets here. */
  readonly host: string;
  readonly port: number | undefined;
  readonly params: Params;
  /** What follows "?", as written; never applied to a message by itself. */
  readonly headers: string | undefined;
  /** The URI as it was received or as it is sent. */
  readonly text: string;
}

/** RFC 3966. */
export interface TelUri {
  readonly scheme: 'tel';
  /** As written: visual separators kept. */
  readonly number: string;
  readonly params: Params;
  readonly text: string;
}

/** Any other scheme: understood only as far as its name. */
export interface OtherUri {
  readonly scheme: 'other';
  readonly schemeName: string;
  readonly text: string;
}

export type Uri = SipUri | TelUri | OtherUri;

export function isSipUri(uri: Uri): uri is SipUri {
  return uri.scheme === 'sip' || uri.scheme === 'sips';
}

/** The URI, or undefined when it is malformed. Nothing but the URI may be in `text`. */
export function parseUri(text: string): Uri | undefined {
  const colon = text.indexOf(':');
  if (colon <= 0) return undefined;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code <= 0x20 || code === 0x7f || code === 0x22 || code === 0x3c || code === 0x3e) {
      return undefined;
    }
  }
  const scheme = text.slice(0, colon).toLowerCase();
  if (scheme === 'sip' || scheme === 'sips') return parseSipUri(scheme, text, colon + 1);
  if (scheme === 'tel') return parseTelUri(text, colon + 1);
  if (!/^[a-z][a-z0-9+.-]*$/.test(scheme) || colon + 1 === text.length) return undefined;

  return { scheme: 'other', schemeName: scheme, text };
}

function parseSipUri(scheme: 'sip' | 'sips', text: string, start: number): SipUri | undefined {
  // "@" is legal nowhere after the host, while ";" and "?" are legal in a user part.
  const at = text.lastIndexOf('@');
  let user: string | undefined;
  let password: string | undefined;
  if (at >= start) {
    const userInfo = text.slice(start, at);
    if (userInfo === '' || userInfo.includes('@')) return undefined;
    const colon = userInfo.indexOf(':');
    user = percentDecode(colon < 0 ? userInfo : userInfo.slice(0, colon));
    if (colon >= 0) password = percentDecode(userInfo.slice(colon + 1));
    if (user === '') return undefined;
  }
  const hostStart = Math.max(start, at + 1);
  const question = text.indexOf('?', hostStart);
  const end = question < 0 ? text.length : question;
  const semicolon = text.indexOf(';', hostStart);
  const hostEnd = semicolon < 0 || semicolon > end ? end : semicolon;
  const hostPort = parseHostPort(text.slice(hostStart, hostEnd));
  if (hostPort === undefined) return undefined;
  const params = hostEnd === end ? NO_PARAMS : parseUriParams(text.slice(hostEnd + 1, end));
  const headers = question < 0 ? undefined : text.slice(question + 1);

  return { scheme, user, password, ...hostPort, params, headers, text };
}

function parseTelUri(text: string, start: number): TelUri | undefined {
  const semicolon = text.indexOf(';', start);
  const number = semicolon < 0 ? text.slice(start) : text.slice(start, semicolon);
  if (!/^\+?[0-9a-fA-F*#().-]+$/.test(number)) return undefined;
  const params = semicolon < 0 ? NO_PARAMS : parseUriParams(text.slice(semicolon + 1));

  return { scheme: 'tel', number, params, text };
}

/**
 * Real phones write the same parameter twice or leave one empty ("sip:a@b;;lr"): the first one of a
 * name counts, an empty one is passed over.
 */
function parseUriParams(text: string): Params {
  const params = new Map<string, string | undefined>();
  for (const part of text.split(';')) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    const name = percentDecode(equals < 0 ? part : part.slice(0, equals)).toLowerCase();
    if (!params.has(name)) {
      params.set(name, equals < 0 ? undefined : percentDecode(part.slice(equals + 1)));
    }
  }

  return params;
}

export interface SipUriParts extends Partial<HostPort> {
  readonly scheme?: 'sip' | 'sips';
  readonly user?: string | undefined;
  readonly host: string;
  readonly port?: number | undefined;
  readonly params?: Params | Record<string, string | undefined>;
}

/** A SIP URI of our own making. */
export function makeSipUri(parts: SipUriParts): SipUri {
  const scheme = parts.scheme ?? 'sip';
  const params: Params = isParams(parts.params)
    ? parts.params
    : new Map(Object.entries(parts.params ?? {}));
  const host = parts.host.toLowerCase();
  let text = `${scheme}:`;
  if (parts.user !== undefined) text += `${escapeUser(parts.user)}@`;
  text += formatHostPort(host, parts.port);
  for (const [name, value] of params) {
    text += `;${escapeParam(name)}`;
    if (value !== undefined) text += `=${escapeParam(value)}`;
  }

  return {
    scheme,
    user: parts.user,
    password: undefined,
    host,
    port: parts.port,
    params,
    headers: undefined,
    text,
  };
}

function isParams(
  params: Params | Record<string, string | undefined> | undefined,
): params is Params {
  return params instanceof Map;
}

/** `user = *( unreserved / escaped / user-unreserved )`, RFC 3261 25.1. */
function escapeUser(user: string): string {
  return percentEncode(user, /[A-Za-z0-9\-_.!~*'()&=+$,;?/]/);
}

/** `paramchar = param-unreserved / unreserved / escaped`. */
function escapeParam(value: string): string {
  return percentEncode(value, /[A-Za-z0-9\-_.!~*'()[\]/:&+$]/);
}

function percentEncode(text: string, allowed: RegExp): string {
  let encoded = '';
  for (const char of text) {
    if (allowed.test(char)) encoded += char;
    else for (const byte of Buffer.from(char, 'utf8')) encoded += percent(byte);
  }

  return encoded;
}

function percent(byte: number): string {
  return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}

/** Escapes resolved once; what is no escape, or no UTF-8, stays as written. */
export function percentDecode(text: string): string {
  if (!text.includes('%')) return text;

  return text.replace(/(?:%[0-9A-Fa-f]{2})+/g, (escapes) => {
    try {
      return decodeURIComponent(escapes);
    } catch {
      return escapes;
    }
  });
}

/** Parameters that make a difference even if only one of the two URIs has them (19.1.4). */
const ALWAYS_COMPARED = ['user', 'ttl', 'method', 'maddr', 'transport'] as const;

/** RFC 3261 19.1.4 for SIP URIs; RFC 3966 5 for tel; text for the rest. */
export function uriEquals(a: Uri, b: Uri): boolean {
  if (isSipUri(a) && isSipUri(b)) return sipUriEquals(a, b);
  if (a.scheme === 'tel' && b.scheme === 'tel') {
    return telDigits(a.number) === telDigits(b.number) && sameParams(a.params, b.params, true);
  }

  return a.scheme === b.scheme && a.text === b.text;
}

function sipUriEquals(a: SipUri, b: SipUri): boolean {
  if (a.scheme !== b.scheme || a.user !== b.user || a.password !== b.password) return false;
  // "A URI omitting any component with a default value will not match a URI explicitly containing
  // that component with its default value": so no default port here.
  if (a.host !== b.host || a.port !== b.port) return false;
  for (const name of ALWAYS_COMPARED) {
    if (a.params.has(name) !== b.params.has(name)) return false;
  }

  return sameParams(a.params, b.params, false) && sameHeaders(a.headers, b.headers);
}

function sameParams(a: Params, b: Params, all: boolean): boolean {
  if (all && a.size !== b.size) return false;
  for (const [name, value] of a) {
    if (!b.has(name)) {
      if (all) return false;
      continue;
    }
    if ((value ?? '').toLowerCase() !== (b.get(name) ?? '').toLowerCase()) return false;
  }

  return true;
}

function sameHeaders(a: string | undefined, b: string | undefined): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined) return false;
  const normalise = (text: string): string =>
    text
      .split('&')
      .map((part) => {
        const equals = part.indexOf('=');
        const name = equals < 0 ? part : part.slice(0, equals);

        return `${percentDecode(name).toLowerCase()}=${percentDecode(equals < 0 ? '' : part.slice(equals + 1))}`;
      })
      .sort()
      .join('&');

  return normalise(a) === normalise(b);
}

function telDigits(number: string): string {
  return number.replace(/[().-]/g, '').toLowerCase();
}
