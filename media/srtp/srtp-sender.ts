/** The sending end of one key: one stream, whose sequence numbers run on for the whole call. */
import { deriveStreamKeys, type StreamKeys } from './key-derivation.ts';
import { createPacketCipher, ENCRYPTED, type PacketCipher } from './packet-cipher.ts';
import { read32, rtpHeaderLength } from './packet-header.ts';
import type { SrtpKey } from './suites.ts';

const SEQUENCES = 0x1_0000;
const MAX_INDEX = 0x7fff_ffff;

export class SrtpSender {
  readonly #rtp: PacketCipher;
  readonly #rtcp: PacketCipher;
  #rollovers = 0;
  #lastSequence = -1;
  #rtcpIndex: number;

  constructor(key: SrtpKey, firstRtcpIndex = 0, keys: StreamKeys = deriveStreamKeys(key)) {
    const { suite, rtp, rtcp } = keys;
    this.#rtp = createPacketCipher(suite, rtp, suite.rtpTagLength);
    this.#rtcp = createPacketCipher(suite, rtcp, suite.rtcpTagLength);
    this.#rtcpIndex = firstRtcpIndex;
  }

  /** Encrypts in place, the tag behind it; `data` has room. Answers the new length, −1: no RTP. */
  sealRtp(data: Uint8Array, length: number): number {
    const header = rtpHeaderLength(data, length);
    if (header < 0) return -1;
    const sequence = (data[2]! << 8) | data[3]!;
    if (sequence < this.#lastSequence) this.#rollovers++;
    this.#lastSequence = sequence;

    return this.#rtp.sealRtp(
      data,
      header,
      length,
      read32(data, 8),
      this.#rollovers * SEQUENCES + sequence,
    );
  }

  sealRtcp(data: Uint8Array, length: number): number {
    // "MUST NOT … be re-used": a key lasts 2^31 reports, which is longer than any call.
    if (length < 8 || this.#rtcpIndex > MAX_INDEX) return -1;
    const trailer = (ENCRYPTED | this.#rtcpIndex++) >>> 0;

    return this.#rtcp.sealRtcp(data, length, read32(data, 4), trailer);
  }
}
