import { isToken } from './lexer.ts';
import { parseHeaderParams, type Params } from './params.ts';

/** Content-Type (RFC 3261 20.15): type and subtype in lower case. */
export interface MediaType {
  /** "application/sdp" */
  readonly type: string;
  readonly params: Params;
}

export function parseMediaType(text: string): MediaType | undefined {
  const semicolon = text.indexOf(';');
  const whole = semicolon < 0 ? text : text.slice(0, semicolon);
  const slash = whole.indexOf('/');
  if (slash < 0) return undefined;
  const type = whole.slice(0, slash).trim().toLowerCase();
  const subtype = whole
    .slice(slash + 1)
    .trim()
    .toLowerCase();
  const params = parseHeaderParams(text, semicolon < 0 ? text.length : semicolon);
  if (!isToken(type) || !isToken(subtype) || params === undefined) return undefined;

  return { type: `${type}/${subtype}`, params };
}
