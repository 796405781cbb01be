/**
 * For phones with packetization-mode 0, where "only single NAL unit packets MAY be used" (RFC 6184 6.2):
 * aggregates are taken apart and fragments joined. A unit that is longer than a datagram may be is left
 * out; one that is longer than the network takes in one piece goes in fragments of IP.
 */
import { readFragment, wholeUnits } from './h264.ts';

/** baresip's receive buffer, the smallest one known, with room for the headers and the tag. */
export const LONGEST_UNIT = 8000;

export class SingleNalPackets {
  readonly #joined = new Uint8Array(LONGEST_UNIT);
  /** 0: no unit is being joined. */
  #length = 0;
  #timestamp = 0;
  #tooLong = 0;
  #overflowed = false;

  get tooLong(): number {
    return this.#tooLong;
  }

  /**
   * The units that this packet completes; `lost` packets are missing before it. Views, good until the next
   * call.
   */
  push(payload: Uint8Array, timestamp: number, lost: boolean): Uint8Array[] {
    const fragment = readFragment(payload);
    if (fragment === undefined) {
      this.#drop();

      return wholeUnits(payload).filter((unit) => this.#fits(unit));
    }
    if (fragment.first) {
      this.#begin(fragment.header, timestamp);
    } else if (lost || timestamp !== this.#timestamp) {
      this.#drop();
    }
    if (this.#length === 0) return [];
    this.#append(fragment.data);
    if (!fragment.last) return [];
    const unit = this.#joined.subarray(0, this.#length);
    this.#length = 0;
    if (!this.#overflowed) return [unit];
    this.#tooLong++;

    return [];
  }

  #begin(header: number, timestamp: number): void {
    this.#joined[0] = header;
    this.#length = 1;
    this.#timestamp = timestamp;
    this.#overflowed = false;
  }

  #append(data: Uint8Array): void {
    if (this.#length + data.length > LONGEST_UNIT) {
      this.#overflowed = true;

      return;
    }
    this.#joined.set(data, this.#length);
    this.#length += data.length;
  }

  #drop(): void {
    this.#length = 0;
  }

  #fits(unit: Uint8Array): boolean {
    if (unit.length <= LONGEST_UNIT) return true;
    this.#tooLong++;

    return false;
  }
}
