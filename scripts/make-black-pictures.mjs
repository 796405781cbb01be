// Writes media/video/black-pictures.ts: what phones are shown when there is nothing to show. Needs ffmpeg with libx264
// and libvpx; run by hand when the picture is to change: `node scripts/make-black-pictures.mjs`.

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';

const SIZE = '320x180';
const encode = (frames, ...args) =>
  execFileSync(
    'ffmpeg',
    [
      '-v',
      'error',
      '-f',
      'lavfi',
      '-i',
      `color=black:s=${SIZE}:r=1`,
      '-frames:v',
      String(frames),
      '-pix_fmt',
      'yuv420p',
      ...args,
      '-',
    ],
    { maxBuffer: 1 << 20 },
  );

/** NAL units of a byte stream (H.264 annex B), without supplemental information: that is the encoder's advertisement. */
function h264() {
  const stream = encode(
    2,
    '-c:v',
    'libx264',
    '-profile:v',
    'baseline',
    '-level',
    '1.1',
    '-preset',
    'veryslow',
    '-qp',
    '30',
    '-x264-params',
    'keyint=1:scenecut=0:annexb=1:repeat-headers=1:slices=1:aud=0',
    '-f',
    'h264',
  );
  const pictures = [[]];
  for (const part of stream
    .toString('latin1')
    .split(/\0{2,3}\x01/)
    .slice(1)) {
    const unit = Buffer.from(part, 'latin1');
    const type = unit[0] & 0x1f;
    if (type === 6 || type === 9) continue;
    pictures.at(-1).push(unit.toString('base64'));
    if (type === 5) pictures.push([]);
  }

  return pictures.filter((picture) => picture.length > 0);
}

/** The frame of an IVF file: 32 octets of file header, 12 of frame header. */
function vp8() {
  return encode(1, '-c:v', 'libvpx', '-b:v', '100k', '-f', 'ivf').subarray(44).toString('base64');
}

const list = (units) => `[\n${units.map((unit) => `    '${unit}',`).join('\n')}\n  ]`;

writeFileSync(
  new URL('../media/video/black-pictures.ts', import.meta.url),
  `/** Black pictures of ${SIZE}, written by scripts/make-black-pictures.mjs. */

/**
 * Two IDR pictures with their parameter sets, as base64 of NAL units: "If two consecutive access units … are both IDR
 * access units, the value of idr_pic_id shall differ" (H.264 7.4.3).
 */
export const BLACK_H264: readonly (readonly string[])[] = [
  ${h264().map(list).join(',\n  ')},
];

/** A key frame. */
export const BLACK_VP8 =
  '${vp8()}';
`,
);
