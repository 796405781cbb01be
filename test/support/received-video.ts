import { isRtcp, RtpPacketView, sequenceDifference } from '../../media/rtp/index.ts';
import type { CapturedPacket } from './packet-capture.ts';

/** PCMU, which phones with video speak in tests. */
const AUDIO_PAYLOAD_TYPE = 0;

/** What a capture shows of the one video stream that a phone was sent. */
export interface ReceivedVideo {
  readonly packets: readonly CapturedPacket[];
  readonly ssrcs: readonly number[];
  readonly payloadTypes: readonly number[];
  /** Numbers between the first and the last that never came. */
  readonly missing: number;
  /** Packets that came again or late: retransmissions are. */
  readonly repeated: number;
  /** Timestamps that went back in packets that were new. */
  readonly backwards: number;
}

export function receivedVideo(
  capture: readonly CapturedPacket[],
  ports: { min: number; max: number },
): ReceivedVideo {
  const view = new RtpPacketView();
  const ssrcs = new Set<number>();
  const payloadTypes = new Set<number>();
  const packets: CapturedPacket[] = [];
  let [missing, repeated, backwards] = [0, 0, 0];
  let last: { sequence: number; timestamp: number } | undefined;
  for (const packet of capture) {
    const { destinationPort, payload } = packet;
    if (destinationPort < ports.min || destinationPort > ports.max) continue;
    const data = Buffer.from(payload);
    if (isRtcp(data) || !view.parse(data) || view.payloadType === AUDIO_PAYLOAD_TYPE) continue;
    packets.push(packet);
    ssrcs.add(view.ssrc);
    payloadTypes.add(view.payloadType);
    const step = last === undefined ? 1 : sequenceDifference(view.sequenceNumber, last.sequence);
    if (step <= 0) {
      repeated++;
      continue;
    }
    missing += step - 1;
    if (last !== undefined && ((view.timestamp - last.timestamp) | 0) < 0) backwards++;
    last = { sequence: view.sequenceNumber, timestamp: view.timestamp };
  }

  return {
    packets,
    ssrcs: [...ssrcs],
    payloadTypes: [...payloadTypes],
    missing,
    repeated,
    backwards,
  };
}
