export interface GridLayout {
  columns: number;
  tileWidth: number;
  tileHeight: number;
}

/** Cameras are wide; in an upright window a square cut out of their middle shows more of a face. */
const WIDEST = 16 / 9;
const narrowest = (width: number, height: number): number => (width < height ? 1 : 4 / 3);

/** The number of columns at which `count` equal tiles are largest in the given room. */
export function bestGrid(count: number, width: number, height: number, gap: number): GridLayout {
  let best: GridLayout = { columns: 1, tileWidth: 0, tileHeight: 0 };
  for (let columns = 1; columns <= Math.max(1, count); columns++) {
    const rows = Math.ceil(count / columns);
    const roomWide = Math.max(0, (width - gap * (columns - 1)) / columns);
    const roomHigh = Math.max(0, (height - gap * (rows - 1)) / rows);
    const tileWidth = Math.floor(Math.min(roomWide, roomHigh * WIDEST));
    const tileHeight = Math.floor(Math.min(roomHigh, tileWidth / narrowest(width, height)));
    if (tileWidth * tileHeight > best.tileWidth * best.tileHeight) {
      best = { columns, tileWidth, tileHeight };
    }
  }

  return best;
}

/** Which simulcast layer of a 720p camera a tile needs: the layers are 180, 360 and 720 lines high. */
export function spatialLayerFor(tileHeight: number, pixelRatio: number): 0 | 1 | 2 {
  const lines = tileHeight * Math.min(pixelRatio, 2);
  if (lines <= 200) return 0;

  return lines <= 420 ? 1 : 2;
}
