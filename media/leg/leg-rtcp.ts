import { randomToken, type Clock } from '../../base/index.ts';
import {
  MAX_RTP_PACKET,
  parseRtcp,
  RtcpScheduler,
  writeRtcp,
  type ReportBlock,
  type RtcpPacket,
  type RtpReceiver,
  type RtpSender,
  type VoipMetrics,
} from '../rtp/index.ts';

/** Reports are written one at a time and leave at once, so that all legs share the space. */
const out = new Uint8Array(MAX_RTP_PACKET);

export interface LegRtcpOptions {
  clock: Clock;
  receiver: RtpReceiver;
  sender: RtpSender;
  send(data: Uint8Array, length: number): void;
  /** About the source of this SSRC; undefined where the phone did not ask for it. */
  voipMetrics?(ssrc: number): VoipMetrics | undefined;
  /** What is neither a report nor a name. */
  onFeedback?(packet: RtcpPacket): void;
}

/** The reports of one stream of a phone, both ways. */
export class LegRtcp {
  readonly #options: LegRtcpOptions;
  readonly #scheduler: RtcpScheduler;
  /** "SHOULD be … a per-session pseudo-random value", which tells nobody who is here (RFC 7022 4.2). */
  #cname = randomToken();
  #roundTrip: number | undefined;
  #reportedLossPercent = 0;
  #remoteMos: number | undefined;
  #started = false;

  constructor(options: LegRtcpOptions) {
    this.#options = options;
    this.#scheduler = new RtcpScheduler({
      clock: options.clock,
      send: () => this.#send([]),
    });
  }

  /** Milliseconds; undefined before the first report about us. */
  get roundTrip(): number | undefined {
    return this.#roundTrip;
  }

  /** Of what we send, in the peer's last report. */
  get reportedLossPercent(): number {
    return this.#reportedLossPercent;
  }

  /** Of what we send, as the phone rates it; undefined while it does not. */
  get remoteMos(): number | undefined {
    return this.#remoteMos;
  }

  start(): void {
    if (this.#started) return;
    this.#started = true;
    this.#scheduler.start();
  }

  /** For another thread, where `thaw` goes on with it. */
  freeze() {
    return {
      cname: this.#cname,
      roundTrip: this.#roundTrip,
      reportedLossPercent: this.#reportedLossPercent,
      remoteMos: this.#remoteMos,
    };
  }

  thaw(state: ReturnType<LegRtcp['freeze']>): void {
    ({
      cname: this.#cname,
      roundTrip: this.#roundTrip,
      reportedLossPercent: this.#reportedLossPercent,
      remoteMos: this.#remoteMos,
    } = state);
  }

  /** Another thread reports from now on. */
  release(): void {
    this.#scheduler.stop();
    this.#started = false;
  }

  /** False: not RTCP. */
  receive(data: Uint8Array, now: number): boolean {
    const packets = parseRtcp(data);
    if (packets === undefined) return false;
    this.#scheduler.received(data.length);
    for (const packet of packets) {
      if (packet.type === 'SR') {
        const { ntpSeconds, ntpFraction } = packet.info;
        this.#options.receiver.senderReport(packet.ssrc, ntpSeconds, ntpFraction, now);
      }
      if (packet.type === 'XR') this.#readMetrics(packet.voipMetrics);
      if (packet.type === 'SR' || packet.type === 'RR') this.#readReports(packet.reports);
      else this.#options.onFeedback?.(packet);
    }

    return true;
  }

  /** With a BYE when there was anything to say good-bye to. */
  close(): void {
    this.#scheduler.stop();
    if (this.#started) this.#send([{ type: 'BYE', ssrcs: [this.#options.sender.ssrc] }]);
  }

  /** At once, and not instead of the next report: feedback is of no use later (RFC 4585 3.2). */
  sendFeedback(packets: readonly RtcpPacket[]): void {
    if (this.#started) this.#send(packets);
  }

  #readReports(reports: readonly ReportBlock[]): void {
    const wallTime = this.#options.clock.wallTime();
    for (const block of reports) {
      if (block.ssrc === this.#options.sender.ssrc) {
        this.#reportedLossPercent = (block.fractionLost * 100) / 256;
      }
      this.#roundTrip = this.#options.sender.roundTrip(block, wallTime) ?? this.#roundTrip;
    }
  }

  /** "MOS-LQ … values in the range 10 to 50", and 127 for none (RFC 3611 4.7.5). */
  #readMetrics(blocks: readonly VoipMetrics[]): void {
    const own = blocks.find(({ ssrc }) => ssrc === this.#options.sender.ssrc);
    if (own !== undefined && own.mosLq >= 10 && own.mosLq <= 50) this.#remoteMos = own.mosLq / 10;
  }

  /** "An RTCP packet MUST be sent in a compound packet of SR or RR, SDES with CNAME …" (6.1). */
  #send(last: readonly RtcpPacket[]): number {
    const { clock, receiver, sender } = this.#options;
    const now = clock.now();
    const block = receiver.reportBlock(now);
    const reports = block === undefined ? [] : [block];
    const info = sender.senderInfo(now, clock.wallTime());
    const { ssrc } = sender;
    const packets: RtcpPacket[] = [
      info === undefined ? { type: 'RR', ssrc, reports } : { type: 'SR', ssrc, info, reports },
      { type: 'SDES', chunks: [{ ssrc, cname: this.#cname }] },
    ];
    const metrics = block && this.#options.voipMetrics?.(block.ssrc);
    if (metrics !== undefined) packets.push({ type: 'XR', ssrc, voipMetrics: [metrics] });
    packets.push(...last);
    const length = writeRtcp(out, packets);
    if (length > 0) this.#options.send(out, length);

    return length;
  }
}
