import { isTokenChar } from './lexer.ts';
import { skipQuoted, unquote, quote } from './lexer.ts';

/**
 * Parameters of a URI or a header field: names in lower case, in the order received, `undefined` for
 * a name without a value. Values are kept as written but for quotes, which are taken off.
 */
export type Params = ReadonlyMap<string, string | undefined>;

export const NO_PARAMS: Params = new Map<string, string | undefined>();

/** What may stand in a header parameter next to its neighbours without quotes (token or host). */
function isPlainValue(value: string): boolean {
  if (value === '') return false;
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    // ":" "[" "]" "/" for hosts (RFC 3261 25.1 gen-value = token / host / quoted-string).
    if (!isTokenChar(code) && code !== 0x3a && code !== 0x5b && code !== 0x5d && code !== 0x2f) {
      return false;
    }
  }

  return true;
}

/**
 * Header parameters from `start`, where a ";" is due, to the end of `text`: undefined when malformed.
 * A name that comes twice keeps its first value.
 */
export function parseHeaderParams(text: string, start: number): Params | undefined {
  let at = skipSpace(text, start);
  if (at === text.length) return NO_PARAMS;
  const params = new Map<string, string | undefined>();
  while (at < text.length) {
    if (text.charCodeAt(at) !== 0x3b) return undefined;
    at = skipSpace(text, at + 1);
    // Real senders, and an example of RFC 3428, write ";;" or end with ";".
    if (at === text.length || text.charCodeAt(at) === 0x3b) continue;
    const nameStart = at;
    while (at < text.length && isTokenChar(text.charCodeAt(at))) at++;
    if (at === nameStart) return undefined;
    const name = text.slice(nameStart, at).toLowerCase();
    at = skipSpace(text, at);
    let value: string | undefined;
    if (text.charCodeAt(at) === 0x3d) {
      at = skipSpace(text, at + 1);
      const end = valueEnd(text, at);
      if (end < 0) return undefined;
      value = text.charCodeAt(at) === 0x22 ? unquote(text.slice(at, end)) : text.slice(at, end);
      at = skipSpace(text, end);
    }
    if (!params.has(name)) params.set(name, value);
  }

  return params;
}

function valueEnd(text: string, start: number): number {
  if (text.charCodeAt(start) === 0x22) return skipQuoted(text, start);
  let at = start;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === 0x3b || code === 0x20 || code === 0x09) break;
    if (code === 0x22 || code === 0x2c || code === 0x3c || code === 0x3e) return -1;
    at++;
  }

  return at;
}

function skipSpace(text: string, start: number): number {
  let at = start;
  while (text.charCodeAt(at) === 0x20 || text.charCodeAt(at) === 0x09) at++;

  return at;
}

/** `;name=value` for each, with quotes where the value needs them. */
export function formatHeaderParams(params: Params): string {
  let text = '';
  for (const [name, value] of params) {
    if (value === undefined) text += `;${name}`;
    else text += `;${name}=${isPlainValue(value) ? value : quote(value)}`;
  }

  return text;
}
