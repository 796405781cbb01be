/** What a payload of H.264 holds (RFC 6184 5): NAL units, whole, several in one packet, or a part of one. */

export const IDR_SLICE = 5;
export const SPS = 7;
export const PPS = 8;
export const STAP_A = 24;
export const FU_A = 28;

const TYPE = 0x1f;
const START = 0x80;
const END = 0x40;
/** Of the first octet of a NAL unit: the forbidden bit and the importance, without the type. */
const HEADER_BITS = 0xe0;
/** "first_mb_in_slice" is ue(v): 0, the picture's first slice, is the single bit 1 (H.264 7.3.3). */
const FIRST_SLICE = 0x80;

export function nalType(octet: number): number {
  return octet & TYPE;
}

/** Whole NAL units of a packet: itself or those of a STAP-A; none for parts and for what is malformed. */
export function wholeUnits(payload: Uint8Array): Uint8Array[] {
  const type = payload.length > 0 ? nalType(payload[0]!) : 0;
  if (type >= 1 && type < STAP_A) return [payload];
  if (type !== STAP_A) return [];
  const units: Uint8Array[] = [];
  let at = 1;
  while (at + 2 < payload.length) {
    const length = (payload[at]! << 8) | payload[at + 1]!;
    at += 2;
    if (length === 0 || at + length > payload.length) break;
    units.push(payload.subarray(at, at + length));
    at += length;
  }

  return units;
}

/** Whether an IDR picture begins in this packet: a lost first slice makes the rest of no use. */
export function beginsIdr(payload: Uint8Array): boolean {
  if (payload.length < 3) return false;
  if (nalType(payload[0]!) === FU_A) {
    const header = payload[1]!;

    return (
      (header & START) !== 0 && nalType(header) === IDR_SLICE && (payload[2]! & FIRST_SLICE) !== 0
    );
  }

  return wholeUnits(payload).some(
    (unit) => unit.length > 1 && nalType(unit[0]!) === IDR_SLICE && (unit[1]! & FIRST_SLICE) !== 0,
  );
}

export function hasSps(payload: Uint8Array): boolean {
  return wholeUnits(payload).some((unit) => nalType(unit[0]!) === SPS);
}

export interface Fragment {
  /** What the whole unit would begin with. */
  header: number;
  first: boolean;
  last: boolean;
  data: Uint8Array;
}

/** Undefined: no FU-A. */
export function readFragment(payload: Uint8Array): Fragment | undefined {
  if (payload.length < 3 || nalType(payload[0]!) !== FU_A) return undefined;
  const fu = payload[1]!;

  return {
    header: (payload[0]! & HEADER_BITS) | nalType(fu),
    first: (fu & START) !== 0,
    last: (fu & END) !== 0,
    data: payload.subarray(2),
  };
}

/**
 * The parameter sets of a source as they last came, for a decoder that joins later or lost them. One of each
 * suffices: no encoder of calls uses several.
 */
export class ParameterSets {
  #sps: Uint8Array | undefined;
  #pps: Uint8Array | undefined;
  /** The picture that brought them. */
  #timestamp = -1;

  note(payload: Uint8Array, timestamp: number): void {
    const type = payload.length > 0 ? nalType(payload[0]!) : 0;
    if (type !== SPS && type !== PPS && type !== STAP_A) return;
    for (const unit of wholeUnits(payload)) {
      const unitType = nalType(unit[0]!);
      if (unitType === SPS) this.#sps = unit.slice();
      if (unitType === PPS) this.#pps = unit.slice();
      if (unitType === SPS) this.#timestamp = timestamp;
    }
  }

  get known(): boolean {
    return this.#sps !== undefined && this.#pps !== undefined;
  }

  /** They came with the picture of `timestamp` itself. */
  cameWith(timestamp: number): boolean {
    return this.#timestamp === timestamp;
  }

  units(): Uint8Array[] {
    return this.#sps === undefined || this.#pps === undefined ? [] : [this.#sps, this.#pps];
  }
}

/** Of a source that brings its own in each key frame. */
export const NO_SETS = new ParameterSets();
