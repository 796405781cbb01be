/**
 * The sending end of one key: streams whose sequence numbers run on for the whole call, of which there are
 * two where video is sent again as RFC 4588 says. A packet that goes out again unchanged, under the same
 * index, is the same octets again.
 */
import { deriveStreamKeys, type StreamKeys } from './key-derivation.ts';
import { createPacketCipher, ENCRYPTED, type PacketCipher } from './packet-cipher.ts';
import { read32, rtpHeaderLength } from './packet-header.ts';
import { guessIndex } from './srtp-receiver.ts';
import type { SrtpKey } from './suites.ts';

const MAX_INDEX = 0x7fff_ffff;

export class SrtpSender {
  readonly #rtp: PacketCipher;
  readonly #rtcp: PacketCipher;
  /** The highest index of each SSRC; there are as many as we ourselves make. */
  #highest = new Map<number, number>();
  #rtcpIndex: number;

  constructor(key: SrtpKey, firstRtcpIndex = 0, keys: StreamKeys = deriveStreamKeys(key)) {
    const { suite, rtp, rtcp } = keys;
    this.#rtp = createPacketCipher(suite, rtp, suite.rtpTagLength);
    this.#rtcp = createPacketCipher(suite, rtcp, suite.rtcpTagLength);
    this.#rtcpIndex = firstRtcpIndex;
  }

  /** The indexes, for another thread: none may be used twice. */
  freeze() {
    return { highest: this.#highest, rtcpIndex: this.#rtcpIndex };
  }

  thaw(state: ReturnType<SrtpSender['freeze']>): void {
    ({ highest: this.#highest, rtcpIndex: this.#rtcpIndex } = state);
  }

  /** Encrypts in place, the tag behind it; `data` has room. Answers the new length, −1: no RTP. */
  sealRtp(data: Uint8Array, length: number): number {
    const header = rtpHeaderLength(data, length);
    if (header < 0) return -1;
    const ssrc = read32(data, 8);
    const highest = this.#highest.get(ssrc) ?? -1;
    const index = guessIndex((data[2]! << 8) | data[3]!, highest);
    if (index < 0) return -1;
    if (index > highest) this.#highest.set(ssrc, index);

    return this.#rtp.sealRtp(data, header, length, ssrc, index);
  }

  sealRtcp(data: Uint8Array, length: number): number {
    // "MUST NOT … be re-used": a key lasts 2^31 reports, which is longer than any call.
    if (length < 8 || this.#rtcpIndex > MAX_INDEX) return -1;
    const trailer = (ENCRYPTED | this.#rtcpIndex++) >>> 0;

    return this.#rtcp.sealRtcp(data, length, read32(data, 4), trailer);
  }
}
