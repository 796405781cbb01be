/** Which phones can be sent the composed picture, and how many bits a second of it: rules alone. */
import type { GridCodec } from './grid-protocol.ts';

export interface GridViewerLimits {
  codec: GridCodec;
  /** Of H.264: the highest level_idc that it takes; undefined: it is not known. */
  level: number | undefined;
  /** Bits a second that it wants at most. */
  bitrate: number | undefined;
}

/**
 * Level 3.1 is what 720p with up to 30 pictures a second needs: 3600 macroblocks a picture and 108,000 a
 * second (H.264 table A-1), and those are what 3.1 allows.
 */
export const GRID_LEVEL = 31;

/** Bits a second: 720p of nine faces is mud below the first, and changes only in these steps. */
const STEPS = [
  400_000, 550_000, 700_000, 850_000, 1_000_000, 1_250_000, 1_500_000, 2_000_000, 2_500_000,
  3_000_000, 4_000_000, 5_000_000,
];
const LEAST = STEPS[0]!;

/** Why it is shown who speaks instead; undefined: it can be sent the grid. */
export function unfitReason({ codec, level, bitrate }: GridViewerLimits): string | undefined {
  if (codec === 'H264' && level !== undefined && level < GRID_LEVEL) {
    return `this phone takes H.264 of level ${levelText(level)} at most, and the grid needs 3.1`;
  }
  if (bitrate !== undefined && bitrate < LEAST) {
    return `this phone takes ${Math.floor(bitrate / 1000)} kbit/s of video, and the grid needs ${LEAST / 1000}`;
  }

  return undefined;
}

/** What all of these can take, in steps, so that not each report of a phone changes it; undefined: no limit. */
export function sharedBitrate(viewers: readonly GridViewerLimits[]): number | undefined {
  const limits = viewers.flatMap(({ bitrate }) => bitrate ?? []);
  if (limits.length === 0) return undefined;
  const lowest = Math.min(...limits);

  return STEPS.findLast((step) => step <= lowest) ?? LEAST;
}

/** level_idc is ten times the level, and 9 stands for 1b. */
function levelText(level: number): string {
  return level === 9
    ? '1b'
    : `${Math.floor(level / 10)}${level % 10 === 0 ? '' : `.${level % 10}`}`;
}
