import { sequenceDifference } from '../rtp/index.ts';

/** What of an RTP packet matters here. */
export interface VideoPacket {
  sequenceNumber: number;
  timestamp: number;
  marker: boolean;
  payload: Uint8Array;
}

/** `gap`: packets before this one are missing and will not come. */
type Deliver = (packet: VideoPacket, gap: boolean) => void;

/** A repair of a lost packet takes a round trip of the sender's; who waits longer shows the past. */
const MAX_WAIT_MS = 120;
const MAX_HELD = 128;
/** A sender that is so far off has begun anew. */
const MAX_JUMP = 3000;

/** Packets in the order of their sequence numbers: repaired ones come late. */
export class PacketOrder {
  readonly #deliver: Deliver;
  readonly #held = new Map<number, VideoPacket>();
  #expected: number | undefined;
  #waitingSince = 0;

  constructor(deliver: Deliver) {
    this.#deliver = deliver;
  }

  push(packet: VideoPacket, now: number): void {
    const ahead =
      this.#expected === undefined ? 0 : sequenceDifference(packet.sequenceNumber, this.#expected);
    if (Math.abs(ahead) > MAX_JUMP) {
      this.#held.clear();
      this.#pass(packet, true);
    } else if (ahead === 0) {
      this.#pass(packet, false);
    } else if (ahead > 0) {
      if (this.#held.size === 0) this.#waitingSince = now;
      this.#held.set(packet.sequenceNumber, packet);
    }
    if (this.#held.size >= MAX_HELD) this.#giveUp(now);
    this.expire(now);
  }

  /** Time passed: what is missing for long is lost. */
  expire(now: number): void {
    if (this.#held.size > 0 && now - this.#waitingSince >= MAX_WAIT_MS) this.#giveUp(now);
  }

  #pass(packet: VideoPacket, gap: boolean): void {
    this.#deliver(packet, gap);
    this.#expected = (packet.sequenceNumber + 1) & 0xffff;
    for (;;) {
      const next = this.#held.get(this.#expected);
      if (next === undefined) return;
      this.#held.delete(this.#expected);
      this.#deliver(next, false);
      this.#expected = (this.#expected + 1) & 0xffff;
    }
  }

  #giveUp(now: number): void {
    const expected = this.#expected ?? 0;
    const [first] = [...this.#held.values()].sort(
      (a, b) =>
        sequenceDifference(a.sequenceNumber, expected) -
        sequenceDifference(b.sequenceNumber, expected),
    );
    if (first === undefined) return;
    this.#held.delete(first.sequenceNumber);
    this.#pass(first, true);
    this.#waitingSince = now;
  }
}
