import type { RtcpPacket } from '../rtp/index.ts';

/** A picture of any use needs this much; whoever asks for less gets it all the same. */
const LEAST = 30_000;

/** What a phone wants at most: its SDP, and what it says of its network during the call. */
export class AskedBitrate {
  #signalled: number | undefined;
  #tmmbr: number | undefined;
  #remb: number | undefined;

  /** Bits a second; undefined: as much as there is. */
  get limit(): number | undefined {
    const limits = [this.#signalled, this.#tmmbr, this.#remb].filter((each) => each !== undefined);

    return limits.length === 0 ? undefined : Math.max(LEAST, Math.min(...limits));
  }

  signal(bitrate: number | undefined): void {
    this.#signalled = bitrate;
  }

  /**
   * For the stream of `ssrc`. Answers what acknowledges it: "a TMMBN … MUST be sent by the media sender for
   * each TMMBR" with the limit that holds and who set it (RFC 5104 4.2.2).
   */
  tmmbr(packet: Extract<RtcpPacket, { type: 'TMMBR' | 'TMMBN' }>, ssrc: number): RtcpPacket[] {
    const wanted = packet.limits.find((limit) => limit.ssrc === ssrc);
    if (wanted === undefined) return [];
    this.#tmmbr = wanted.bitrate;
    const limits = [{ ...wanted, ssrc: packet.senderSsrc }];

    return [{ type: 'TMMBN', senderSsrc: ssrc, limits }];
  }

  remb(bitrate: number): void {
    this.#remb = bitrate;
  }
}
