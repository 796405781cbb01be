/** What this user agent says it can do: every method listed here works, no other is. */
import type { ExtraHeaders } from '../message/index.ts';

export const ALLOWED_METHODS: ReadonlySet<string> = new Set([
  'INVITE',
  'ACK',
  'CANCEL',
  'BYE',
  'OPTIONS',
  'UPDATE',
  'PRACK',
  'INFO',
  'SUBSCRIBE',
  'NOTIFY',
  'REFER',
  'MESSAGE',
  'REGISTER',
]);

/** Methods of the IANA registry: known but not allowed is 405, unknown is 501 (RFC 3261 8.2.1). */
export const KNOWN_METHODS: ReadonlySet<string> = new Set([...ALLOWED_METHODS, 'PUBLISH']);

/** Option tags of Supported, Require and Unsupported. */
export const SUPPORTED_OPTIONS: ReadonlySet<string> = new Set([
  '100rel',
  'timer',
  'replaces',
  // RFC 4488 and RFC 4538: what a REFER may ask for.
  'norefersub',
  'tdialog',
]);

export const ALLOW: readonly [string, string] = ['Allow', [...ALLOWED_METHODS].join(', ')];
export const SUPPORTED: readonly [string, string] = [
  'Supported',
  [...SUPPORTED_OPTIONS].join(', '),
];
/** RFC 6086 5.2: empty, "to indicate that it does not want to receive" any Info-Package. */
export const RECV_INFO: readonly [string, string] = ['Recv-Info', ''];
export const ACCEPT: readonly [string, string] = ['Accept', 'application/sdp'];
export const ACCEPT_ENCODING: readonly [string, string] = ['Accept-Encoding', 'identity'];

/** Event packages that may be subscribed to (RFC 6665 8.2.2, RFC 4579 3.1). */
export const ALLOW_EVENTS: readonly [string, string] = ['Allow-Events', 'conference'];

/** RFC 3261 11.2: "Allow, Accept, Accept-Encoding, Accept-Language, and Supported … SHOULD be present". */
export const OPTIONS_HEADERS: ExtraHeaders = [
  ALLOW,
  ACCEPT,
  ACCEPT_ENCODING,
  ['Accept-Language', 'en'],
  SUPPORTED,
  ALLOW_EVENTS,
];
