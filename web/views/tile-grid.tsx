import type { VNode } from 'preact';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { bestGrid, spatialLayerFor } from '../grid-layout.ts';
import type { Meeting } from '../meeting.ts';
import { chooseTiles, type MemberView } from '../members.ts';
import { Tile } from './tile.tsx';

export interface TileGridProps {
  meeting: Meeting;
  members: readonly MemberView[];
  activeSpeaker: string | undefined;
  ownCamera: MediaStreamTrack | undefined;
}

const GAP = 12;
const MAX_TILES = 25;
/** Below this a face is no use: on a small screen fewer tiles are shown instead. */
const MIN_TILE_AREA = 12_000;

/** As many tiles as the room allows, as large as it allows. */
export function TileGrid({ meeting, members, activeSpeaker, ownCamera }: TileGridProps): VNode {
  const frame = useRef<HTMLDivElement>(null);
  const [size, setSize] = useState({ width: 0, height: 0 });
  useLayoutEffect(() => {
    const element = frame.current;
    if (element === null) return;
    const measure = (): void =>
      setSize({ width: element.clientWidth, height: element.clientHeight });
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);

    return () => observer.disconnect();
  }, []);

  const fitting = Math.floor((size.width * size.height) / MIN_TILE_AREA);
  const tiles = chooseTiles(members, activeSpeaker, Math.min(MAX_TILES, Math.max(2, fitting)));
  const hidden = members.length - tiles.length;
  const grid = bestGrid(tiles.length, size.width, size.height, GAP);
  const layer = spatialLayerFor(grid.tileHeight, window.devicePixelRatio);
  const shown = tiles.map((member) => member.id).join(' ');
  const ids = useMemo(() => new Set(shown.split(' ')), [shown]);
  useEffect(() => {
    if (size.width > 0) meeting.show({ participantIds: ids, spatialLayer: layer });
  }, [meeting, ids, layer, size.width]);

  return (
    <div class="grid" ref={frame}>
      <div
        class="grid-tiles"
        style={{
          '--columns': grid.columns,
          '--tile-width': `${grid.tileWidth}px`,
          '--tile-height': `${grid.tileHeight}px`,
        }}
      >
        {tiles.map((member) => (
          <Tile
            key={member.id}
            member={member}
            track={member.isSelf ? ownCamera : member.videoTrack}
          />
        ))}
      </div>
      {hidden > 0 && <p class="more-people">and {hidden} more in the room</p>}
    </div>
  );
}
