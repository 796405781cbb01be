import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { fitInside, MAX_TILES, PICTURE, tileRects } from '../../../media/grid/tiles.ts';

const counts = Array.from({ length: MAX_TILES }, (_, index) => index + 1);

describe('the places of a grid', () => {
  it('one tile is the whole picture', () => {
    expect(tileRects(1)).toEqual([{ x: 0, y: 0, ...PICTURE }]);
  });

  it('nobody is no tile, and more than nine are not asked for', () => {
    expect(tileRects(0)).toEqual([]);
    expect(() => tileRects(10)).toThrow('10 tiles');
  });

  it.each(counts)('%i tiles: equal, even, inside the picture, and none over another', (count) => {
    const tiles = tileRects(count);
    expect(tiles).toHaveLength(count);
    expect(new Set(tiles.map(({ width, height }) => `${width}x${height}`)).size).toBe(1);
    for (const { x, y, width, height } of tiles) {
      expect([x, y, width, height].every((value) => value >= 0 && value % 2 === 0)).toBe(true);
      expect(x + width).toBeLessThanOrEqual(PICTURE.width);
      expect(y + height).toBeLessThanOrEqual(PICTURE.height);
      expect(Math.abs(width / height - 16 / 9)).toBeLessThan(0.03);
    }
    const overlaps = tiles.some((a, index) =>
      tiles
        .slice(index + 1)
        .some(
          (b) =>
            a.x < b.x + b.width &&
            b.x < a.x + a.width &&
            a.y < b.y + b.height &&
            b.y < a.y + a.height,
        ),
    );
    expect(overlaps).toBe(false);
  });

  it.each(counts)('%i tiles stand in reading order, the last row in the middle', (count) => {
    const tiles = tileRects(count);
    const order = tiles.map(({ x, y }) => y * PICTURE.width + x);
    expect(order).toEqual(order.toSorted((a, b) => a - b));
    const last = tiles.filter(({ y }) => y === tiles.at(-1)!.y);
    const right = last.at(-1)!;
    const free = PICTURE.width - right.x - right.width;
    expect(Math.abs(last[0]!.x - free)).toBeLessThanOrEqual(2);
  });

  it('a picture keeps its aspect, touches two edges of its tile and stands in the middle', () => {
    const side = fc.integer({ min: 16, max: 4096 });
    fc.assert(
      fc.property(side, side, fc.constantFrom(...counts), (width, height, count) => {
        const tile = tileRects(count)[0]!;
        const place = fitInside({ width, height }, tile);
        expect([place.x, place.y, place.width, place.height].every((n) => n % 2 === 0)).toBe(true);
        const touches = tile.width - place.width <= 2 || tile.height - place.height <= 2;
        expect(touches).toBe(true);
        expect(Math.abs(place.width - (place.height * width) / height)).toBeLessThan(
          2 + (2 * width) / height,
        );
        expect(place.x).toBeGreaterThanOrEqual(tile.x);
        expect(place.x + place.width).toBeLessThanOrEqual(tile.x + tile.width);
        expect(place.y + place.height).toBeLessThanOrEqual(tile.y + tile.height);
      }),
    );
  });
});
