/** The packets that were sent last, for a phone that asks for one again (RFC 4585 6.2.1, RFC 4588). */

/** A power of two. At 1.5 Mbit/s some three seconds; a phone that asks later does not show it any more. */
const SLOTS = 512;
/** Milliseconds between two copies of one packet: less than that is one loss reported twice. */
const MIN_INTERVAL = 20;
/** A phone that lost everything is not helped by everything again. */
const MAX_COPIES = 5;

interface Slot {
  sequence: number;
  data: Uint8Array;
  length: number;
  sentAt: number;
  copies: number;
}

export interface SentPacket {
  readonly data: Uint8Array;
  readonly length: number;
}

export class SentPackets {
  readonly #slots: (Slot | undefined)[] = Array.from({ length: SLOTS }, () => undefined);

  put(sequence: number, packet: Uint8Array, length: number, now: number): void {
    const at = sequence % SLOTS;
    const slot = (this.#slots[at] ??= {
      sequence: -1,
      data: new Uint8Array(0),
      length: 0,
      sentAt: 0,
      copies: 0,
    });
    if (slot.data.length < length) slot.data = new Uint8Array(Math.max(length, 1280));
    slot.data.set(packet.subarray(0, length));
    slot.sequence = sequence;
    slot.length = length;
    slot.sentAt = now;
    slot.copies = 0;
  }

  /** To be sent now; undefined: not there any more, or just sent. */
  take(sequence: number, now: number): SentPacket | undefined {
    const slot = this.#slots[sequence % SLOTS];
    if (slot?.sequence !== sequence || slot.copies >= MAX_COPIES) return undefined;
    if (now - slot.sentAt < MIN_INTERVAL) return undefined;
    slot.sentAt = now;
    slot.copies++;

    return slot;
  }
}
