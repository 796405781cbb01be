/**
 * The receiving end of one RTP stream: which source is believed, what was lost and how much it
 * jitters (RFC 3550 A.1, A.3, A.8). A phone may change its SSRC at any time (hold, transfer, early
 * media), so a stranger is taken over after a short probation and the counts of the old source are
 * kept in the totals.
 */
import type { ReportBlock } from './rtcp-packet.ts';
import type { RtpPacketView } from './rtp-packet.ts';
import { SequenceTracker, SourceProbation, timestampDifference } from './rtp-sequence.ts';

/**
 * `accepted`: use it. `new-source`: use it after jitter buffer and decoder forgot the old stream.
 * The others are to be dropped.
 */
export type ReceiveVerdict =
  'accepted' | 'new-source' | 'probation' | 'unknown-payload' | 'implausible';

/** "The cumulative number of packets lost: 24 bits", signed (RFC 3550 6.4.1). */
const MAX_LOST = 0x7fffff;
const MIN_LOST = -0x800000;

export class RtpReceiver {
  #payloadTypes: ReadonlyMap<number, { readonly clockRate: number }>;
  /** The payload type that came last, and its clock. */
  #payloadType = -1;
  #payloadClock = 0;
  readonly #probation = new SourceProbation();
  #ssrc: number | undefined;
  #sequence: SequenceTracker | undefined;

  #clockRate = 8000;
  #lastTimestamp = 0;
  #lastArrival = 0;
  /** In clock units, as the RFC's. */
  #jitter = 0;

  #octetsReceived = 0;
  #packetsOfOldSources = 0;
  #lostOfOldSources = 0;

  #expectedPrior = 0;
  #receivedPrior = 0;
  #lastSenderReport = 0;
  #lastSenderReportAt = 0;

  constructor(payloadTypes: ReadonlyMap<number, { readonly clockRate: number }>) {
    this.#payloadTypes = payloadTypes;
  }

  /** All of it but the payload types, for another thread, where `thaw` goes on with it. */
  freeze() {
    return {
      probation: this.#probation.freeze(),
      ssrc: this.#ssrc,
      sequence: this.#sequence?.freeze(),
      clockRate: this.#clockRate,
      lastTimestamp: this.#lastTimestamp,
      lastArrival: this.#lastArrival,
      jitter: this.#jitter,
      octetsReceived: this.#octetsReceived,
      packetsOfOldSources: this.#packetsOfOldSources,
      lostOfOldSources: this.#lostOfOldSources,
      expectedPrior: this.#expectedPrior,
      receivedPrior: this.#receivedPrior,
      lastSenderReport: this.#lastSenderReport,
      lastSenderReportAt: this.#lastSenderReportAt,
    };
  }

  thaw(state: ReturnType<RtpReceiver['freeze']>): void {
    ({
      ssrc: this.#ssrc,
      clockRate: this.#clockRate,
      lastTimestamp: this.#lastTimestamp,
      lastArrival: this.#lastArrival,
      jitter: this.#jitter,
      octetsReceived: this.#octetsReceived,
      packetsOfOldSources: this.#packetsOfOldSources,
      lostOfOldSources: this.#lostOfOldSources,
      expectedPrior: this.#expectedPrior,
      receivedPrior: this.#receivedPrior,
      lastSenderReport: this.#lastSenderReport,
      lastSenderReportAt: this.#lastSenderReportAt,
    } = state);
    this.#probation.thaw(state.probation);
    if (state.sequence === undefined) return;
    this.#sequence = new SequenceTracker(0);
    this.#sequence.thaw(state.sequence);
  }

  /** After a new offer/answer. */
  setPayloadTypes(payloadTypes: ReadonlyMap<number, { readonly clockRate: number }>): void {
    this.#payloadTypes = payloadTypes;
    this.#payloadType = -1;
  }

  get ssrc(): number | undefined {
    return this.#ssrc;
  }

  get packetsReceived(): number {
    return this.#packetsOfOldSources + (this.#sequence?.received ?? 0);
  }

  get octetsReceived(): number {
    return this.#octetsReceived;
  }

  /** Over all sources; duplicates never make it negative here. */
  get packetsLost(): number {
    return this.#lostOfOldSources + Math.max(0, this.#lost());
  }

