/**
 * Writes what rtcp-packet.ts reads.
 *
 * Size: `writeOne` is a list of the types, each in a few lines.
 */
import {
  BYE,
  CNAME,
  NACK_FORMAT,
  PLI_FORMAT,
  REPORT_BLOCK_LENGTH,
  RR,
  SDES,
  SENDER_INFO_LENGTH,
  SR,
  XR,
  type ReportBlock,
  type RtcpPacket,
} from './rtcp-packet.ts';
import { PSFB, RTPFB, writeControlFeedback } from './rtcp-feedback.ts';
import { MAX_RTP_PACKET } from './rtp-packet.ts';
import { writeVoipMetrics } from './voip-metrics.ts';

/** What the five bits of a header count. */
const MAX_ITEMS = 31;

/** Writes a compound packet and answers its octets; 0 when it does not fit. */
export function writeRtcp(out: Uint8Array, packets: readonly RtcpPacket[]): number {
  const view = new DataView(out.buffer, out.byteOffset, Math.min(out.byteLength, MAX_RTP_PACKET));
  let offset = 0;
  try {
    for (const packet of packets) offset = writeOne(view, offset, packet);
  } catch (error) {
    if (error instanceof RangeError) return 0;
    throw error;
  }

  return offset;
}

/** Answers where the next packet begins; leaving `view` throws RangeError. */
function writeOne(view: DataView, start: number, packet: RtcpPacket): number {
  switch (packet.type) {
    case 'SR': {
      view.setUint32(start + 4, packet.ssrc);
      view.setUint32(start + 8, packet.info.ntpSeconds);
      view.setUint32(start + 12, packet.info.ntpFraction);
      view.setUint32(start + 16, packet.info.rtpTimestamp);
      view.setUint32(start + 20, packet.info.packetCount);
      view.setUint32(start + 24, packet.info.octetCount);
      const end = writeReports(view, start + 8 + SENDER_INFO_LENGTH, packet.reports);

      return writeHead(view, start, end, SR, packet.reports.length);
    }
    case 'RR': {
      view.setUint32(start + 4, packet.ssrc);
      const end = writeReports(view, start + 8, packet.reports);

      return writeHead(view, start, end, RR, packet.reports.length);
    }
    case 'SDES': {
      let end = start + 4;
      for (const { ssrc, cname } of packet.chunks) {
        view.setUint32(end, ssrc);
        view.setUint8(end + 4, CNAME);
        end = writeText(view, end + 5, cname);
        // At least one null octet ends the list of items.
        end = pad(view, end, start, 1);
      }

      return writeHead(view, start, end, SDES, packet.chunks.length);
    }
    case 'BYE': {
      let end = start + 4;
      for (const ssrc of packet.ssrcs) {
        view.setUint32(end, ssrc);
        end += 4;
      }
      if (packet.reason !== undefined)
        end = pad(view, writeText(view, end, packet.reason), start, 0);

      return writeHead(view, start, end, BYE, packet.ssrcs.length);
    }
    case 'NACK': {
      view.setUint32(start + 4, packet.senderSsrc);
      view.setUint32(start + 8, packet.mediaSsrc);
      let end = start + 12;
      for (const sequence of packet.lost) {
        view.setUint32(end, (sequence & 0xffff) * 0x10000);
        end += 4;
      }

      return writeHead(view, start, end, RTPFB, NACK_FORMAT);
    }
    case 'PLI':
      view.setUint32(start + 4, packet.senderSsrc);
      view.setUint32(start + 8, packet.mediaSsrc);

      return writeHead(view, start, start + 12, PSFB, PLI_FORMAT);
    case 'FIR':
    case 'TMMBR':
    case 'TMMBN':
    case 'REMB': {
      const { end, type, format } = writeControlFeedback(view, start, packet);

      return writeHead(view, start, end, type, format);
    }
    case 'XR': {
      view.setUint32(start + 4, packet.ssrc);
      let end = start + 8;
      for (const metrics of packet.voipMetrics) end = writeVoipMetrics(view, end, metrics);

      return writeHead(view, start, end, XR, 0);
    }
  }
}

function writeHead(
  view: DataView,
  start: number,
  end: number,
  type: number,
  count: number,
): number {
  if (count > MAX_ITEMS) throw new RangeError(`${count} items in one RTCP packet`);
  view.setUint8(start, 0x80 | count);
  view.setUint8(start + 1, type);
  view.setUint16(start + 2, (end - start) / 4 - 1);

  return end;
}

function writeReports(view: DataView, start: number, reports: readonly ReportBlock[]): number {
  let at = start;
  for (const report of reports) {
    view.setUint32(at, report.ssrc);
    view.setUint32(at + 4, ((report.fractionLost << 24) | (report.packetsLost & 0xffffff)) >>> 0);
    view.setUint32(at + 8, report.highestSequence);
    view.setUint32(at + 12, report.jitter);
    view.setUint32(at + 16, report.lastSenderReport);
    view.setUint32(at + 20, report.delaySinceLastSenderReport);
    at += REPORT_BLOCK_LENGTH;
  }

  return at;
}

function writeText(view: DataView, start: number, text: string): number {
  const octets = Buffer.from(text, 'utf8').subarray(0, 255);
  view.setUint8(start, octets.length);
  for (let i = 0; i < octets.length; i++) view.setUint8(start + 1 + i, octets[i]!);

  return start + 1 + octets.length;
}

/** Null octets, `atLeast` of them, up to the next 32-bit boundary. */
function pad(view: DataView, start: number, origin: number, atLeast: number): number {
  let end = start;
  while (end < start + atLeast || (end - origin) % 4 !== 0) view.setUint8(end++, 0);

  return end;
}
