import { isToken } from './lexer.ts';

/** The key is what headers are found by (lower case, long form); the name is what is written. */
export interface HeaderName {
  readonly key: string;
  readonly name: string;
}

const COMPACT: Readonly<Record<string, string>> = {
  i: 'Call-ID',
  m: 'Contact',
  e: 'Content-Encoding',
  l: 'Content-Length',
  c: 'Content-Type',
  f: 'From',
  s: 'Subject',
  k: 'Supported',
  t: 'To',
  v: 'Via',
  o: 'Event',
  u: 'Allow-Events',
  r: 'Refer-To',
  b: 'Referred-By',
  x: 'Session-Expires',
  j: 'Reject-Contact',
  a: 'Accept-Contact',
  d: 'Request-Disposition',
  y: 'Identity',
};

const KNOWN = [
  ...Object.values(COMPACT),
  'Accept',
  'Accept-Encoding',
  'Accept-Language',
  'Alert-Info',
  'Allow',
  'Authentication-Info',
  'Authorization',
  'Call-Info',
  'Content-Disposition',
  'Content-Language',
  'CSeq',
  'Date',
  'Error-Info',
  'Expires',
  'In-Reply-To',
  'Join',
  'Max-Forwards',
  'MIME-Version',
  'Min-Expires',
  'Min-SE',
  'Organization',
  'P-Asserted-Identity',
  'P-Preferred-Identity',
  'Path',
  'Priority',
  'Privacy',
  'Proxy-Authenticate',
  'Proxy-Authorization',
  'Proxy-Require',
  'RAck',
  'Reason',
  'Record-Route',
  'Recv-Info',
  'Info-Package',
  'Refer-Sub',
  'Replaces',
  'Reply-To',
  'Require',
  'Retry-After',
  'Route',
  'RSeq',
  'Server',
  'Service-Route',
  'SIP-ETag',
  'SIP-If-Match',
  'Subscription-State',
  'Target-Dialog',
  'Timestamp',
  'Unsupported',
  'User-Agent',
  'Warning',
  'WWW-Authenticate',
];

/** Every spelling met so far of a known name: most messages need no lower-casing at all. */
const spellings = new Map<string, HeaderName>();
for (const name of KNOWN) {
  const entry = { key: name.toLowerCase(), name };
  spellings.set(name, entry);
  spellings.set(entry.key, entry);
}
for (const [compact, name] of Object.entries(COMPACT)) {
  const entry = spellings.get(name)!;
  spellings.set(compact, entry);
  spellings.set(compact.toUpperCase(), entry);
}

/** The name in any spelling; undefined when it is no token. */
export function headerName(text: string): HeaderName | undefined {
  const known = spellings.get(text);
  if (known !== undefined) return known;
  if (!isToken(text)) return undefined;
  const key = text.toLowerCase();

  return spellings.get(key) ?? { key, name: text };
}

/**
 * Headers whose fields may be joined by commas (`#` or `*(COMMA …)` in RFC 3261 25.1 and its
 * extensions). Not WWW-Authenticate, Authorization and their Proxy kin: RFC 3261 7.3.1.
 */
const LIST_HEADERS: ReadonlySet<string> = new Set(
  [
    'Accept',
    'Accept-Contact',
    'Accept-Encoding',
    'Accept-Language',
    'Alert-Info',
    'Allow',
    'Allow-Events',
    'Call-Info',
    'Contact',
    'Content-Encoding',
    'Content-Language',
    'Error-Info',
    'In-Reply-To',
    'P-Asserted-Identity',
    'P-Preferred-Identity',
    'Path',
    'Proxy-Require',
    'Reason',
    'Record-Route',
    'Recv-Info',
    'Reject-Contact',
    'Request-Disposition',
    'Require',
    'Route',
    'Service-Route',
    'Supported',
    'Unsupported',
    'Via',
    'Warning',
  ].map((name) => name.toLowerCase()),
);

export function isListHeader(key: string): boolean {
  return LIST_HEADERS.has(key);
}
