import { RtpPacketView, writeRtp, type RtpPacketParts } from '../../../media/rtp/index.ts';

/** The octets of a packet: whatever is not named is 0. */
export function rtpBytes(parts: Partial<RtpPacketParts> = {}): Uint8Array {
  const out = new Uint8Array(1500);
  const length = writeRtp(out, {
    marker: false,
    payloadType: 0,
    sequenceNumber: 0,
    timestamp: 0,
    ssrc: 1,
    payload: new Uint8Array(160),
    ...parts,
  });
  if (length === 0) throw new Error('the packet does not fit');

  return out.slice(0, length);
}

/** A view of its own, so that several packets can be held. */
export function rtpPacket(parts: Partial<RtpPacketParts> = {}): RtpPacketView {
  const view = new RtpPacketView();
  if (!view.parse(rtpBytes(parts))) throw new Error('not RTP');

  return view;
}
