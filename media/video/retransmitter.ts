import { randomInt } from 'node:crypto';
import { RTP_HEADER_LENGTH, writeRtpHeader, type RtpHeader } from '../rtp/index.ts';
import { LONGEST_PACKET, type WrittenPacket } from './picture-writer.ts';
import { SentPackets } from './sent-packets.ts';

/** Octets before the payload: "the original sequence number" (RFC 4588 4). */
const OSN_LENGTH = 2;

/** Packets a second that are sent again: more does not repair a picture, it fills the network that loses them. */
const MOST_A_SECOND = 200;

const out = new Uint8Array(LONGEST_PACKET + OSN_LENGTH);

/** Sends again what a phone lost: in a stream of its own where RTX is agreed on, else as it was. */
export class Retransmitter {
  readonly #sent = new SentPackets();
  readonly #send: (data: Uint8Array, length: number) => void;
  readonly #header: RtpHeader = {
    marker: false,
    payloadType: 0,
    sequenceNumber: randomInt(0x1_0000),
    timestamp: 0,
    ssrc: randomInt(1, 0xffff_ffff),
  };
  #rtxPayloadType: number | undefined;
  #count = 0;
  #secondBegan = -Infinity;
  #inSecond = 0;

  constructor(send: (data: Uint8Array, length: number) => void) {
    this.#send = send;
  }

  get ssrc(): number {
    return this.#header.ssrc;
  }

  /** Packets sent again. */
  get count(): number {
    return this.#count;
  }

  /** Undefined: no RTX. */
  configure(rtxPayloadType: number | undefined): void {
    this.#rtxPayloadType = rtxPayloadType;
  }

  keep(packet: WrittenPacket, now: number): void {
    this.#sent.put(packet.sequence, packet.data, packet.length, now);
  }

  resend(lost: readonly number[], now: number): void {
    if (now - this.#secondBegan >= 1000) {
      this.#secondBegan = now;
      this.#inSecond = 0;
    }
    for (const sequence of lost) {
      if (this.#inSecond >= MOST_A_SECOND) return;
      const packet = this.#sent.take(sequence, now);
      if (packet === undefined) continue;
      this.#count++;
      this.#inSecond++;
      if (this.#rtxPayloadType === undefined) this.#send(packet.data, packet.length);
      else this.#sendRtx(packet.data, packet.length, sequence, this.#rtxPayloadType);
    }
  }

  /** "The payload … is preceded by the OSN", under a number and an SSRC of its own (RFC 4588 4, 5.1). */
  #sendRtx(data: Uint8Array, length: number, sequence: number, payloadType: number): void {
    const header = this.#header;
    header.payloadType = payloadType;
    header.marker = data[1]! >= 0x80;
    header.timestamp = new DataView(data.buffer, data.byteOffset).getUint32(4);
    const at = writeRtpHeader(out, header);
    header.sequenceNumber = (header.sequenceNumber + 1) & 0xffff;
    out[at] = sequence >> 8;
    out[at + 1] = sequence;
    out.set(data.subarray(RTP_HEADER_LENGTH, length), at + OSN_LENGTH);
    this.#send(out, length + OSN_LENGTH);
  }
}
