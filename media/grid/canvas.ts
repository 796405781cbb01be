/** The composed picture: tiles, the names on them, and a frame around who speaks. */
import { drawName, type Mask } from './name-plate.ts';
import { BLACK, Picture, type Colour } from './picture.ts';
import { PICTURE, type Rect } from './tiles.ts';

/** Of a tile whose member sends nothing that could be shown. */
const CARD: Colour = [48, 132, 124];
const PLATE: Colour = [28, 128, 128];
const SPEAKER: Colour = [173, 42, 26];
const LETTERS = 235;

const FRAME = 4;
const PADDING = 6;
/** Heights of a letter's unit in tiles of the whole picture's height, and in smaller ones. */
const UNITS: readonly (readonly [tileHeight: number, unit: number])[] = [
  [700, 3.5],
  [300, 2.5],
  [0, 2],
];
const CARD_SCALE = 1.6;
/** Names that are kept drawn. */
const MAX_MASKS = 64;

export interface CanvasTile {
  rect: Rect;
  name: string;
  highlighted: boolean;
  /** Undefined: a card with the name. */
  shown?: { picture: Picture; place: Rect } | undefined;
}

export class Canvas {
  readonly picture = new Picture(PICTURE, 'packed');
  readonly #masks = new Map<string, Mask>();

  clear(): void {
    this.picture.fill({ x: 0, y: 0, ...PICTURE }, BLACK);
  }

  draw(tile: CanvasTile): void {
    const { rect, shown, name } = tile;
    if (shown === undefined) {
      this.picture.fill(rect, CARD);
      this.#card(name, rect);
    } else {
      this.#bars(rect, shown.place);
      this.picture.copy(shown.picture, shown.place.x, shown.place.y);
      this.#plate(name, rect);
    }
    if (tile.highlighted) this.picture.frame(rect, FRAME, SPEAKER);
  }

  #bars(rect: Rect, place: Rect): void {
    if (place.width < rect.width || place.height < rect.height) this.picture.fill(rect, BLACK);
  }

  #card(name: string, rect: Rect): void {
    const mask = this.#mask(name, unitOf(rect) * CARD_SCALE, rect.width - 4 * PADDING);
    const x = rect.x + Math.floor((rect.width - mask.width) / 2);
    const y = rect.y + Math.floor((rect.height - mask.height) / 2);
    this.picture.brighten(mask, x, y, LETTERS);
  }

  /** In the lower left corner, inside the speaker's frame. */
  #plate(name: string, rect: Rect): void {
    const mask = this.#mask(name, unitOf(rect), rect.width - 4 * PADDING);
    if (mask.width === 0) return;
    const width = 2 * Math.ceil((mask.width + 2 * PADDING) / 2);
    const height = 2 * Math.ceil((mask.height + PADDING) / 2);
    const x = rect.x + FRAME;
    const y = rect.y + rect.height - FRAME - height;
    this.picture.fill({ x, y, width, height }, PLATE);
    this.picture.brighten(mask, x + PADDING, y + PADDING / 2, LETTERS);
  }

  #mask(name: string, unit: number, maxWidth: number): Mask {
    const key = `${unit}/${maxWidth}/${name}`;
    let mask = this.#masks.get(key);
    if (mask === undefined) {
      if (this.#masks.size >= MAX_MASKS) this.#masks.clear();
      mask = drawName(name, unit, maxWidth);
      this.#masks.set(key, mask);
    }

    return mask;
  }
}

function unitOf({ height }: Rect): number {
  return UNITS.find(([tileHeight]) => height >= tileHeight)?.[1] ?? 2;
}
