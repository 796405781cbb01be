/** What an Opus packet says of its sound without being decoded. */

/** Configurations of the table of contents (RFC 6716 3.1): SILK up to 11, hybrid up to 15, then CELT. */
const FIRST_CELT = 16;
/** Milliseconds of the frames of the four SILK configurations of each bandwidth. */
const SILK_FRAME_MS = [10, 20, 40, 60] as const;
const HYBRID_FRAME_MS = [10, 20] as const;
/** With no more than these octets there is nothing but the end of a sound, or DTX, in it. */
const SILENT_LENGTH = 3;

/** `silent`: nothing can be in it; `inactive`: its encoder heard no voice; `unknown`: it has to be decoded. */
export type OpusActivity = 'silent' | 'inactive' | 'active' | 'unknown';

/**
 * The voice activity flags "are the first symbols decoded by the range coder" with even odds, so that
 * they "can be extracted directly from the most significant bits of the first byte of compressed data"
 * (RFC 6716 4.2.3). CELT has none.
 */
export function opusActivity(data: Uint8Array, offset: number, length: number): OpusActivity {
  if (length <= SILENT_LENGTH) return 'silent';
  const contents = data[offset]!;
  const configuration = contents >> 3;
  const frames = contents & 3;
  if (configuration >= FIRST_CELT || frames !== 0) return 'unknown';
  const frameMs =
    configuration < 12 ? SILK_FRAME_MS[configuration & 3]! : HYBRID_FRAME_MS[configuration & 1]!;
  const flags = Math.max(1, frameMs / 20);
  const bits = data[offset + 1]!;
  const mid = bits >> (8 - flags);
  // Behind the middle's flags comes one for its redundant copy, then the side's.
  const isStereo = (contents & 4) !== 0;
  const side = isStereo ? (bits >> (7 - 2 * flags)) & ((1 << flags) - 1) : 0;

  return mid === 0 && side === 0 ? 'inactive' : 'active';
}
