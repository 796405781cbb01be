/** Writes what rtp-packet.ts reads. */
import {
  MAX_RTP_PACKET,
  ONE_BYTE_PROFILE,
  RTP_HEADER_LENGTH,
  TWO_BYTE_PROFILE,
  type RtpHeader,
} from './rtp-packet.ts';

/** Octets of a header extension that holds the level alone. */
const AUDIO_LEVEL_EXTENSION_LENGTH = 8;

/** Writes the fixed header and answers its length; `out` must have the room. */
export function writeRtpHeader(out: Uint8Array, header: RtpHeader): number {
  out[0] = 0x80;
  out[1] = (header.marker ? 0x80 : 0) | (header.payloadType & 0x7f);
  write16(out, 2, header.sequenceNumber);
  write32(out, 4, header.timestamp);
  write32(out, 8, header.ssrc);

  return RTP_HEADER_LENGTH;
}

/**
 * As `writeRtpHeader`, with the audio level as a one-byte header extension. `id` is 1 … 14, `level`
 * in dBov.
 */
export function writeRtpHeaderWithLevel(
  out: Uint8Array,
  header: RtpHeader,
  id: number,
  level: number,
  voice: boolean,
): number {
  if (id < 1 || id > 14) throw new TypeError(`extension id ${id}`);
  const offset = writeRtpHeader(out, header);
  out[0] = 0x90;
  write16(out, offset, ONE_BYTE_PROFILE);
  write16(out, offset + 2, 1);
  out[offset + 4] = id << 4;
  const magnitude = Math.min(127, Math.max(0, Math.round(-level)));
  out[offset + 5] = (voice ? 0x80 : 0) | magnitude;
  out[offset + 6] = 0;
  out[offset + 7] = 0;

  return offset + AUDIO_LEVEL_EXTENSION_LENGTH;
}

export interface RtpExtensionElement {
  id: number;
  data: Uint8Array;
}

export interface RtpPacketParts extends RtpHeader {
  csrcs?: readonly number[];
  extensions?: readonly RtpExtensionElement[];
  payload: Uint8Array;
  /** Octets of padding, the count included; 0 … 255. */
  padding?: number;
}

/**
 * A whole packet with everything that a header can hold; answers its octets, 0 when it does not
 * fit. Elements too large for the one-byte form make it the two-byte form (RFC 8285 4.1.2).
 */
export function writeRtp(out: Uint8Array, parts: RtpPacketParts): number {
  const { csrcs = [], extensions = [], payload, padding = 0 } = parts;
  const twoByte = extensions.some(
    ({ id, data }) => id > 14 || data.length === 0 || data.length > 16,
  );
  const elements = extensions.reduce((sum, { data }) => sum + data.length + (twoByte ? 2 : 1), 0);
  const words = Math.ceil(elements / 4);
  const extension = extensions.length > 0 ? 4 + 4 * words : 0;
  const length = RTP_HEADER_LENGTH + 4 * csrcs.length + extension + payload.length + padding;
  const fits = csrcs.length <= 15 && padding <= 255 && words <= 0xffff;
  if (!fits || length > out.length || length > MAX_RTP_PACKET) return 0;

  let offset = writeRtpHeader(out, parts);
  out[0] = 0x80 | (padding > 0 ? 0x20 : 0) | (extension > 0 ? 0x10 : 0) | csrcs.length;
  for (const csrc of csrcs) {
    write32(out, offset, csrc);
    offset += 4;
  }
  if (extension > 0) {
    write16(out, offset, twoByte ? TWO_BYTE_PROFILE : ONE_BYTE_PROFILE);
    write16(out, offset + 2, words);
    writeElements(out, offset + 4, extensions, twoByte);
    out.fill(0, offset + 4 + elements, offset + extension);
    offset += extension;
  }
  out.set(payload, offset);
  offset += payload.length;
  if (padding > 0) {
    out.fill(0, offset, offset + padding - 1);
    out[offset + padding - 1] = padding;
  }

  return length;
}

function writeElements(
  out: Uint8Array,
  start: number,
  elements: readonly RtpExtensionElement[],
  twoByte: boolean,
): void {
  let offset = start;
  for (const { id, data } of elements) {
    if (twoByte) {
      out[offset++] = id;
      out[offset++] = data.length;
    } else {
      out[offset++] = (id << 4) | (data.length - 1);
    }
    out.set(data, offset);
    offset += data.length;
  }
}

function write16(out: Uint8Array, offset: number, value: number): void {
  out[offset] = value >>> 8;
  out[offset + 1] = value;
}

function write32(out: Uint8Array, offset: number, value: number): void {
  out[offset] = value >>> 24;
  out[offset + 1] = value >>> 16;
  out[offset + 2] = value >>> 8;
  out[offset + 3] = value;
}
