/**
 * RTP packets (RFC 3550 5.1) with header extensions (RFC 8285) and the audio level (RFC 6464). The
 * reader is a view that is pointed at one packet after the other, so that nothing is allocated for
 * a packet; both reader and writer stay inside the bytes that they were given.
 */

/** Octets of the fixed header. */
export const RTP_HEADER_LENGTH = 12;

/** Octets of the largest packet that is read or written: what an Ethernet frame carries. */
export const MAX_RTP_PACKET = 1500;

/** "the pattern 0xBEDE", a one-byte header extension (RFC 8285 4.2). */
export const ONE_BYTE_PROFILE = 0xbede;
/** "0x100 | appbits", a two-byte one (RFC 8285 4.3). */
export const TWO_BYTE_PROFILE = 0x1000;

export interface RtpHeader {
  marker: boolean;
  payloadType: number;
  sequenceNumber: number;
  timestamp: number;
  ssrc: number;
}

const NOTHING = new Uint8Array(0);

export class RtpPacketView implements RtpHeader {
  /** The packet begins at `start`; all offsets are from the beginning of `data`. */
  data: Uint8Array = NOTHING;
  start = 0;
  marker = false;
  payloadType = 0;
  sequenceNumber = 0;
  timestamp = 0;
  ssrc = 0;
  csrcCount = 0;
  payloadOffset = 0;
  payloadLength = 0;
  /** "defined by profile", 0 when there is no header extension. */
  extensionProfile = 0;
  extensionOffset = 0;
  extensionEnd = 0;
  /** Octets of the element that `findExtension` found last. */
  elementLength = 0;

  /** Points the view at another packet; false when it is not RTP, the fields then mean nothing. */
  parse(data: Uint8Array, start = 0, length = data.length - start): boolean {
    if (length < RTP_HEADER_LENGTH || length > MAX_RTP_PACKET) return false;
    const packetEnd = start + length;
    const first = data[start]!;
    if (first >> 6 !== 2) return false;

    const csrcCount = first & 0x0f;
    let offset = start + RTP_HEADER_LENGTH + 4 * csrcCount;
    this.extensionProfile = 0;
    this.extensionOffset = 0;
    this.extensionEnd = 0;
    if ((first & 0x10) !== 0) {
      if (offset + 4 > packetEnd) return false;
      const end = offset + 4 + 4 * read16(data, offset + 2);
      if (end > packetEnd) return false;
      this.extensionProfile = read16(data, offset);
      this.extensionOffset = offset + 4;
      this.extensionEnd = end;
      offset = end;
    }
    let end = packetEnd;
    if ((first & 0x20) !== 0) {
      // "The last octet of the padding contains a count of how many padding octets should be
      // ignored, including itself."
      const padding = data[packetEnd - 1]!;
      if (padding === 0) return false;
      end -= padding;
    }
    if (offset > end) return false;

    this.data = data;
    this.start = start;
    this.marker = data[start + 1]! >= 0x80;
    this.payloadType = data[start + 1]! & 0x7f;
    this.sequenceNumber = read16(data, start + 2);
    this.timestamp = read32(data, start + 4);
    this.ssrc = read32(data, start + 8);
    this.csrcCount = csrcCount;
    this.payloadOffset = offset;
    this.payloadLength = end - offset;

    return true;
  }

  /** A view, not a copy. */
  payload(): Uint8Array {
    return this.data.subarray(this.payloadOffset, this.payloadOffset + this.payloadLength);
  }

  csrc(index: number): number {
    if (index < 0 || index >= this.csrcCount) throw new TypeError(`no CSRC ${index}`);

    return read32(this.data, this.start + RTP_HEADER_LENGTH + 4 * index);
  }

  /** Where the data of extension element `id` begins in `data`, −1 when it is not there. */
  findExtension(id: number): number {
    if (this.extensionProfile === ONE_BYTE_PROFILE) return this.#findOneByte(id);
    if ((this.extensionProfile & 0xfff0) === TWO_BYTE_PROFILE) return this.#findTwoByte(id);

    return -1;
  }

  /** The level that the sender measured, dBov (−127 … 0). */
  audioLevel(id: number): number | undefined {
    const offset = this.findExtension(id);
    if (offset < 0 || this.elementLength === 0) return undefined;

    return -(this.data[offset]! & 0x7f);
  }

  /** Whether the sender believes that the packet holds voice (RFC 6464's V bit). */
  voiceActivity(id: number): boolean {
    const offset = this.findExtension(id);

    return offset >= 0 && this.elementLength > 0 && this.data[offset]! >= 0x80;
  }

  #findOneByte(id: number): number {
    const { data, extensionEnd } = this;
    let offset = this.extensionOffset;
    while (offset < extensionEnd) {
      const octet = data[offset++]!;
      if (octet === 0) continue; // "a value of 0 is reserved for padding"
      const found = octet >> 4;
      // "If the ID value 15 is used, its length field should be ignored, processing of the entire
      // extension should terminate at that point" (4.2).
      if (found === 15) return -1;
      const length = (octet & 0x0f) + 1;
      if (offset + length > extensionEnd) return -1;
      if (found === id) {
        this.elementLength = length;

        return offset;
      }
      offset += length;
    }

    return -1;
  }

  #findTwoByte(id: number): number {
    const { data, extensionEnd } = this;
    let offset = this.extensionOffset;
    while (offset < extensionEnd) {
      const found = data[offset++]!;
      if (found === 0) continue;
      if (offset >= extensionEnd) return -1;
      const length = data[offset++]!;
      if (offset + length > extensionEnd) return -1;
      if (found === id) {
        this.elementLength = length;

        return offset;
      }
      offset += length;
    }

    return -1;
  }
}

/**
 * "RTCP packet types in the ranges 1-191 and 224-254 SHOULD only be used when other values have been
 * exhausted"; so with payload types 64-95 left unused, the second octet 192-223 tells RTCP from RTP
 * on one port (RFC 5761 4).
 */
export function isRtcp(data: Uint8Array, start = 0, length = data.length - start): boolean {
  const type = data[start + 1]!;

  return length >= 8 && data[start]! >> 6 === 2 && type >= 192 && type <= 223;
}

function read16(data: Uint8Array, offset: number): number {
  return (data[offset]! << 8) | data[offset + 1]!;
}

function read32(data: Uint8Array, offset: number): number {
  return (
    ((data[offset]! << 24) |
      (data[offset + 1]! << 16) |
      (data[offset + 2]! << 8) |
      data[offset + 3]!) >>>
    0
  );
}
