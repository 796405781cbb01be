import { createDecoder, MAX_PACKET_MS, type AudioDecoder } from '../codec/index.ts';
import { ownCodec, type AudioCodec, type AudioCodecName } from '../codecs.ts';
import { INBAND_LOOK_AHEAD, InbandDtmf, RtpPacketView, sequenceDifference } from '../rtp/index.ts';

const RATE = 8000;
/** Packets that wait at most, whatever their length. */
const MOST_HELD = 8;
/** Milliseconds without a packet after which what waits goes on, and a key is up. */
const SILENT_MS = 60;
/** Zero samples; in G.722 the least steps, at which its decoder settles at once. */
const SILENCE: Partial<Record<AudioCodecName, number>> = { PCMU: 0xff, PCMA: 0xd5, G722: 0xff };

const pcm = new Int16Array((RATE * MAX_PACKET_MS) / 1000);

interface Held {
  readonly packet: RtpPacketView;
  readonly payload: Uint8Array;
  readonly codec: AudioCodec;
  /** Samples heard up to its end. */
  readonly end: number;
  cut: boolean;
}

export interface KeyGateOptions {
  onDigit: (digit: string, durationMs: number) => void;
  onAudio: (packet: RtpPacketView, codec: AudioCodec, now: number) => void;
}

/**
 * Keeps the tones of a phone's keys from everybody else. Each packet waits until 20 ms after it have been
 * heard too, one packet as a rule; those in which a key may be down go on as silence.
 */
export class KeyGate {
  readonly #options: KeyGateOptions;
  readonly #detector: InbandDtmf;
  readonly #held: Held[] = [];
  #codec: AudioCodec | undefined;
  #decoder: AudioDecoder | undefined;
  #sequence: number | undefined;
  #position = 0;
  #lastAt = 0;

  constructor(options: KeyGateOptions) {
    this.#options = options;
    this.#detector = new InbandDtmf(options.onDigit);
  }

  /** Tones in Opus do not survive; a phone that speaks it sends events. */
  static guards(codec: AudioCodec): boolean {
    return SILENCE[codec.name] !== undefined;
  }

  push(packet: RtpPacketView, codec: AudioCodec, now: number): void {
    if (!KeyGate.guards(codec)) {
      this.flush(now);
      this.#options.onAudio(packet, codec, now);

      return;
    }
    if (codec.name !== this.#codec?.name) this.#open(codec, now);
    this.#lastAt = now;
    const late = this.#sequence !== undefined && !isAfter(packet, this.#sequence);
    let suspicious = this.#detector.suspicious;
    if (!late) {
      this.#sequence = packet.sequenceNumber;
      const count = this.#decoder?.decode(packet.payload(), pcm) ?? 0;
      suspicious = this.#detector.push(pcm, count);
      this.#position += count;
    }
    this.#hold(packet, codec);
    if (suspicious) for (const held of this.#held) held.cut = true;
    while (this.#isReleasable(this.#held[0])) this.#release(now);
  }

  /** For another thread, where `thaw` goes on with it; of G.722 its decoder finds its way again in milliseconds. */
  freeze() {
    return {
      detector: this.#detector.freeze(),
      held: this.#held.map(({ packet, payload, codec, end, cut }) => {
        const { marker, payloadType, sequenceNumber, timestamp, ssrc } = packet;

        return { marker, payloadType, sequenceNumber, timestamp, ssrc, payload, codec, end, cut };
      }),
      codec: this.#codec,
      sequence: this.#sequence,
      position: this.#position,
      lastAt: this.#lastAt,
    };
  }

  thaw(state: ReturnType<KeyGate['freeze']>): void {
    if (state.codec !== undefined) this.#open(ownCodec(state.codec), state.lastAt);
    this.#detector.thaw(state.detector);
    this.#sequence = state.sequence;
    this.#position = state.position;
    this.#lastAt = state.lastAt;
    for (const { payload, codec, end, cut, ...header } of state.held) {
      const packet = Object.assign(new RtpPacketView(), header);
      packet.data = payload;
      packet.payloadLength = payload.length;
      this.#held.push({ packet, payload, codec: ownCodec(codec), end, cut });
    }
  }

  /** Now and then: a phone that stopped sending has nothing to hold back. */
  check(now: number): void {
    if (this.#held.length > 0 && now - this.#lastAt >= SILENT_MS) this.flush(now);
  }

  /** All goes on that waits. */
  flush(now: number): void {
    while (this.#held.length > 0) this.#release(now);
    this.#detector.end();
  }

  /** Another source follows. */
  reset(): void {
    this.#held.length = 0;
    this.#detector.end();
    this.#decoder?.reset();
    this.#sequence = undefined;
  }

  close(): void {
    this.#decoder?.close();
    this.#decoder = undefined;
  }

  #open(codec: AudioCodec, now: number): void {
    this.flush(now);
    this.#decoder?.close();
    this.#decoder = createDecoder(codec, RATE);
    this.#codec = codec;
  }

  #isReleasable(first: Held | undefined): boolean {
    if (first === undefined) return false;

    return this.#held.length > MOST_HELD || this.#position - first.end >= INBAND_LOOK_AHEAD;
  }

  #hold(packet: RtpPacketView, codec: AudioCodec): void {
    // Its own octets: the jitter buffer keeps them as they are, and does not copy.
    const payload = packet.payload().slice();
    const copy = new RtpPacketView();
    copy.data = payload;
    copy.payloadLength = payload.length;
    copy.marker = packet.marker;
    copy.payloadType = packet.payloadType;
    copy.sequenceNumber = packet.sequenceNumber;
    copy.timestamp = packet.timestamp;
    copy.ssrc = packet.ssrc;
    this.#held.push({ packet: copy, payload, codec, end: this.#position, cut: false });
  }

  #release(now: number): void {
    const held = this.#held.shift();
    if (held === undefined) return;
    const { packet, payload, codec, cut } = held;
    if (cut) payload.fill(SILENCE[codec.name] ?? 0);
    this.#options.onAudio(packet, codec, now);
  }
}

/** A jump back that is too far for a late packet is a new count. */
function isAfter(packet: RtpPacketView, sequence: number): boolean {
  const ahead = sequenceDifference(packet.sequenceNumber, sequence);

  return ahead > 0 || ahead < -100;
}
