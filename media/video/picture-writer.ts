import { RTP_HEADER_LENGTH, type RtpSender } from '../rtp/index.ts';
import type { VideoCodecName } from '../video-api.ts';
import { beginsIdr, hasSps, type ParameterSets } from './h264.ts';
import type { VideoPacket } from './reorder-buffer.ts';
import { LONGEST_UNIT, SingleNalPackets } from './single-nal.ts';
import { TimestampLine } from './timestamp-line.ts';
import { Vp8Continuity } from './vp8.ts';

/** The longest packet that is written. */
export const LONGEST_PACKET = RTP_HEADER_LENGTH + LONGEST_UNIT;

/** Packets are written one at a time and leave at once, so that all phones share the space. */
const out = new Uint8Array(LONGEST_PACKET);

export interface WriterFormat {
  codec: VideoCodecName;
  payloadType: number;
  packetizationMode: 0 | 1;
}

export interface WrittenPacket {
  /** Good during the call only. */
  data: Uint8Array;
  length: number;
  sequence: number;
}

/**
 * What a phone is sent: one SSRC, one run of sequence numbers, timestamps and picture IDs, whatever source
 * it comes from; in the form that the phone takes.
 */
export class PictureWriter {
  readonly #sender: RtpSender;
  readonly #send: (packet: WrittenPacket, now: number) => void;
  readonly #line = new TimestampLine();
  readonly #vp8 = new Vp8Continuity();
  #single = new SingleNalPackets();
  #format: WriterFormat | undefined;
  #tooLong = 0;
  /** Nothing of the source was written yet. */
  #fresh = true;

  constructor(sender: RtpSender, send: (packet: WrittenPacket, now: number) => void) {
    this.#sender = sender;
    this.#send = send;
  }

  /** NAL units that found no place in a packet. */
  get tooLong(): number {
    return this.#tooLong + this.#single.tooLong;
  }

  configure(format: WriterFormat): void {
    this.#format = format;
  }

  /** Another source follows. */
  restart(): void {
    this.#line.restart();
    this.#vp8.restart();
    this.#tooLong += this.#single.tooLong;
    this.#single = new SingleNalPackets();
    this.#fresh = true;
  }

  /** The next packet of the source, `lostBefore` packets after the one before. */
  write(packet: VideoPacket, lostBefore: number, sets: ParameterSets, now: number): void {
    const format = this.#format;
    if (format === undefined) return;
    // The phone must see that something is missing, or it decodes nonsense.
    this.#sender.skipSequence(lostBefore);
    // Padding alone, of a sender that probes its bandwidth: as if it had never been there.
    if (packet.payload.length === 0) return;
    const units = this.#units(format, packet, lostBefore, sets);
    const timestamp = this.#line.map(packet.timestamp, now);
    units.forEach((unit, i) => {
      this.#writeOne(format, unit, timestamp, packet.marker && i === units.length - 1, now);
    });
  }

  #units(
    format: WriterFormat,
    packet: VideoPacket,
    lostBefore: number,
    sets: ParameterSets,
  ): Uint8Array[] {
    if (format.codec === 'VP8') return [packet.payload];
    const units =
      format.packetizationMode === 1
        ? [packet.payload]
        : this.#single.push(packet.payload, packet.timestamp, lostBefore > 0);
    if (!beginsIdr(packet.payload)) return units;
    // What came before this packet, sets in packets of their own too, was not for this phone.
    const isFirst = this.#fresh;
    this.#fresh = false;
    const hasThem = isFirst ? hasSps(packet.payload) : sets.cameWith(packet.timestamp);

    return hasThem ? units : [...sets.units(), ...units];
  }

  #writeOne(
    { codec, payloadType }: WriterFormat,
    payload: Uint8Array,
    timestamp: number,
    marker: boolean,
    now: number,
  ): void {
    if (RTP_HEADER_LENGTH + payload.length > LONGEST_PACKET) {
      this.#tooLong++;

      return;
    }
    const sequence = this.#sender.nextSequence;
    const { length } = payload;
    const header = this.#sender.writeHeaderAt(out, payloadType, timestamp, marker, length, now);
    out.set(payload, header);
    if (codec === 'VP8') this.#vp8.rewrite(out.subarray(header, header + length));
    this.#send({ data: out, length: header + length, sequence }, now);
  }
}
