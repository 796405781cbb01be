/** Keys pressed by us: the sending side of telephone-event (RFC 4733 2.5.1). */
import { RTP_HEADER_LENGTH } from './rtp-packet.ts';
import type { RtpSender } from './rtp-sender.ts';

const EVENTS = '0123456789*#ABCD';
/** Milliseconds; "the minimum duration … is 40 ms", and slow receivers want more (ITU-T Q.24). */
const PRESSED = 100;
/** Between two keys: Q.24 wants 40. */
const RELEASED = 100;
/** "The final packet … SHOULD be transmitted a total of three times" (2.5.1.4). */
const END_PACKETS = 3;
const END = 0x80;
/** −10 dBm0, as a telephone. */
const VOLUME = 10;
const PAYLOAD = 4;
/** Runs that wait at most. */
const MAX_QUEUE = 8;

interface Run {
  readonly id: number;
  readonly keys: string;
}

/** How the far end wants events. */
export interface EventFormat {
  readonly payloadType: number;
  /** Of the duration field. */
  readonly eventRate: number;
  /** Of the stream's timestamps: where a phone lists 8000 Hz alone beside Opus they stay Opus'. */
  readonly streamRate: number;
}

export class DtmfSender {
  /** What `next` made. */
  readonly packet = new Uint8Array(RTP_HEADER_LENGTH + PAYLOAD);
  readonly #onSent: (id: number, complete: boolean) => void;
  #queue: Run[] = [];
  #at = 0;
  #timestamp = 0;
  /** Milliseconds that the key is down; 0: it is yet to be pressed. */
  #pressed = 0;
  #ends = 0;
  /** Milliseconds until the next key. */
  #released = 0;

  constructor(onSent: (id: number, complete: boolean) => void) {
    this.#onSent = onSent;
  }

  get active(): boolean {
    return this.#queue.length > 0;
  }

  /** After those that wait. Each run is reported once; a key that there is no event for ends it. */
  send(id: number, keys: string): void {
    if (this.#queue.length >= MAX_QUEUE) this.#onSent(id, false);
    else this.#queue.push({ id, keys: keys.toUpperCase() });
  }

  /**
   * A packet of `ms` is due: answers the length of the one to send in its place, or 0 when that goes as it
   * is. "The timestamp … is the beginning of the event", in all of its packets, and the "duration" grows.
   */
  next(sender: RtpSender, format: EventFormat | undefined, ms: number): number {
    const run = this.#queue[0];
    if (run === undefined) return 0;
    const event = EVENTS.indexOf(run.keys[this.#at] ?? '?');
    if (this.#released > 0) {
      this.#released -= ms;
      if (this.#released <= 0 && this.#at >= run.keys.length) this.#finish(true);

      return 0;
    }
    if (event < 0 || format === undefined) {
      this.#finish(false);

      return 0;
    }
    const isFirst = this.#pressed === 0;
    if (isFirst) this.#timestamp = sender.timestamp;
    if (this.#ends === 0) this.#pressed += ms;
    if (this.#pressed >= PRESSED) this.#ends++;
    const duration = Math.min(0xffff, Math.round((this.#pressed * format.eventRate) / 1000));
    const length = sender.writeEventHeader(this.packet, {
      payloadType: format.payloadType,
      timestamp: this.#timestamp,
      marker: isFirst,
      payloadLength: PAYLOAD,
    });
    this.packet[length] = event;
    this.packet[length + 1] = (this.#ends > 0 ? END : 0) | VOLUME;
    this.packet[length + 2] = duration >>> 8;
    this.packet[length + 3] = duration;
    sender.skip((format.streamRate * ms) / 1000);
    if (this.#ends === END_PACKETS) this.#release();

    return length + PAYLOAD;
  }

  /** Nothing more is pressed; what waits is reported. */
  stop(): void {
    while (this.#queue.length > 0) this.#finish(false);
  }

  /** All of it, for another thread, where `thaw` goes on with it. */
  freeze() {
    return {
      queue: this.#queue,
      at: this.#at,
      timestamp: this.#timestamp,
      pressed: this.#pressed,
      ends: this.#ends,
      released: this.#released,
    };
  }

  thaw(state: ReturnType<DtmfSender['freeze']>): void {
    ({
      queue: this.#queue,
      at: this.#at,
      timestamp: this.#timestamp,
      pressed: this.#pressed,
      ends: this.#ends,
      released: this.#released,
    } = state);
  }

  #release(): void {
    this.#at++;
    this.#pressed = 0;
    this.#ends = 0;
    this.#released = RELEASED;
  }

  #finish(complete: boolean): void {
    const run = this.#queue.shift();
    this.#at = 0;
    this.#pressed = 0;
    this.#ends = 0;
    this.#released = 0;
    if (run !== undefined) this.#onSent(run.id, complete);
  }
}
