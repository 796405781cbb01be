/** The payload descriptor of VP8 (RFC 7741 4.2). */

const EXTENDED = 0x80;
const START_OF_PARTITION = 0x10;
const PARTITION = 0x07;
const HAS_PICTURE_ID = 0x80;
const HAS_TL0 = 0x40;
const HAS_TID = 0x20;
const HAS_KEY_INDEX = 0x10;
const LONG = 0x80;
/** "P: Inverse key frame flag" of the payload header (4.3). */
const INTER_FRAME = 0x01;

export interface Vp8Descriptor {
  /** Octets. */
  length: number;
  /** Begins a picture. */
  first: boolean;
  keyFrame: boolean;
  /** Where the picture ID lies, −1 without one; `pictureIdBits` is 7 or 15. */
  pictureIdOffset: number;
  pictureIdBits: 7 | 15;
  pictureId: number;
  /** Where TL0PICIDX lies, −1 without one. */
  tl0Offset: number;
  tl0: number;
}

/** Undefined: no VP8. */
export function readVp8(payload: Uint8Array): Vp8Descriptor | undefined {
  const first = payload[0];
  if (first === undefined) return undefined;
  const found: Vp8Descriptor = {
    length: 1,
    first: (first & START_OF_PARTITION) !== 0 && (first & PARTITION) === 0,
    keyFrame: false,
    pictureIdOffset: -1,
    pictureIdBits: 7,
    pictureId: 0,
    tl0Offset: -1,
    tl0: 0,
  };
  if ((first & EXTENDED) !== 0) readExtension(payload, found);
  const header = payload[found.length];
  if (header === undefined) return undefined;
  found.keyFrame = found.first && (header & INTER_FRAME) === 0;

  return found;
}

function readExtension(payload: Uint8Array, found: Vp8Descriptor): void {
  const flags = payload[1] ?? 0;
  found.length = 2;
  if ((flags & HAS_PICTURE_ID) !== 0) {
    const octet = payload[found.length] ?? 0;
    found.pictureIdOffset = found.length;
    if ((octet & LONG) !== 0) {
      found.pictureIdBits = 15;
      found.pictureId = ((octet & 0x7f) << 8) | (payload[found.length + 1] ?? 0);
    } else {
      found.pictureId = octet & 0x7f;
    }
    found.length += found.pictureIdBits === 15 ? 2 : 1;
  }
  if ((flags & HAS_TL0) !== 0) {
    found.tl0Offset = found.length;
    found.tl0 = payload[found.length] ?? 0;
    found.length++;
  }
  if ((flags & (HAS_TID | HAS_KEY_INDEX)) !== 0) found.length++;
}

/**
 * One run of picture IDs and TL0PICIDX over all sources: "the picture ID MUST increase by 1" from picture to
 * picture, also where the stream goes to another source.
 */
export class Vp8Continuity {
  #pictureOffset = 0;
  #tl0Offset = 0;
  #lastPictureId = -1;
  #lastTl0 = -1;
  #fresh = true;

  /** Another source follows. */
  restart(): void {
    this.#fresh = true;
  }

  /** Changes the numbers of a packet in place. */
  rewrite(payload: Uint8Array): void {
    const found = readVp8(payload);
    if (found === undefined) return;
    if (this.#fresh) {
      this.#fresh = false;
      this.#pictureOffset = this.#lastPictureId < 0 ? 0 : this.#lastPictureId + 1 - found.pictureId;
      this.#tl0Offset = this.#lastTl0 < 0 ? 0 : this.#lastTl0 + 1 - found.tl0;
    }
    const at = found.pictureIdOffset;
    if (at >= 0) {
      const id = (found.pictureId + this.#pictureOffset) & 0x7fff;
      if (found.pictureIdBits === 15) {
        payload[at] = LONG | (id >> 8);
        payload[at + 1] = id;
      } else {
        payload[at] = id & 0x7f;
      }
      this.#lastPictureId = id;
    }
    if (found.tl0Offset >= 0) {
      const tl0 = (found.tl0 + this.#tl0Offset) & 0xff;
      payload[found.tl0Offset] = tl0;
      this.#lastTl0 = tl0;
    }
  }
}
