/**
 * What a receiver of video asks its sender for beyond RFC 4585: a full intra picture (FIR) and a bit rate
 * (TMMBR, acknowledged by TMMBN) of RFC 5104, and the bit rate in the form of Chromium (REMB,
 * draft-alvestrand-rmcat-remb-03).
 */

export interface BitrateLimit {
  /** TMMBR: the sender that is limited. TMMBN: who set the limit. */
  ssrc: number;
  /** Bits a second. */
  bitrate: number;
  /** Octets a packet below RTP that count too. */
  overhead: number;
}

export type ControlFeedback =
  | { type: 'FIR'; senderSsrc: number; requests: { ssrc: number; sequence: number }[] }
  | { type: 'TMMBR' | 'TMMBN'; senderSsrc: number; limits: BitrateLimit[] }
  | { type: 'REMB'; senderSsrc: number; bitrate: number; ssrcs: number[] };

/** Packet types of feedback: about the transport, and about the payload (RFC 4585 6.1). */
export const RTPFB = 205;
export const PSFB = 206;

const TMMBR_FORMAT = 3;
const TMMBN_FORMAT = 4;
const FIR_FORMAT = 4;
const APPLICATION_FORMAT = 15;
const REMB_NAME = 0x52454d42;
const ENTRY_LENGTH = 8;
/** Behind the common header: the SSRCs of sender and media source. */
const FCI = 8;

/** `body` begins behind the common header. */
export function readControlFeedback(
  type: number,
  format: number,
  body: DataView,
): ControlFeedback | 'malformed' | 'unknown' {
  if (type === PSFB && format === APPLICATION_FORMAT) return readRemb(body);
  const isFir = type === PSFB && format === FIR_FORMAT;
  const isLimit = type === RTPFB && (format === TMMBR_FORMAT || format === TMMBN_FORMAT);
  if (!isFir && !isLimit) return 'unknown';
  // "The length of the FCI … MUST be 2*N" words, so that the whole is a number of entries.
  if (body.byteLength < FCI || (body.byteLength - FCI) % ENTRY_LENGTH !== 0) return 'malformed';
  const senderSsrc = body.getUint32(0);
  const offsets: number[] = [];
  for (let at = FCI; at < body.byteLength; at += ENTRY_LENGTH) offsets.push(at);
  if (isFir) {
    const requests = offsets.map((at) => ({
      ssrc: body.getUint32(at),
      sequence: body.getUint8(at + 4),
    }));

    return { type: 'FIR', senderSsrc, requests };
  }
  const limits = offsets.map((at) => readLimit(body, at));

  return { type: format === TMMBR_FORMAT ? 'TMMBR' : 'TMMBN', senderSsrc, limits };
}

/** Writes from `start` on all but the common header; leaving `view` throws RangeError. */
export function writeControlFeedback(
  view: DataView,
  start: number,
  packet: ControlFeedback,
): { end: number; type: number; format: number } {
  view.setUint32(start + 4, packet.senderSsrc);
  // "SSRC of media source … is not used and SHALL be set to 0" (RFC 5104 4.2.1.2, 4.3.1.2).
  view.setUint32(start + 8, 0);
  let at = start + 12;
  if (packet.type === 'REMB') {
    view.setUint32(at, REMB_NAME);
    const { mantissa, exponent } = toFloat(packet.bitrate, 18);
    view.setUint32(at + 4, packet.ssrcs.length * 2 ** 24 + exponent * 2 ** 18 + mantissa);
    at += 8;
    for (const ssrc of packet.ssrcs) {
      view.setUint32(at, ssrc);
      at += 4;
    }

    return { end: at, type: PSFB, format: APPLICATION_FORMAT };
  }
  if (packet.type === 'FIR') {
    for (const { ssrc, sequence } of packet.requests) {
      view.setUint32(at, ssrc);
      view.setUint32(at + 4, (sequence & 0xff) * 2 ** 24);
      at += ENTRY_LENGTH;
    }

    return { end: at, type: PSFB, format: FIR_FORMAT };
  }
  for (const { ssrc, bitrate, overhead } of packet.limits) {
    const { mantissa, exponent } = toFloat(bitrate, 17);
    view.setUint32(at, ssrc);
    view.setUint32(at + 4, exponent * 2 ** 26 + mantissa * 2 ** 9 + Math.min(511, overhead));
    at += ENTRY_LENGTH;
  }

  return { end: at, type: RTPFB, format: packet.type === 'TMMBR' ? TMMBR_FORMAT : TMMBN_FORMAT };
}

/** "MxTBR = mantissa * 2^exp" of 17 and 6 bits, and 9 bits of overhead (4.2.1.1). */
function readLimit(body: DataView, at: number): BitrateLimit {
  const word = body.getUint32(at + 4);

  return {
    ssrc: body.getUint32(at),
    bitrate: ((word >>> 9) & 0x1ffff) * 2 ** (word >>> 26),
    overhead: word & 0x1ff,
  };
}

function readRemb(body: DataView): ControlFeedback | 'malformed' | 'unknown' {
  if (body.byteLength < 16 || body.getUint32(FCI) !== REMB_NAME) return 'unknown';
  const word = body.getUint32(FCI + 4);
  const count = word >>> 24;
  if (body.byteLength < 16 + 4 * count) return 'malformed';
  const ssrcs: number[] = [];
  for (let i = 0; i < count; i++) ssrcs.push(body.getUint32(16 + 4 * i));
  const bitrate = (word & 0x3ffff) * 2 ** ((word >>> 18) & 0x3f);

  return { type: 'REMB', senderSsrc: body.getUint32(0), bitrate, ssrcs };
}

/** Rounded down: a limit must not grow on its way. */
function toFloat(value: number, bits: number): { mantissa: number; exponent: number } {
  let mantissa = Math.max(0, Math.floor(value));
  let exponent = 0;
  while (mantissa >= 2 ** bits && exponent < 63) {
    mantissa = Math.floor(mantissa / 2);
    exponent++;
  }

  return { mantissa: Math.min(mantissa, 2 ** bits - 1), exponent };
}
