/**
 * RTCP packets: SR, RR, SDES, BYE (RFC 3550 6), the feedback NACK and PLI (RFC 4585 6.2.1, 6.3.1), what
 * RFC 5104 adds to it, and the VoIP metrics of XR (RFC 3611 4.7). They are rare, so they become plain values; what comes from the network is bounded
 * by the size of a datagram and never throws.
 */
import { PSFB, readControlFeedback, RTPFB, type ControlFeedback } from './rtcp-feedback.ts';
import { MAX_RTP_PACKET } from './rtp-packet.ts';
import { readExtendedReport, type VoipMetrics } from './voip-metrics.ts';

export interface ReportBlock {
  /** Whom it is about. */
  ssrc: number;
  /** Since the last report, in 1/256. */
  fractionLost: number;
  /** In total; negative when duplicates outnumber losses. */
  packetsLost: number;
  /** With cycles in the upper 16 bits. */
  highestSequence: number;
  /** Clock units. */
  jitter: number;
  lastSenderReport: number;
  /** Units of 1/65536 s. */
  delaySinceLastSenderReport: number;
}

export interface SenderInfo {
  ntpSeconds: number;
  ntpFraction: number;
  rtpTimestamp: number;
  packetCount: number;
  octetCount: number;
}

export type RtcpPacket =
  | { type: 'SR'; ssrc: number; info: SenderInfo; reports: ReportBlock[] }
  | { type: 'RR'; ssrc: number; reports: ReportBlock[] }
  | { type: 'SDES'; chunks: { ssrc: number; cname: string }[] }
  | { type: 'BYE'; ssrcs: number[]; reason?: string }
  | { type: 'NACK'; senderSsrc: number; mediaSsrc: number; lost: number[] }
  | { type: 'PLI'; senderSsrc: number; mediaSsrc: number }
  | ControlFeedback
  | { type: 'XR'; ssrc: number; voipMetrics: VoipMetrics[] };

export const SR = 200;
export const RR = 201;
export const SDES = 202;
export const BYE = 203;
export const XR = 207;
export const NACK_FORMAT = 1;
export const PLI_FORMAT = 1;
export const CNAME = 1;
export const REPORT_BLOCK_LENGTH = 24;
export const SENDER_INFO_LENGTH = 20;

/**
 * The packets of a compound or reduced-size packet; undefined when it fails the checks of RFC 3550 A.2.
 * Types and blocks that are not known are left out.
 */
export function parseRtcp(data: Uint8Array): RtcpPacket[] | undefined {
  if (data.length < 8 || data.length > MAX_RTP_PACKET || data.length % 4 !== 0) return undefined;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const packets: RtcpPacket[] = [];
  let offset = 0;
  while (offset < data.length) {
    const first = data[offset]!;
    const type = data[offset + 1]!;
    if (first >> 6 !== 2) return undefined;
    // A.2 wants SR or RR first, which RFC 5506 no longer does: whoever sends reduced-size packets
    // without having agreed on it loses nothing here, for each packet is checked by itself.
    if (type < SR || type > XR) return undefined;
    let end = offset + 4 + 4 * view.getUint16(offset + 2);
    if (end > data.length) return undefined;
    const next = end;
    if ((first & 0x20) !== 0) {
      // "The padding bit (P) should be zero" for all but the last packet.
      const padding = data[end - 1]!;
      if (next !== data.length || padding === 0 || padding % 4 !== 0) return undefined;
      end -= padding;
      if (end < offset + 4) return undefined;
    }
    const body = new DataView(data.buffer, data.byteOffset + offset + 4, end - offset - 4);
    const packet = parseOne(type, first & 0x1f, body);
    if (packet === 'malformed') return undefined;
    if (packet !== 'unknown') packets.push(packet);
    offset = next;
  }

  return packets;
}

