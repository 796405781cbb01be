export { MAX_RTP_PACKET, RTP_HEADER_LENGTH, RtpPacketView, isRtcp } from './rtp-packet.ts';
export type { RtpHeader } from './rtp-packet.ts';
export { writeRtp, writeRtpHeader, writeRtpHeaderWithLevel } from './rtp-writer.ts';
export type { RtpExtensionElement, RtpPacketParts } from './rtp-writer.ts';
export { RtpReceiver } from './rtp-receiver.ts';
export type { ReceiveVerdict } from './rtp-receiver.ts';
export { RtpSender } from './rtp-sender.ts';
export { parseRtcp } from './rtcp-packet.ts';
export { writeRtcp } from './rtcp-writer.ts';
export type { ReportBlock, RtcpPacket, SenderInfo } from './rtcp-packet.ts';
export { UNAVAILABLE } from './voip-metrics.ts';
export type { VoipMetrics } from './voip-metrics.ts';
export { RtcpScheduler } from './rtcp-scheduler.ts';
export {
  adoptSocket,
  closeReleased,
  freezeSocket,
  openBatchedSocket,
  pollBatchedSockets,
} from './batched-udp.ts';
export type { FrozenSocket, PacketSocket } from './batched-udp.ts';
export { RtpSocket } from './rtp-socket.ts';
export type {
  PacketSecurity,
  RtpRemote,
  RtpSocketHandlers,
  RtpSocketOptions,
} from './rtp-socket.ts';
export type { RtpSocketCounters } from './rtp-socket-counters.ts';
export { bindUdpSocket, closeUdpSocket } from './udp-socket.ts';
export { PortAllocator } from './port-allocator.ts';
export type { PortPair } from './port-allocator.ts';
export { JitterBuffer } from './jitter-buffer.ts';
export type { JitterBufferOptions, JitterFrame } from './jitter-buffer.ts';
export type { JitterCounters } from './jitter-counters.ts';
export { DtmfReceiver } from './dtmf-event.ts';
export { DtmfSender } from './dtmf-sender.ts';
export type { EventFormat } from './dtmf-sender.ts';
export { INBAND_LOOK_AHEAD, InbandDtmf } from './inband-dtmf.ts';
export { sequenceDifference, timestampDifference } from './rtp-sequence.ts';
