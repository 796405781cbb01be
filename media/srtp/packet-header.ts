/** The little that SRTP must know of a packet's header. */

const RTP_HEADER = 12;

/**
 * Octets before the payload: "the encrypted portion consists of the RTP payload", extensions and CSRCs
 * stay in the clear (RFC 3711 3.1). −1 when the packet ends before its header does.
 */
export function rtpHeaderLength(data: Uint8Array, length: number): number {
  if (length < RTP_HEADER || data[0]! >> 6 !== 2) return -1;
  let header = RTP_HEADER + 4 * (data[0]! & 0x0f);
  if ((data[0]! & 0x10) !== 0) {
    if (header + 4 > length) return -1;
    header += 4 + 4 * ((data[header + 2]! << 8) | data[header + 3]!);
  }

  return header <= length ? header : -1;
}

export function read32(data: Uint8Array, offset: number): number {
  return (
    ((data[offset]! << 24) |
      (data[offset + 1]! << 16) |
      (data[offset + 2]! << 8) |
      data[offset + 3]!) >>>
    0
  );
}