function parseOne(
  type: number,
  count: number,
  body: DataView,
): RtcpPacket | 'malformed' | 'unknown' {
  switch (type) {
    case SR: {
      const start = 4 + SENDER_INFO_LENGTH;
      if (body.byteLength < start + count * REPORT_BLOCK_LENGTH) return 'malformed';
      const info = readSenderInfo(body);

      return {
        type: 'SR',
        ssrc: body.getUint32(0),
        info,
        reports: readReports(body, start, count),
      };
    }
    case RR:
      if (body.byteLength < 4 + count * REPORT_BLOCK_LENGTH) return 'malformed';

      return { type: 'RR', ssrc: body.getUint32(0), reports: readReports(body, 4, count) };
    case SDES:
      return readSdes(body, count);
    case BYE:
      return readBye(body, count);
    case RTPFB:
      return count === NACK_FORMAT ? readNack(body) : readControlFeedback(type, count, body);
    case PSFB:
      if (count !== PLI_FORMAT) return readControlFeedback(type, count, body);
      if (body.byteLength < 8) return 'malformed';

      return { type: 'PLI', senderSsrc: body.getUint32(0), mediaSsrc: body.getUint32(4) };
    case XR:
      return readExtendedReport(body);
    default:
      return 'unknown';
  }
}

function readSenderInfo(body: DataView): SenderInfo {
  return {
    ntpSeconds: body.getUint32(4),
    ntpFraction: body.getUint32(8),
    rtpTimestamp: body.getUint32(12),
    packetCount: body.getUint32(16),
    octetCount: body.getUint32(20),
  };
}

function readReports(body: DataView, start: number, count: number): ReportBlock[] {
  const reports: ReportBlock[] = [];
  for (let i = 0; i < count; i++) {
    const at = start + i * REPORT_BLOCK_LENGTH;
    const loss = body.getUint32(at + 4);
    reports.push({
      ssrc: body.getUint32(at),
      fractionLost: loss >>> 24,
      packetsLost: (loss << 8) >> 8,
      highestSequence: body.getUint32(at + 8),
      jitter: body.getUint32(at + 12),
      lastSenderReport: body.getUint32(at + 16),
      delaySinceLastSenderReport: body.getUint32(at + 20),
    });
  }

  return reports;
}

function readSdes(body: DataView, count: number): RtcpPacket | 'malformed' {
  const chunks: { ssrc: number; cname: string }[] = [];
  let offset = 0;
  for (let i = 0; i < count; i++) {
    if (offset + 4 > body.byteLength) return 'malformed';
    const chunk = { ssrc: body.getUint32(offset), cname: '' };
    offset += 4;
    for (;;) {
      if (offset >= body.byteLength) return 'malformed';
      const item = body.getUint8(offset++);
      if (item === 0) break;
      if (offset >= body.byteLength) return 'malformed';
      const length = body.getUint8(offset++);
      if (offset + length > body.byteLength) return 'malformed';
      if (item === CNAME) chunk.cname = readText(body, offset, length);
      offset += length;
    }
    // "terminated by one or more null octets ... to pad until the next 32-bit boundary".
    offset = Math.ceil(offset / 4) * 4;
    chunks.push(chunk);
  }

  return { type: 'SDES', chunks };
}

function readBye(body: DataView, count: number): RtcpPacket | 'malformed' {
  const end = 4 * count;
  if (body.byteLength < end) return 'malformed';
  const ssrcs: number[] = [];
  for (let offset = 0; offset < end; offset += 4) ssrcs.push(body.getUint32(offset));
  if (body.byteLength === end) return { type: 'BYE', ssrcs };
  const length = body.getUint8(end);
  if (end + 1 + length > body.byteLength) return 'malformed';

  return { type: 'BYE', ssrcs, reason: readText(body, end + 1, length) };
}

function readNack(body: DataView): RtcpPacket | 'malformed' {
  if (body.byteLength < 12) return 'malformed';
  const lost: number[] = [];
  for (let offset = 8; offset + 4 <= body.byteLength; offset += 4) {
    const first = body.getUint16(offset);
    const following = body.getUint16(offset + 2);
    lost.push(first);
    for (let bit = 0; bit < 16; bit++) {
      if ((following & (1 << bit)) !== 0) lost.push((first + bit + 1) & 0xffff);
    }
  }

  return { type: 'NACK', senderSsrc: body.getUint32(0), mediaSsrc: body.getUint32(4), lost };
}

function readText(body: DataView, offset: number, length: number): string {
  return Buffer.from(body.buffer, body.byteOffset + offset, length).toString('utf8');
}
