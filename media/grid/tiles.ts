/** Where the tiles of the picture lie. Everything is even, as chroma has half the resolution. */

export interface Rect {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Size {
  width: number;
  height: number;
}

/** Of the composed picture. */
export const PICTURE: Size = { width: 1280, height: 720 };

/** More people than these are not told apart on a room's screen. */
export const MAX_TILES = 9;

/** Black between the tiles. */
const GAP = 4;

/** Equal tiles in rows, the last row in the middle; tiles of the picture's own aspect. */
export function tileRects(count: number, picture: Size = PICTURE): Rect[] {
  if (count < 0 || count > MAX_TILES) throw new TypeError(`${count} tiles`);
  const columns = Math.ceil(Math.sqrt(count));
  const rows = Math.ceil(count / columns);
  const width = even((picture.width - GAP * (columns - 1)) / columns);
  const height = even((picture.height - GAP * (columns - 1)) / columns);
  const top = middle(picture.height, rows, height);

  return Array.from({ length: count }, (_, index) => {
    const row = Math.floor(index / columns);
    const inRow = Math.min(columns, count - row * columns);

    return {
      x: middle(picture.width, inRow, width) + (index - row * columns) * (width + GAP),
      y: top + row * (height + GAP),
      width,
      height,
    };
  });
}

/** The largest place for a picture of `source`'s aspect in the middle of `rect`. */
export function fitInside(source: Size, rect: Rect): Rect {
  const scale = Math.min(rect.width / source.width, rect.height / source.height);
  const width = Math.min(rect.width, Math.max(2, even(source.width * scale + 1)));
  const height = Math.min(rect.height, Math.max(2, even(source.height * scale + 1)));

  return {
    x: rect.x + even((rect.width - width) / 2),
    y: rect.y + even((rect.height - height) / 2),
    width,
    height,
  };
}

/** Where `count` lengths with gaps begin, so that as much is left free before as behind them. */
function middle(whole: number, count: number, length: number): number {
  return even((whole - count * length - GAP * (count - 1)) / 2);
}

function even(value: number): number {
  return 2 * Math.floor(value / 2);
}
