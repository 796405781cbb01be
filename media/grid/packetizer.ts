/** RTP payloads out of encoded frames; each fits into a datagram on every usual path. */
import type { GridCodec } from './frame-assembler.ts';

/** Octets of a payload: 1500 less IP, UDP, RTP with extensions, SRTP and a tunnel's head. */
export const MAX_PAYLOAD = 1180;

const NAL_SEI = 6;
const NAL_DELIMITER = 9;
const NAL_FU_A = 28;
/** Octets of the VP8 payload descriptor with a picture id of 15 bits (RFC 7741 4.2). */
const VP8_DESCRIPTOR = 4;

/** Frame → the payloads that carry it, in order. `pictureId` counts frames. */
export function packetize(codec: GridCodec, frame: Uint8Array, pictureId: number): Buffer[] {
  return codec === 'H264' ? packetizeH264(frame) : packetizeVp8(frame, pictureId);
}

/**
 * The encoder makes slices that fit, so that phones of packetization-mode 0, which take nothing but
 * single NAL units (RFC 6184 6.2), get what they can read. What still is larger is fragmented.
 */
function packetizeH264(frame: Uint8Array): Buffer[] {
  return nalUnits(frame).flatMap((unit) => {
    const type = unit[0]! & 0x1f;
    // What the encoder says of itself is nothing that a decoder needs.
    if (type === NAL_SEI || type === NAL_DELIMITER) return [];

    return unit.length <= MAX_PAYLOAD ? [Buffer.from(unit)] : fragments(unit);
  });
}

function fragments(unit: Uint8Array): Buffer[] {
  const head = unit[0]!;
  const payloads: Buffer[] = [];
  for (let offset = 1; offset < unit.length; offset += MAX_PAYLOAD - 2) {
    const end = Math.min(unit.length, offset + MAX_PAYLOAD - 2);
    const start = offset === 1 ? 0x80 : 0;
    const last = end === unit.length ? 0x40 : 0;
    const header = Uint8Array.of((head & 0xe0) | NAL_FU_A, start | last | (head & 0x1f));
    payloads.push(Buffer.concat([header, unit.subarray(offset, end)]));
  }

  return payloads;
}

function packetizeVp8(frame: Uint8Array, pictureId: number): Buffer[] {
  const payloads: Buffer[] = [];
  const room = MAX_PAYLOAD - VP8_DESCRIPTOR;
  for (let offset = 0; offset < frame.length; offset += room) {
    const start = offset === 0 ? 0x10 : 0;
    const high = 0x80 | ((pictureId >> 8) & 0x7f);
    const descriptor = Uint8Array.of(0x80 | start, 0x80, high, pictureId & 0xff);
    payloads.push(Buffer.concat([descriptor, frame.subarray(offset, offset + room)]));
  }

  return payloads;
}

/** The units of a byte stream (H.264 annex B), without their start codes. */
export function nalUnits(stream: Uint8Array): Uint8Array[] {
  const units: Uint8Array[] = [];
  let start = -1;
  for (let at = 0; at + 2 < stream.length; at++) {
    if (stream[at] !== 0 || stream[at + 1] !== 0 || stream[at + 2] !== 1) continue;
    if (start >= 0) units.push(trimmed(stream.subarray(start, at)));
    start = at + 3;
    at += 2;
  }
  if (start >= 0) units.push(stream.subarray(start));

  return units.filter(({ length }) => length > 0);
}

/** A start code of four octets begins with one that looks like the end of the unit before. */
function trimmed(unit: Uint8Array): Uint8Array {
  let end = unit.length;
  while (end > 0 && unit[end - 1] === 0) end--;

  return unit.subarray(0, end);
}
