/**
 * A source's packets in order: what the SFU had repaired comes late, and what is written anew from packets
 * cannot be put right afterwards. A missing packet holds the rest back for a while, then it is lost.
 */
import { sequenceDifference } from '../rtp/index.ts';

export interface VideoPacket {
  sequenceNumber: number;
  timestamp: number;
  marker: boolean;
  payload: Uint8Array;
}

/** Milliseconds: a round trip to a browser and back, twice. */
const HOLD_MS = 250;
/** More than HOLD_MS of the highest rate that is forwarded. */
const MOST_HELD = 256;
/** A jump further than this is a new beginning. */
const MAX_STEP = 3000;

export class ReorderBuffer {
  readonly #deliver: (packet: VideoPacket, lostBefore: number) => void;
  readonly #held = new Map<number, VideoPacket>();
  #next: number | undefined;
  #blockedSince = 0;

  constructor(deliver: (packet: VideoPacket, lostBefore: number) => void) {
    this.#deliver = deliver;
  }

  push(packet: VideoPacket, now: number): void {
    this.#next ??= packet.sequenceNumber;
    const ahead = sequenceDifference(packet.sequenceNumber, this.#next);
    if (Math.abs(ahead) > MAX_STEP) this.#restart(packet.sequenceNumber);
    else if (ahead < 0) return;
    if (this.#held.size === 0) this.#blockedSince = now;
    this.#held.set(packet.sequenceNumber, packet);
    this.#release(0, now);
    while (
      this.#held.size > 0 &&
      (this.#held.size > MOST_HELD || now - this.#blockedSince >= HOLD_MS)
    ) {
      this.#release(this.#missing(), now);
    }
  }

  /** Gives up `lost` packets, and delivers all that follow without a gap. */
  #release(lost: number, now: number): void {
    let before = lost;
    let sequence = ((this.#next ?? 0) + lost) & 0xffff;
    for (let packet = this.#held.get(sequence); packet; packet = this.#held.get(sequence)) {
      this.#held.delete(sequence);
      sequence = (sequence + 1) & 0xffff;
      this.#next = sequence;
      this.#blockedSince = now;
      this.#deliver(packet, before);
      before = 0;
    }
  }

  #missing(): number {
    const next = this.#next ?? 0;

    return Math.min(...[...this.#held.keys()].map((held) => sequenceDifference(held, next)));
  }

  #restart(sequence: number): void {
    this.#held.clear();
    this.#next = sequence;
  }
}
