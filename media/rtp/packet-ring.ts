/** The packets that a jitter buffer holds, found by sequence number; a fixed number of slots. */
import type { RtpPacketView } from './rtp-packet.ts';

/** A power of two, so that it divides the sequence numbers' wrap. 64 packets of 10 ms are 640 ms. */
export const SLOTS = 64;
const SLOT_MASK = SLOTS - 1;
const EMPTY = new Uint8Array(0);

export class PacketSlot {
  /** −1: free. */
  sequence = -1;
  timestamp = 0;
  payloadType = 0;
  arrivedAt = 0;
  data: Uint8Array = EMPTY;
  offset = 0;
  length = 0;

  /** A view, not a copy. */
  payload(): Uint8Array {
    return this.data.subarray(this.offset, this.offset + this.length);
  }
}

export class PacketRing {
  readonly #slots = new Array<PacketSlot | undefined>(SLOTS).fill(undefined);
  /** Used again, the last one first: of thousands of streams few octets change all the time. */
  readonly #free: PacketSlot[] = [];
  #count = 0;

  get count(): number {
    return this.#count;
  }

  get(sequence: number): PacketSlot | undefined {
    const slot = this.#slots[sequence & SLOT_MASK];

    return slot?.sequence === sequence ? slot : undefined;
  }

  /** False for a duplicate. All packets must lie within SLOTS sequence numbers. */
  put(packet: RtpPacketView, now: number): boolean {
    const index = packet.sequenceNumber & SLOT_MASK;
    let slot = this.#slots[index];
    if (slot?.sequence === packet.sequenceNumber) return false;
    if (slot === undefined) {
      this.#slots[index] = slot = this.#free.pop() ?? new PacketSlot();
      this.#count++;
    }
    slot.sequence = packet.sequenceNumber;
    slot.timestamp = packet.timestamp;
    slot.payloadType = packet.payloadType;
    slot.arrivedAt = now;
    slot.data = packet.data;
    slot.offset = packet.payloadOffset;
    slot.length = packet.payloadLength;

    return true;
  }

  /** The earliest packet from `sequence` on. */
  first(sequence: number): PacketSlot | undefined {
    if (this.#count === 0) return undefined;
    for (let i = 0; i < SLOTS; i++) {
      const slot = this.get((sequence + i) & 0xffff);
      if (slot !== undefined) return slot;
    }

    return undefined;
  }

  /** The octets are let go of; `payload()` views taken before stay good. */
  remove(slot: PacketSlot): void {
    if (slot.sequence === -1) return;
    this.#slots[slot.sequence & SLOT_MASK] = undefined;
    slot.sequence = -1;
    slot.data = EMPTY;
    this.#free.push(slot);
    this.#count--;
  }

  /** Its packets, each with octets of its own: they lie among those of other streams. */
  freeze() {
    return this.#slots.flatMap((slot) => {
      if (slot === undefined) return [];
      const { sequence, timestamp, payloadType, arrivedAt } = slot;

      return [
        { sequence, timestamp, payloadType, arrivedAt, data: Uint8Array.from(slot.payload()) },
      ];
    });
  }

  thaw(packets: ReturnType<PacketRing['freeze']>): void {
    this.clear();
    for (const packet of packets) {
      const slot = Object.assign(new PacketSlot(), packet, { length: packet.data.length });
      this.#slots[slot.sequence & SLOT_MASK] = slot;
    }
    this.#count = packets.length;
  }

  clear(): void {
    for (const slot of this.#slots) if (slot !== undefined) this.remove(slot);
  }
}
