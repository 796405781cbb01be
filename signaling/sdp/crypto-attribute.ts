/**
 * `a=crypto`, SDP security descriptions (RFC 4568): text ↔ values, and which line of an offer is taken.
 * Nothing here puts a key into an error or a log.
 */
import { randomBytes } from 'node:crypto';
import {
  findSrtpSuite,
  SRTP_SUITES,
  type SrtpKey,
  type SrtpSuite,
} from '../../media/srtp/suites.ts';
import type { SdpAttribute, SdpMedia } from './sdp-model.ts';

export interface CryptoLine {
  readonly tag: string;
  readonly key: SrtpKey;
  /** Packets that the key may be used for, as its owner says. */
  readonly lifetime?: bigint;
}

const NAME = 'crypto';
/** `1*9DIGIT`; with leading zeros one number would have several names. */
const TAG = /^(?:0|[1-9]\d{0,8})$/;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
const LIFETIME = /^(?:2\^(\d{1,2})|(\d{1,20}))$/;
const MKI = /^(\d{1,39}):(\d{1,3})$/;
const MAX_MKI_LENGTH = 128;
const MAX_LINES = 32;

/**
 * The lines that can be used here, in their order. Undefined when the set itself is malformed: a tag
 * that is no tag, or one that stands twice ("MUST be unique", 4.1).
 */
export function readCryptoLines(media: SdpMedia): CryptoLine[] | undefined {
  const values = cryptoValues(media).map((value) => value.trim().split(/ +/));
  const tags = values.map(([tag]) => tag ?? '');
  if (values.length > MAX_LINES || new Set(tags).size !== tags.length) return undefined;
  if (!tags.every((tag) => TAG.test(tag))) return undefined;

  return values.flatMap(([tag, suiteName, keyParams, ...sessionParams]) => {
    const suite = findSrtpSuite(suiteName ?? '');
    // "If … the answerer does not support a session parameter, the attribute is not used" (6.3).
    if (suite === undefined || !sessionParams.every(isHarmless)) return [];
    const key = readKey(suite, keyParams ?? '');

    return key === undefined ? [] : [{ tag: tag!, ...key }];
  });
}

export function hasCrypto(media: SdpMedia): boolean {
  return cryptoValues(media).length > 0;
}

/** How many lines, usable or not: an answer has exactly one (5.1.2). */
export function countCrypto(media: SdpMedia): number {
  return cryptoValues(media).length;
}

export function cryptoAttribute({ tag, key }: Pick<CryptoLine, 'tag' | 'key'>): SdpAttribute {
  const text = Buffer.from(key.keyAndSalt).toString('base64');

  return { name: NAME, value: `${tag} ${key.suite} inline:${text}` };
}

/** A key of ours: "MUST be generated randomly" for each line. */
export function newSrtpKey(suite: SrtpSuite): SrtpKey {
  return { suite: suite.name, keyAndSalt: randomBytes(suite.keyLength + suite.saltLength) };
}

/** The lines of an offer of ours; `kept`: the key that is in use, which goes on (7.1.4). */
export function offeredLines(kept: SrtpKey | undefined): SdpAttribute[] {
  const keys = kept === undefined ? SRTP_SUITES.map(newSrtpKey) : [kept];

  return keys.map((key, at) => cryptoAttribute({ tag: String(at + 1), key }));
}

export function isSameKey(a: SrtpKey | undefined, b: SrtpKey | undefined): boolean {
  return (
    a !== undefined &&
    a.suite === b?.suite &&
    Buffer.compare(a.keyAndSalt, b.keyAndSalt) === 0 &&
    Buffer.compare(a.mki ?? new Uint8Array(0), b.mki ?? new Uint8Array(0)) === 0
  );
}

function cryptoValues(media: SdpMedia): string[] {
  return media.attributes.flatMap(({ name, value }) => (name === NAME ? [value ?? ''] : []));
}

/**
 * KDR and the UNENCRYPTED and UNAUTHENTICATED flags change what is on the wire, FEC what it is for; a
 * window size is a hint. "-" marks what may be passed over when it is not known (6.3.7).
 */
function isHarmless(parameter: string): boolean {
  return parameter === 'KDR=0' || /^WSH=\d{1,5}$/.test(parameter) || parameter.startsWith('-');
}

/** `inline:<key and salt>[|lifetime][|MKI:length]`; several keys would need us to choose by MKI. */
function readKey(suite: SrtpSuite, text: string): Omit<CryptoLine, 'tag'> | undefined {
  const match = /^inline:([^|;]+)((?:\|[^|;]+){0,2})$/.exec(text);
  if (match === null || !BASE64.test(match[1]!)) return undefined;
  const keyAndSalt = Buffer.from(match[1]!, 'base64');
  if (keyAndSalt.length !== suite.keyLength + suite.saltLength) return undefined;
  const parts = match[2]!.split('|').slice(1);
  const mkiText = parts.at(-1)?.includes(':') === true ? parts.pop() : undefined;
  const mki = mkiText === undefined ? undefined : readMki(mkiText);
  const lifetime = parts[0] === undefined ? undefined : readLifetime(parts[0]);
  const isWrong =
    parts.length > 1 ||
    (mkiText !== undefined && mki === undefined) ||
    (parts[0] !== undefined && lifetime === undefined);
  if (isWrong) return undefined;

  return {
    key: { suite: suite.name, keyAndSalt, ...(mki !== undefined && { mki }) },
    ...(lifetime !== undefined && { lifetime }),
  };
}

/** "expressed as a power of two, or as a decimal number"; more than 2^48 packets there are not. */
function readLifetime(text: string): bigint | undefined {
  const match = LIFETIME.exec(text);
  if (match === null) return undefined;
  const packets = match[1] === undefined ? BigInt(match[2]!) : 1n << BigInt(match[1]);

  return packets > 0n && packets <= 1n << 48n ? packets : undefined;
}

/** A number in so many octets, big-endian (6.1). */
function readMki(text: string): Uint8Array | undefined {
  const match = MKI.exec(text);
  const length = Number(match?.[2] ?? 0);
  if (match === null || length < 1 || length > MAX_MKI_LENGTH) return undefined;
  const octets = new Uint8Array(length);
  let rest = BigInt(match[1]!);
  for (let at = length - 1; at >= 0; at--) {
    octets[at] = Number(rest & 0xffn);
    rest >>= 8n;
  }

  return rest === 0n ? octets : undefined;
}
