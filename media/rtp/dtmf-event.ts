/** Keys pressed on a phone: the receiving side of telephone-event (RFC 4733 2.3, 2.5). */
import type { RtpPacketView } from './rtp-packet.ts';
import { timestampDifference } from './rtp-sequence.ts';

const PAYLOAD_LENGTH = 4;
/** Events 0 … 15 (RFC 4733 3.2). */
const DIGITS = '0123456789*#ABCD';
/**
 * Milliseconds after the last packet of an event whose end did not come. Updates come every packet
 * time, 50 ms at most (2.5.1.2), so three in a row are lost.
 */
const LOST_END = 150;

export interface DtmfReceiverOptions {
  clockRate: number;
  /** Once for each key, when it is released. */
  onDigit: (digit: string, durationMs: number) => void;
}

export class DtmfReceiver {
  readonly #clockRate: number;
  readonly #onDigit: (digit: string, durationMs: number) => void;
  /** The key that is down or went up last; the packets of one key share their timestamp. */
  #timestamp: number | undefined;
  #ssrc = 0;
  #event = 0;
  #duration = 0;
  #pressed = false;
  #lastAt = 0;

  constructor(options: DtmfReceiverOptions) {
    this.#clockRate = options.clockRate;
    this.#onDigit = options.onDigit;
  }

  /** All of it, for another thread, where `thaw` goes on with it. */
  freeze() {
    return {
      timestamp: this.#timestamp,
      ssrc: this.#ssrc,
      event: this.#event,
      duration: this.#duration,
      pressed: this.#pressed,
      lastAt: this.#lastAt,
    };
  }

  thaw(state: ReturnType<DtmfReceiver['freeze']>): void {
    ({
      timestamp: this.#timestamp,
      ssrc: this.#ssrc,
      event: this.#event,
      duration: this.#duration,
      pressed: this.#pressed,
      lastAt: this.#lastAt,
    } = state);
  }

  /** A packet with the payload type of telephone-event. */
  push(packet: RtpPacketView, now: number): void {
    if (packet.payloadLength < PAYLOAD_LENGTH) return;
    const { data, payloadOffset } = packet;
    const event = data[payloadOffset]!;
    if (event >= DIGITS.length) return;
    const end = data[payloadOffset + 1]! >= 0x80;
    const duration = (data[payloadOffset + 2]! << 8) | data[payloadOffset + 3]!;

    if (this.#isNew(packet)) {
      // "The receiver SHOULD consider the event as ended when a new event starts" (2.5.2.2).
      this.#release();
      this.#timestamp = packet.timestamp;
      this.#ssrc = packet.ssrc;
      this.#event = event;
      this.#duration = 0;
      this.#pressed = true;
    }
    // The end comes three times, and late packets of a released key change nothing.
    if (!this.#pressed) return;
    this.#lastAt = now;
    this.#duration = Math.max(this.#duration, duration);
    if (end) this.#release();
  }

  /** Releases a key whose end was lost. */
  tick(now: number): void {
    if (this.#pressed && now - this.#lastAt >= LOST_END) this.#release();
  }

  #isNew(packet: RtpPacketView): boolean {
    if (this.#timestamp === undefined || packet.ssrc !== this.#ssrc) return true;
    const ahead = timestampDifference(packet.timestamp, this.#timestamp);
    // A little behind is a late packet of an earlier key; far behind is a new clock.
    return ahead > 0 || ahead < -10 * this.#clockRate;
  }

  #release(): void {
    if (!this.#pressed) return;
    this.#pressed = false;
    const durationMs = Math.round((this.#duration / this.#clockRate) * 1000);
    this.#onDigit(DIGITS[this.#event]!, durationMs);
  }
}
