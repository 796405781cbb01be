import type { types as mediasoup } from 'mediasoup';

/** Streams between the SFU and the mixer never leave the machine. */
const LOOPBACK = '127.0.0.1';

export interface PortRange {
  min: number;
  max: number;
}

/** What mediasoup may bind by itself; lower ports belong to servers. */
const USABLE: PortRange = { min: 10_000, max: 59_999 };

/**
 * Ports for the loopback: the larger part of what phones do not use, so that neither takes the
 * other's when both are on the same address.
 */
export function loopbackPorts(phones: PortRange): PortRange {
  const below = { min: USABLE.min, max: Math.min(USABLE.max, phones.min - 1) };
  const above = { min: Math.max(USABLE.min, phones.max + 1), max: USABLE.max };
  const best = above.max - above.min > below.max - below.min ? above : below;

  return best.max - best.min > 1000 ? best : USABLE;
}

/**
 * The mixer sends RTP and RTCP from one socket and takes both on one, so both are on one port here
 * too (RFC 5761). With `comedia` the first packet tells where the mixer is.
 */
export function openLoopback(
  router: mediasoup.Router,
  ports: PortRange,
  comedia: boolean,
  ip = LOOPBACK,
): Promise<mediasoup.PlainTransport> {
  return router.createPlainTransport({
    listenInfo: { protocol: 'udp', ip, portRange: ports },
    rtcpMux: true,
    comedia,
  });
}
