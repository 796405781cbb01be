/**
 * What a suite does to one packet, in place; which index a packet has and whether it may pass is
 * decided elsewhere. `data` must have room for the tag behind `length`.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { HmacSha1 } from './hmac-sha1.ts';
import type { SessionKeys } from './key-derivation.ts';
import { Keystream } from './keystream.ts';
import type { SrtpSuite } from './suites.ts';

export interface PacketCipher {
  readonly tagLength: number;
  /** `index`: ROC and sequence number, 48 bits. Answers the new length. */
  sealRtp(data: Uint8Array, header: number, length: number, ssrc: number, index: number): number;
  /** Answers the length without the tag, −1 when the packet is not authentic. */
  openRtp(data: Uint8Array, header: number, length: number, ssrc: number, index: number): number;
  /** `trailer`: the E flag and the SRTCP index, 32 bits, which are written too. */
  sealRtcp(data: Uint8Array, length: number, ssrc: number, trailer: number): number;
  /** Where the trailer of a packet of `length` octets is: before the tag, or behind it. */
  rtcpTrailerOffset(length: number): number;
  /** Answers the length without tag and trailer, −1 when the packet is not authentic. */
  openRtcp(data: Uint8Array, length: number, ssrc: number, trailer: number): number;
}

/** "the first 8 octets" of an SRTCP packet stay in the clear. */
export const RTCP_HEADER = 8;
/** The E flag: this packet is encrypted. */
export const ENCRYPTED = 0x8000_0000;
const ROC_UNIT = 0x1_0000;
const MAX_INDEX = 0x7fff_ffff;

export function createPacketCipher(
  suite: SrtpSuite,
  keys: SessionKeys,
  tagLength: number,
): PacketCipher {
  return suite.kind === 'gcm' ? new GcmCipher(keys) : new CounterModeCipher(keys, tagLength);
}

/** AES_CM and HMAC_SHA1 (RFC 3711 4.1.1, 4.2.1). */
class CounterModeCipher implements PacketCipher {
  readonly tagLength: number;
  readonly #keystream: Keystream;
  readonly #hmac: HmacSha1;

  constructor({ cipherKey, salt, authKey }: SessionKeys, tagLength: number) {
    this.tagLength = tagLength;
    this.#keystream = new Keystream(cipherKey, salt);
    this.#hmac = new HmacSha1(authKey);
  }

  sealRtp(data: Uint8Array, header: number, length: number, ssrc: number, index: number): number {
    this.#keystream.apply(data, header, length, ssrc, index);

    return this.#writeTag(data, length, length, Math.floor(index / ROC_UNIT));
  }

  openRtp(data: Uint8Array, header: number, length: number, ssrc: number, index: number): number {
    const end = length - this.tagLength;
    if (end < header || !this.#isAuthentic(data, end, Math.floor(index / ROC_UNIT))) return -1;
    this.#keystream.apply(data, header, end, ssrc, index);

    return end;
  }

  sealRtcp(data: Uint8Array, length: number, ssrc: number, trailer: number): number {
    this.#keystream.apply(data, RTCP_HEADER, length, ssrc, trailer & MAX_INDEX);

    write32(data, length, trailer);

    return this.#writeTag(data, length, length + 4, trailer);
  }

  rtcpTrailerOffset(length: number): number {
    return length - this.tagLength - 4;
  }

  openRtcp(data: Uint8Array, length: number, ssrc: number, trailer: number): number {
    const end = this.rtcpTrailerOffset(length);
    if (end < RTCP_HEADER || !this.#isAuthentic(data, end, trailer, 4)) return -1;
    if (trailer >>> 31 === 1) {
      this.#keystream.apply(data, RTCP_HEADER, end, ssrc, trailer & MAX_INDEX);
    }

    return end;
  }

  #writeTag(data: Uint8Array, length: number, at: number, trailer: number): number {
    const digest = this.#hmac.digest(data, length, trailer);
    for (let i = 0; i < this.tagLength; i++) data[at + i] = digest[i]!;

    return at + this.tagLength;
  }

  /** Takes as long for every wrong tag. */
  #isAuthentic(data: Uint8Array, length: number, trailer: number, gap = 0): boolean {
    const digest = this.#hmac.digest(data, length, trailer);
    let difference = 0;
    for (let i = 0; i < this.tagLength; i++) difference |= data[length + gap + i]! ^ digest[i]!;

    return difference === 0;
  }
}

