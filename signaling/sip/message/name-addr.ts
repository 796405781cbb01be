import { isTokenChar, quote, skipQuoted, unquote } from './lexer.ts';
import { formatHeaderParams, NO_PARAMS, parseHeaderParams, type Params } from './params.ts';
import { parseUri, type Uri } from './uri.ts';

/** The value of From, To, Contact, Route, Record-Route, Refer-To … (RFC 3261 20.10). */
export interface NameAddr {
  readonly displayName: string | undefined;
  readonly uri: Uri;
  /** Parameters of the header field, not of the URI. */
  readonly params: Params;
}

/** One value (not a list); undefined when malformed. */
export function parseNameAddr(text: string): NameAddr | undefined {
  const value = text.trim();
  let displayName: string | undefined;
  let at = 0;
  if (value.charCodeAt(0) === 0x22) {
    at = skipQuoted(value, 0);
    if (at < 0) return undefined;
    displayName = unquote(value.slice(0, at));
    while (value.charCodeAt(at) === 0x20 || value.charCodeAt(at) === 0x09) at++;
    if (value.charCodeAt(at) !== 0x3c) return undefined;
  } else {
    at = value.indexOf('<');
    if (at < 0) return parseAddrSpec(value);
    const name = value.slice(0, at).trimEnd();
    if (!isDisplayName(name)) return undefined;
    displayName = name === '' ? undefined : name;
  }
  const close = value.indexOf('>', at);
  if (close < 0) return undefined;
  const uri = parseUri(value.slice(at + 1, close));
  const params = parseHeaderParams(value, close + 1);
  if (uri === undefined || params === undefined) return undefined;

  return { displayName, uri, params };
}

/** `display-name = *(token LWS)`, read with leniency for what is written beyond ASCII. */
function isDisplayName(name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    if (!isTokenChar(code) && code !== 0x20 && code !== 0x09 && code < 128) return false;
  }

  return true;
}

/**
 * "If no < and > are present, all parameters after the URI are header parameters, not URI parameters"
 * (20.10); and a URI with a comma, question mark or semicolon must be enclosed (20).
 */
function parseAddrSpec(value: string): NameAddr | undefined {
  const semicolon = value.indexOf(';');
  const spec = semicolon < 0 ? value : value.slice(0, semicolon).trimEnd();
  if (spec.includes(',') || spec.includes('?')) return undefined;
  const uri = parseUri(spec);
  const params = semicolon < 0 ? NO_PARAMS : parseHeaderParams(value, semicolon);
  if (uri === undefined || params === undefined) return undefined;

  return { displayName: undefined, uri, params };
}

export function formatNameAddr(value: NameAddr): string {
  const name = value.displayName === undefined ? '' : `${quote(value.displayName)} `;

  return `${name}<${value.uri.text}>${formatHeaderParams(value.params)}`;
}

/** The same value with this tag, in place of any other. */
export function withTag(value: NameAddr, tag: string): NameAddr {
  return { ...value, params: new Map([...value.params, ['tag', tag]]) };
}
