import { isToken, parseHeaderParams } from '../message/index.ts';

export interface EventHeader {
  /** Package and templates; phones write "Conference" too, so in lower case. */
  readonly name: string;
  readonly id: string | undefined;
}

/** `Event: conference;id=1` (RFC 6665 8.2.1); undefined when absent or malformed. */
export function parseEvent(value: string | undefined): EventHeader | undefined {
  if (value === undefined) return undefined;
  const semicolon = value.indexOf(';');
  const name = (semicolon < 0 ? value : value.slice(0, semicolon)).trim();
  const params = parseHeaderParams(value, semicolon < 0 ? value.length : semicolon);
  if (!isToken(name) || params === undefined) return undefined;

  return { name: name.toLowerCase(), id: params.get('id') };
}
