/** Names as pixels. */
import { plateGlyphs, shorten, type Glyph } from './name-text.ts';
import { glyphSegments, type Segment } from './stroke-font.ts';

/** How much of each pixel is letter: 0 … 255. */
export interface Mask {
  width: number;
  height: number;
  alpha: Uint8Array;
}

/** In units of the font's grid. */
const LINE = { top: -2, bottom: 8 };
const STROKE_WIDTH = 0.9;
const LETTER_SPACE = 1.6;
const BLANK_WIDTH = 2.4;
/** A letter is at least so wide, so that a dot does not touch what follows. */
const MIN_WIDTH = 0.6;

interface Placed {
  segments: Segment[];
  left: number;
  width: number;
}

/** The name with `unit` pixels for a unit of the font, shortened to `maxWidth` pixels. */
export function drawName(name: string, unit: number, maxWidth: number): Mask {
  let glyphs = plateGlyphs(name);
  let placed = place(glyphs);
  while (glyphs.length > 0 && widthOf(placed) * unit > maxWidth) {
    glyphs = shorten(glyphs, glyphs.length - 1);
    if (glyphs.every(({ letter }) => letter === '.')) glyphs = [];
    placed = place(glyphs);
  }
  const width = Math.ceil(widthOf(placed) * unit);
  const height = Math.ceil((LINE.bottom - LINE.top + STROKE_WIDTH) * unit);
  const mask = { width, height, alpha: new Uint8Array(width * height) };
  for (const { segments, left } of placed) {
    for (const segment of segments) drawSegment(mask, segment, left, unit);
  }

  return mask;
}

function place(glyphs: readonly Glyph[]): Placed[] {
  let left = 0;

  return glyphs.map(({ letter, marks }) => {
    const segments = glyphSegments(letter, marks);
    const xs = segments.flatMap(([x0, , x1]) => [x0, x1]);
    const first = xs.length > 0 ? Math.min(...xs) : 0;
    const inked = xs.length > 0 ? Math.max(...xs) - first : BLANK_WIDTH - LETTER_SPACE;
    const width = Math.max(MIN_WIDTH, inked) + LETTER_SPACE;
    const placed = { segments, left: left - first, width };
    left += width;

    return placed;
  });
}

function widthOf(placed: readonly Placed[]): number {
  const width = placed.reduce((sum, glyph) => sum + glyph.width, 0);

  return width === 0 ? 0 : width - LETTER_SPACE + STROKE_WIDTH;
}

/** A line with round ends and soft edges. */
function drawSegment(mask: Mask, [x0, y0, x1, y1]: Segment, left: number, unit: number): void {
  const half = (STROKE_WIDTH * unit) / 2;
  const toX = (x: number): number => (x + left) * unit + half;
  const toY = (y: number): number => (y - LINE.top) * unit + half;
  const [ax, ay, bx, by] = [toX(x0), toY(y0), toX(x1), toY(y1)];
  const fromRow = Math.max(0, Math.floor(Math.min(ay, by) - half - 1));
  const toRow = Math.min(mask.height - 1, Math.ceil(Math.max(ay, by) + half + 1));
  const fromColumn = Math.max(0, Math.floor(Math.min(ax, bx) - half - 1));
  const toColumn = Math.min(mask.width - 1, Math.ceil(Math.max(ax, bx) + half + 1));
  const square = (bx - ax) ** 2 + (by - ay) ** 2;
  for (let row = fromRow; row <= toRow; row++) {
    for (let column = fromColumn; column <= toColumn; column++) {
      const [px, py] = [column + 0.5, row + 0.5];
      const along = square === 0 ? 0 : ((px - ax) * (bx - ax) + (py - ay) * (by - ay)) / square;
      const at = Math.min(1, Math.max(0, along));
      const distance = Math.hypot(px - ax - at * (bx - ax), py - ay - at * (by - ay));
      const alpha = Math.min(1, Math.max(0, half + 0.5 - distance)) * 255;
      const index = row * mask.width + column;
      if (alpha > mask.alpha[index]!) mask.alpha[index] = alpha;
    }
  }
}
