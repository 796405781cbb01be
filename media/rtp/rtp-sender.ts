/**
 * The sending end of one RTP stream: one SSRC and one continuous run of sequence numbers and
 * timestamps for the whole call, whatever codec or source feeds it.
 */
import { randomBytes } from 'node:crypto';
import type { ReportBlock, SenderInfo } from './rtcp-packet.ts';
import type { RtpHeader } from './rtp-packet.ts';
import { toNtpShort } from './rtp-receiver.ts';
import { writeRtpHeader } from './rtp-writer.ts';

/** Seconds from 1900 to 1970. */
const NTP_EPOCH = 2_208_988_800;
/** Milliseconds; more is not a round trip but nonsense. */
const MAX_ROUND_TRIP = 60_000;

export class RtpSender {
  #header: RtpHeader;
  #clockRate: number;
  #packetsSent = 0;
  #octetsSent = 0;
  #lastSentAt = 0;
  #lastTimestamp = 0;
  #markNext = true;

  /** "The initial value of the sequence number/timestamp SHOULD be random" (RFC 3550 5.1). */
  constructor(clockRate: number, ssrc: number = randomBytes(4).readUInt32BE()) {
    const random = randomBytes(6);
    this.#clockRate = clockRate;
    this.#header = {
      marker: false,
      payloadType: 0,
      sequenceNumber: random.readUInt16BE(0),
      timestamp: random.readUInt32BE(2),
      ssrc,
    };
  }

  /** All of it, for another thread, where `thaw` goes on with it. */
  freeze() {
    return {
      header: this.#header,
      clockRate: this.#clockRate,
      packetsSent: this.#packetsSent,
      octetsSent: this.#octetsSent,
      lastSentAt: this.#lastSentAt,
      lastTimestamp: this.#lastTimestamp,
      markNext: this.#markNext,
    };
  }

  thaw(state: ReturnType<RtpSender['freeze']>): void {
    ({
      header: this.#header,
      clockRate: this.#clockRate,
      packetsSent: this.#packetsSent,
      octetsSent: this.#octetsSent,
      lastSentAt: this.#lastSentAt,
      lastTimestamp: this.#lastTimestamp,
      markNext: this.#markNext,
    } = state);
  }

  get ssrc(): number {
    return this.#header.ssrc;
  }

  /** What follows is another stream, as whoever it goes to has been told. */
  setSsrc(ssrc: number): void {
    this.#header.ssrc = ssrc;
  }

  get packetsSent(): number {
    return this.#packetsSent;
  }

  get octetsSent(): number {
    return this.#octetsSent;
  }

  /** Of the next packet of audio. */
  get timestamp(): number {
    return this.#header.timestamp;
  }

  /** Of the codec that is sent from now on; sequence number and timestamp run on. */
  setClockRate(clockRate: number): void {
    this.#clockRate = clockRate;
  }

  /**
   * Writes the header of the next packet, answers its length, and steps on by `duration` clock
   * units. The first packet after silence has the marker (RFC 3551 4.1).
   */
  writeHeader(
    out: Uint8Array,
    payloadType: number,
    duration: number,
    payloadLength: number,
    now: number,
    marker = false,
  ): number {
    const header = this.#header;
    header.marker = marker || this.#markNext;
    header.payloadType = payloadType;
    const length = writeRtpHeader(out, header);
    this.#lastTimestamp = header.timestamp;
    this.#lastSentAt = now;
    this.#markNext = false;
    this.#packetsSent++;
    this.#octetsSent += payloadLength;
    header.sequenceNumber = (header.sequenceNumber + 1) & 0xffff;
    header.timestamp = (header.timestamp + duration) >>> 0;

    return length;
  }

  /** A packet beside the audio, with a timestamp of its own; the audio's clock stays where it is. */
  writeEventHeader(
    out: Uint8Array,
    event: { payloadType: number; timestamp: number; marker: boolean; payloadLength: number },
  ): number {
    const header = this.#header;
    const { sequenceNumber } = header;
    header.sequenceNumber = (sequenceNumber + 1) & 0xffff;
    this.#packetsSent++;
    this.#octetsSent += event.payloadLength;
    const { payloadType, timestamp, marker } = event;

    return writeRtpHeader(out, { payloadType, timestamp, marker, sequenceNumber, ssrc: this.ssrc });
  }

  /**
   * As `writeHeader`, with the timestamp and the marker of whoever cut the stream into packets: of video,
   * where all packets of a picture have one timestamp and the last one has the marker.
   */
  writeHeaderAt(
    out: Uint8Array,
    payloadType: number,
    timestamp: number,
    marker: boolean,
    payloadLength: number,
    now: number,
  ): number {
    this.#markNext = false;
    this.#header.timestamp = timestamp;

    return this.writeHeader(out, payloadType, 0, payloadLength, now, marker);
  }

  /** Packets that were lost before they reached us: the gap is passed on, so that it is seen. */
  skipSequence(count: number): void {
    this.#header.sequenceNumber = (this.#header.sequenceNumber + count) & 0xffff;
  }

  /** Of the next packet. */
  get nextSequence(): number {
    return this.#header.sequenceNumber;
  }

  /** Time passes without a packet. */
  skip(duration: number): void {
    this.#header.timestamp = (this.#header.timestamp + duration) >>> 0;
    this.#markNext = true;
  }

  /** For a sender report; undefined before the first packet. */
  senderInfo(now: number, wallTime: number): SenderInfo | undefined {
    if (this.#packetsSent === 0) return undefined;
    const seconds = Math.floor(wallTime / 1000);
    const sinceLast = ((now - this.#lastSentAt) * this.#clockRate) / 1000;

    return {
      ntpSeconds: (seconds + NTP_EPOCH) % 2 ** 32,
      ntpFraction: Math.floor((wallTime / 1000 - seconds) * 2 ** 32),
      // "Corresponds to the same time as the NTP timestamp, but in the same units and with the same
      // random offset as the RTP timestamps in data packets."
      rtpTimestamp: (this.#lastTimestamp + Math.round(sinceLast)) >>> 0,
      packetCount: this.#packetsSent % 2 ** 32,
      octetCount: this.#octetsSent % 2 ** 32,
    };
  }

  /** Milliseconds to the peer and back by its report about us: "A - LSR - DLSR" (RFC 3550 6.4.1). */
  roundTrip(block: ReportBlock, wallTime: number): number | undefined {
    if (block.ssrc !== this.ssrc || block.lastSenderReport === 0) return undefined;
    const seconds = Math.floor(wallTime / 1000);
    const fraction = toNtpShort(wallTime - seconds * 1000) & 0xffff;
    const arrival = ((((seconds + NTP_EPOCH) & 0xffff) << 16) | fraction) >>> 0;
    const units = (arrival - block.lastSenderReport - block.delaySinceLastSenderReport) >>> 0;
    const ms = (units * 1000) / 65_536;

    return ms <= MAX_ROUND_TRIP ? ms : undefined;
  }
}
