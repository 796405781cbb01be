/** The crypto suites of SDES (RFC 4568 6.2, RFC 7714 14.2), as data. */

export type SrtpSuiteName =
  'AEAD_AES_256_GCM' | 'AEAD_AES_128_GCM' | 'AES_CM_128_HMAC_SHA1_80' | 'AES_CM_128_HMAC_SHA1_32';

export interface SrtpSuite {
  readonly name: SrtpSuiteName;
  readonly kind: 'counter-mode' | 'gcm';
  /** Octets, of the master and of the session key alike. */
  readonly keyLength: number;
  readonly saltLength: number;
  readonly rtpTagLength: number;
  /** "The SRTCP authentication tag is 80 bits" also of the suite with 32 bits for RTP (6.2.2). */
  readonly rtcpTagLength: number;
}

/**
 * In the order in which our own offers list them: first what every phone has and what costs least here,
 * last the one with a short tag.
 */
export const SRTP_SUITES: readonly SrtpSuite[] = [
  counterMode('AES_CM_128_HMAC_SHA1_80', 10),
  gcm('AEAD_AES_256_GCM', 32),
  gcm('AEAD_AES_128_GCM', 16),
  counterMode('AES_CM_128_HMAC_SHA1_32', 4),
];

export function findSrtpSuite(name: string): SrtpSuite | undefined {
  return SRTP_SUITES.find((suite) => suite.name === name);
}

/** What one side of a call encrypts with: the master key and salt of its `a=crypto`. */
export interface SrtpKey {
  readonly suite: SrtpSuiteName;
  /** Master key, then master salt. */
  readonly keyAndSalt: Uint8Array;
  /** The master key identifier that each packet bears, when the line had one (RFC 3711 3.1). */
  readonly mki?: Uint8Array;
}

/** One each way: "the key … is used by the offerer/answerer to encrypt" (RFC 4568 5.1). */
export interface SrtpKeys {
  /** Ours. */
  readonly send: SrtpKey;
  readonly receive: SrtpKey;
}

function gcm(name: SrtpSuiteName, keyLength: number): SrtpSuite {
  return { name, kind: 'gcm', keyLength, saltLength: 12, rtpTagLength: 16, rtcpTagLength: 16 };
}

function counterMode(name: SrtpSuiteName, rtpTagLength: number): SrtpSuite {
  const kind = 'counter-mode';

  return { name, kind, keyLength: 16, saltLength: 14, rtpTagLength, rtcpTagLength: 10 };
}
