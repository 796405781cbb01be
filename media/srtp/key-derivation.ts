/** Session keys from the master key (RFC 3711 4.3, RFC 7714 11) at a key derivation rate of 0. */
import { createCipheriv } from 'node:crypto';
import { findSrtpSuite, type SrtpKey, type SrtpSuite } from './suites.ts';

export interface SessionKeys {
  readonly cipherKey: Uint8Array;
  readonly salt: Uint8Array;
  /** Of counter mode only: "the authentication key length MUST be zero" for GCM. */
  readonly authKey: Uint8Array;
}

export interface StreamKeys {
  readonly suite: SrtpSuite;
  readonly rtp: SessionKeys;
  readonly rtcp: SessionKeys;
}

const AUTH_KEY_LENGTH = 20;
/** Labels of RFC 3711 4.3.2; those of SRTCP follow by 3. */
const LABEL_CIPHER = 0;
const LABEL_AUTH = 1;
const LABEL_SALT = 2;
const RTCP_LABELS = 3;

/** Throws when the key does not have the length of its suite: whoever parsed it let it through. */
export function deriveStreamKeys({ suite: name, keyAndSalt }: SrtpKey): StreamKeys {
  const suite = findSrtpSuite(name);
  if (suite?.keyLength === undefined || keyAndSalt.length !== suite.keyLength + suite.saltLength) {
    throw new TypeError(`not a key of ${name}`);
  }
  const key = keyAndSalt.subarray(0, suite.keyLength);
  const salt = keyAndSalt.subarray(suite.keyLength);

  return {
    suite,
    rtp: deriveSessionKeys(suite, key, salt, 0),
    rtcp: deriveSessionKeys(suite, key, salt, RTCP_LABELS),
  };
}

function deriveSessionKeys(
  suite: SrtpSuite,
  key: Uint8Array,
  salt: Uint8Array,
  base: number,
): SessionKeys {
  const derive = (label: number, length: number): Uint8Array =>
    pseudoRandom(key, salt, base + label, length);

  return {
    cipherKey: derive(LABEL_CIPHER, suite.keyLength),
    salt: derive(LABEL_SALT, suite.saltLength),
    authKey: derive(LABEL_AUTH, suite.kind === 'gcm' ? 0 : AUTH_KEY_LENGTH),
  };
}

/**
 * AES in counter mode over "key_id XOR master_salt", where key_id is the label followed by 48 bits of
 * index: zeros. GCM's salt of 96 bits is padded on its right to the 112 of RFC 3711 (RFC 7714 11).
 */
export function pseudoRandom(
  key: Uint8Array,
  salt: Uint8Array,
  label: number,
  length: number,
): Uint8Array {
  const iv = new Uint8Array(16);
  iv.set(salt);
  iv[7]! ^= label;
  const cipher = createCipheriv(key.length === 32 ? 'aes-256-ctr' : 'aes-128-ctr', key, iv);

  return cipher.update(new Uint8Array(length));
}
