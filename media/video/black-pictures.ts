/** Black pictures of 320x180, written by scripts/make-black-pictures.mjs. */

/**
 * Two IDR pictures with their parameter sets, as base64 of NAL units: "If two consecutive access units … are both IDR
 * access units, the value of idr_pic_id shall differ" (H.264 7.4.3).
 */
export const BLACK_H264: readonly (readonly string[])[] = [
  [
    'Z0LAC9wUGfnwEQAAAwABAAADAAIPFCuA',
    'aM4ESyA=',
    'ZYiEPyYoAAhv333333333333333333311111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111114',
  ],
  [
    'Z0LAC9wUGfnwEQAAAwABAAADAAIPFCuA',
    'aM4ESyA=',
    'ZYiCD8mKAAIb99999999999999999999ddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddde',
  ],
];

/** A key frame. */
export const BLACK_VP8 =
  '8A4AnQEqQAG0AAEHCIWFiJmEiAWCAAYWBPcGgWSfa9ubJzh7Jzh7Jzh7Jzh7Jzh7Jzh7Jzh7Jzh7Jzh7Jzh7Jzh7Jzh7Jzh7Jzh7Jzh7Jzh7Jzh7Jzh7Jzh7Jzh7Jzh7Jzh7Jzh7Jzh7Jzh7Jzh7Jzh7Jzh7Jzh7Jzh7Jzh7Jy4A/v6lNgA=';
