/** Digest access authentication (RFC 7616, in SIP by RFC 3261 22 and RFC 8760): arithmetic and text, pure. */
import { createHash } from 'node:crypto';
import { isToken, quote, splitList, unquote } from '../message/index.ts';

export const DIGEST_ALGORITHMS = ['MD5', 'SHA-256', 'SHA-512-256'] as const;
export type DigestAlgorithm = (typeof DIGEST_ALGORITHMS)[number];

const HASHES: Readonly<Record<DigestAlgorithm, string>> = {
  MD5: 'md5',
  'SHA-256': 'sha256',
  'SHA-512-256': 'sha512-256',
};

/** What is hashed into a response beside H(A1). */
export interface DigestInput {
  readonly algorithm: DigestAlgorithm;
  readonly method: string;
  readonly uri: string;
  readonly nonce: string;
  /** Absent: the form of RFC 2069, without nc and cnonce. */
  readonly qop?: {
    readonly value: 'auth' | 'auth-int';
    readonly nc: string;
    readonly cnonce: string;
  };
  /** Counts with auth-int alone. */
  readonly body?: Uint8Array;
}

/** Parameters of a challenge or of credentials, names in lower case, quotes taken off. */
export type DigestParams = ReadonlyMap<string, string>;

/** The name without `-sess`, which nobody here offers; undefined when it is not known. */
export function parseAlgorithm(text: string | undefined): DigestAlgorithm | undefined {
  // RFC 7616 3.3: "If this parameter is not present, it is assumed to be MD5".
  if (text === undefined) return 'MD5';

  return DIGEST_ALGORITHMS.find((name) => name === text.toUpperCase());
}

export function digestHash(algorithm: DigestAlgorithm, content: string | Uint8Array): string {
  return createHash(HASHES[algorithm]).update(content).digest('hex');
}

/** H(A1) = H(username ":" realm ":" password). */
export function hashA1(
  algorithm: DigestAlgorithm,
  username: string,
  realm: string,
  password: string,
): string {
  return digestHash(algorithm, `${username}:${realm}:${password}`);
}

/** RFC 7616 3.4.1; `ha1` is H(A1) in hex. */
export function digestResponse(ha1: string, input: DigestInput): string {
  const { algorithm, method, uri, nonce, qop } = input;
  let a2 = `${method}:${uri}`;
  // RFC 8760 2.6: with auth-int, no body hashes as the empty string.
  if (qop?.value === 'auth-int') a2 += `:${digestHash(algorithm, input.body ?? '')}`;
  const ha2 = digestHash(algorithm, a2);
  const middle = qop === undefined ? nonce : `${nonce}:${qop.nc}:${qop.cnonce}:${qop.value}`;

  return digestHash(algorithm, `${ha1}:${middle}:${ha2}`);
}

const QUOTED = /^"(?:[^"\\]|\\.)*"$/s;

/** Undefined for another scheme (Basic is neither offered nor accepted) or for what is malformed. */
export function parseDigest(value: string): DigestParams | undefined {
  const match = /^\s*Digest\s+(\S.*)$/is.exec(value);
  const parts = match === null ? undefined : splitList(match[1]!);
  if (parts === undefined) return undefined;
  const params = new Map<string, string>();
  for (const part of parts) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    const name = part.slice(0, Math.max(0, equals)).trim().toLowerCase();
    const raw = part.slice(equals + 1).trim();
    // A parameter that comes twice could be read in two ways.
    if (!isToken(name) || params.has(name)) return undefined;
    const isQuoted = QUOTED.test(raw);
    if (!isQuoted && raw.includes('"')) return undefined;
    params.set(name, isQuoted ? unquote(raw) : raw);
  }

  return params;
}

/** Which values are tokens and so go without quotes (RFC 7616 3.3 and 3.4). */
const UNQUOTED: ReadonlySet<string> = new Set(['algorithm', 'stale', 'nc']);

/** `qop` is a list in quotes in a challenge, a token in credentials. */
export function formatDigest(
  params: Iterable<readonly [string, string]>,
  kind: 'challenge' | 'credentials',
): string {
  const bare = (name: string): boolean =>
    UNQUOTED.has(name) || (name === 'qop' && kind === 'credentials');
  const list = [...params].map(([name, value]) => `${name}=${bare(name) ? value : quote(value)}`);

  return `Digest ${list.join(', ')}`;
}
