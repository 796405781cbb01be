import {
  MAX_RTP_PACKET,
  writeRtpHeaderWithLevel,
  type RtpHeader,
  type RtpPacketView,
} from '../rtp/index.ts';
import type { PublishTarget } from '../mixer/index.ts';
import type { LoopbackSocket } from './loopback-socket.ts';
import { StreamRewriter } from './stream-rewriter.ts';

/**
 * Copies a phone's own packets to the SFU as one stream with one SSRC, not transcoded, with the level
 * that was measured here written into each (RFC 6464).
 */
export class Publisher {
  readonly target: PublishTarget;
  readonly #socket: LoopbackSocket;
  readonly #rewriter: StreamRewriter;
  readonly #header: RtpHeader;
  #packetsSent = 0;

  constructor(target: PublishTarget, socket: LoopbackSocket) {
    this.target = target;
    this.#socket = socket;
    const first = Math.floor(Math.random() * 0x7fff);
    this.#rewriter = new StreamRewriter(
      target.codec.clockRate,
      first,
      Math.floor(Math.random() * 0x7fff_ffff),
    );
    this.#header = {
      marker: false,
      payloadType: target.payloadType,
      sequenceNumber: 0,
      timestamp: 0,
      ssrc: target.ssrc,
    };
  }

  /** For another thread, where `Publisher.thaw` goes on with it. */
  freeze() {
    return {
      target: this.target,
      packetsSent: this.#packetsSent,
      rewriter: this.#rewriter.freeze(),
    };
  }

  static thaw(state: ReturnType<Publisher['freeze']>, socket: LoopbackSocket): Publisher {
    const publisher = new Publisher(state.target, socket);
    publisher.#packetsSent = state.packetsSent;
    publisher.#rewriter.thaw(state.rewriter);

    return publisher;
  }

  get packetsSent(): number {
    return this.#packetsSent;
  }

  /** `level`: dBov. */
  forward(packet: RtpPacketView, level: number, voice: boolean, now: number): void {
    if (!this.#rewriter.rewrite(packet, now)) return;
    const header = this.#header;
    header.marker = this.#rewriter.marker;
    header.sequenceNumber = this.#rewriter.sequenceNumber;
    header.timestamp = this.#rewriter.timestamp;
    const out = this.#socket.buffer();
    const id = this.target.audioLevelExtensionId;
    let length = writeRtpHeaderWithLevel(out, header, id, level, voice);
    if (length + packet.payloadLength > MAX_RTP_PACKET) return;
    const end = packet.payloadOffset + packet.payloadLength;
    for (let i = packet.payloadOffset; i < end; i++) out[length++] = packet.data[i]!;
    this.#packetsSent++;
    this.#socket.send(length, this.target.port, this.target.address);
  }

  /** A packet that the browsers do not get: a key, or another codec. */
  leaveOut(packet: RtpPacketView): void {
    this.#rewriter.leaveOut(packet);
  }

  /** What follows need not fit what was: another source, or a pause (mute, hold). */
  restart(): void {
    this.#rewriter.restart();
  }
}