/** AEAD_AES_128_GCM and AEAD_AES_256_GCM (RFC 7714 8, 9). */
class GcmCipher implements PacketCipher {
  readonly tagLength = 16;
  readonly #name: 'aes-128-gcm' | 'aes-256-gcm';
  readonly #key: Uint8Array;
  readonly #salt: Uint8Array;
  readonly #iv = new Uint8Array(12);
  /** An RTCP header and its trailer. */
  readonly #rtcpAad = new Uint8Array(RTCP_HEADER + 4);

  constructor({ cipherKey, salt }: SessionKeys) {
    this.#name = cipherKey.length === 32 ? 'aes-256-gcm' : 'aes-128-gcm';
    this.#key = cipherKey;
    this.#salt = salt;
  }

  sealRtp(data: Uint8Array, header: number, length: number, ssrc: number, index: number): number {
    this.#setIv(ssrc, Math.floor(index / ROC_UNIT), index % ROC_UNIT);

    return this.#seal(data, data.subarray(0, header), header, length);
  }

  openRtp(data: Uint8Array, header: number, length: number, ssrc: number, index: number): number {
    const end = length - this.tagLength;
    if (end < header) return -1;
    this.#setIv(ssrc, Math.floor(index / ROC_UNIT), index % ROC_UNIT);

    return this.#open(data, data.subarray(0, header), header, end) ? end : -1;
  }

  sealRtcp(data: Uint8Array, length: number, ssrc: number, trailer: number): number {
    this.#setRtcpIv(ssrc, trailer);
    const end = this.#seal(data, this.#aad(data, trailer), RTCP_HEADER, length);
    write32(data, end, trailer);

    return end + 4;
  }

  rtcpTrailerOffset(length: number): number {
    return length - 4;
  }

  openRtcp(data: Uint8Array, length: number, ssrc: number, trailer: number): number {
    const end = length - 4 - this.tagLength;
    if (end < RTCP_HEADER) return -1;
    this.#setRtcpIv(ssrc, trailer);
    if (trailer >>> 31 === 1) {
      return this.#open(data, this.#aad(data, trailer), RTCP_HEADER, end) ? end : -1;
    }
    // Not encrypted: then all of the packet and the trailer are associated data (9.3).
    const aad = new Uint8Array(end + 4);
    aad.set(data.subarray(0, end));
    write32(aad, end, trailer);

    return this.#open(data, aad, end, end) ? end : -1;
  }

  #seal(data: Uint8Array, aad: Uint8Array, start: number, end: number): number {
    const cipher = createCipheriv(this.#name, this.#key, this.#iv);
    cipher.setAAD(aad);
    data.set(cipher.update(data.subarray(start, end)), start);
    cipher.final();
    data.set(cipher.getAuthTag(), end);

    return end + this.tagLength;
  }

  /** The tag lies behind `end`. A packet that is not authentic stays as it was. */
  #open(data: Uint8Array, aad: Uint8Array, start: number, end: number): boolean {
    const decipher = createDecipheriv(this.#name, this.#key, this.#iv);
    decipher.setAAD(aad);
    decipher.setAuthTag(data.subarray(end, end + this.tagLength));
    const plain = decipher.update(data.subarray(start, end));
    try {
      decipher.final();
    } catch {
      return false;
    }
    data.set(plain, start);

    return true;
  }

  /** "00 00 | SSRC | ROC | SEQ", XORed with the salt (8.1). */
  #setIv(ssrc: number, roc: number, sequence: number): void {
    const iv = this.#iv;
    iv[0] = 0;
    iv[1] = 0;
    for (let i = 0; i < 4; i++) iv[2 + i] = ssrc >>> (24 - 8 * i);
    for (let i = 0; i < 4; i++) iv[6 + i] = roc >>> (24 - 8 * i);
    iv[10] = sequence >>> 8;
    iv[11] = sequence;
    for (let i = 0; i < 12; i++) iv[i]! ^= this.#salt[i]!;
  }

  /** "00 00 | SSRC | 00 00 | 0 and the 31 bits of the index" (9.1). */
  #setRtcpIv(ssrc: number, trailer: number): void {
    const index = trailer & MAX_INDEX;
    this.#setIv(ssrc, index >>> 16, index & 0xffff);
  }

  #aad(data: Uint8Array, trailer: number): Uint8Array {
    this.#rtcpAad.set(data.subarray(0, RTCP_HEADER));
    write32(this.#rtcpAad, RTCP_HEADER, trailer);

    return this.#rtcpAad;
  }
}

function write32(out: Uint8Array, offset: number, value: number): void {
  out[offset] = value >>> 24;
  out[offset + 1] = value >>> 16;
  out[offset + 2] = value >>> 8;
  out[offset + 3] = value;
}