  get jitterMs(): number {
    return (this.#jitter / this.#clockRate) * 1000;
  }

  receive(packet: RtpPacketView, now: number): ReceiveVerdict {
    if (packet.payloadType !== this.#payloadType) {
      const payload = this.#payloadTypes.get(packet.payloadType);
      if (payload === undefined) return 'unknown-payload';
      this.#payloadType = packet.payloadType;
      this.#payloadClock = payload.clockRate;
    }

    let verdict: ReceiveVerdict = 'accepted';
    if (packet.ssrc !== this.#ssrc || this.#sequence === undefined) {
      // The very first source is believed at once: its first word must not be cut. If it was a
      // stray, the true source takes over after its probation.
      const first = this.#sequence === undefined;
      if (!first && !this.#probation.passes(packet.ssrc, packet.sequenceNumber)) return 'probation';
      this.#startSource(packet);
      verdict = 'new-source';
    } else {
      this.#probation.reset();
      const order = this.#sequence.update(packet.sequenceNumber);
      if (order === 'implausible') return 'implausible';
      if (order === 'restarted') {
        this.#startSource(packet);
        verdict = 'new-source';
      }
    }
    this.#octetsReceived += packet.payloadLength;
    this.#measureJitter(packet, this.#payloadClock, now, verdict === 'new-source');

    return verdict;
  }

  /** An SR of the sender, for LSR and DLSR of our reports. */
  senderReport(ssrc: number, ntpSeconds: number, ntpFraction: number, now: number): void {
    if (ssrc !== this.#ssrc) return;
    // "The middle 32 bits out of 64 in the NTP timestamp".
    this.#lastSenderReport = (((ntpSeconds & 0xffff) << 16) | (ntpFraction >>> 16)) >>> 0;
    this.#lastSenderReportAt = now;
  }

  /** For our next report; each call starts a new interval. Undefined before the first packet. */
  reportBlock(now: number): ReportBlock | undefined {
    if (this.#ssrc === undefined || this.#sequence === undefined) return undefined;
    const expected = this.#sequence.expected;
    const expectedInterval = expected - this.#expectedPrior;
    const lostInterval = expectedInterval - (this.#sequence.received - this.#receivedPrior);
    this.#expectedPrior = expected;
    this.#receivedPrior = this.#sequence.received;
    const fraction =
      expectedInterval > 0 && lostInterval > 0 ? (lostInterval * 256) / expectedInterval : 0;
    const reported = this.#lastSenderReport !== 0;

    return {
      ssrc: this.#ssrc,
      fractionLost: Math.min(255, Math.floor(fraction)),
      packetsLost: Math.max(MIN_LOST, Math.min(MAX_LOST, this.#lost())),
      highestSequence: this.#sequence.extendedHighest,
      jitter: Math.floor(this.#jitter),
      lastSenderReport: this.#lastSenderReport,
      delaySinceLastSenderReport: reported ? toNtpShort(now - this.#lastSenderReportAt) : 0,
    };
  }

  #lost(): number {
    return this.#sequence === undefined ? 0 : this.#sequence.expected - this.#sequence.received;
  }

  #startSource(packet: RtpPacketView): void {
    this.#packetsOfOldSources = this.packetsReceived;
    this.#lostOfOldSources = this.packetsLost;
    this.#ssrc = packet.ssrc;
    this.#sequence = new SequenceTracker(packet.sequenceNumber);
    this.#expectedPrior = 0;
    this.#receivedPrior = 0;
    this.#lastSenderReport = 0;
    this.#probation.reset();
  }

  #measureJitter(packet: RtpPacketView, clockRate: number, now: number, restart: boolean): void {
    if (restart || clockRate !== this.#clockRate) {
      this.#jitter = restart ? 0 : (this.#jitter * clockRate) / this.#clockRate;
      this.#clockRate = clockRate;
    } else {
      const sent = timestampDifference(packet.timestamp, this.#lastTimestamp);
      // The packets of one pressed key share a timestamp (RFC 4733 2.5.1.2); a jump of seconds is
      // silence or a new clock. Neither says anything about the network.
      if (sent === 0) return;
      if (Math.abs(sent) <= 2 * clockRate) {
        const took = ((now - this.#lastArrival) * clockRate) / 1000;
        this.#jitter += (Math.abs(took - sent) - this.#jitter) / 16;
      }
    }
    this.#lastTimestamp = packet.timestamp;
    this.#lastArrival = now;
  }
}

/** Milliseconds in units of 1/65536 s, 32 bits. */
export function toNtpShort(ms: number): number {
  return Math.min(0xffffffff, Math.max(0, Math.floor((ms * 65_536) / 1000)));
}
