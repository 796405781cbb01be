export interface GridLayout {
  columns: number;
  tileWidth: number;
  tileHeight: number;
}

const RATIO = 16 / 9;

/** The number of columns at which `count` equal tiles are largest in the given room. */
export function bestGrid(count: number, width: number, height: number, gap: number): GridLayout {
  let best: GridLayout = { columns: 1, tileWidth: 0, tileHeight: 0 };
  for (let columns = 1; columns <= Math.max(1, count); columns++) {
    const rows = Math.ceil(count / columns);
    const roomWide = (width - gap * (columns - 1)) / columns;
    const roomHigh = (height - gap * (rows - 1)) / rows;
    const tileWidth = Math.floor(Math.max(0, Math.min(roomWide, roomHigh * RATIO)));
    if (tileWidth > best.tileWidth) {
      best = { columns, tileWidth, tileHeight: Math.floor(tileWidth / RATIO) };
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
