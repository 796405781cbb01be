import { describe, expect, it } from '@jest/globals';
import { layersForTile } from '../../../media/grid/tile-layer.ts';
import { Thrift } from '../../../media/grid/thrift.ts';
import { tileRects } from '../../../media/grid/tiles.ts';
import {
  sharedBitrate,
  unfitReason,
  type GridViewerLimits,
} from '../../../media/grid/viewer-limits.ts';

const phone = (changes: Partial<GridViewerLimits> = {}): GridViewerLimits => ({
  codec: 'H264',
  level: 31,
  bitrate: undefined,
  ...changes,
});

describe('which phones are sent the grid', () => {
  it('those whose H.264 level has room for 720p (RFC 6184 8.1); of VP8 all', () => {
    expect(unfitReason(phone())).toBeUndefined();
    expect(unfitReason(phone({ level: 40 }))).toBeUndefined();
    expect(unfitReason(phone({ level: undefined }))).toBeUndefined();
    expect(unfitReason(phone({ codec: 'VP8', level: undefined }))).toBeUndefined();
    expect(unfitReason(phone({ level: 30 }))).toContain('level 3 at most');
    expect(unfitReason(phone({ level: 13 }))).toContain('level 1.3 at most');
    expect(unfitReason(phone({ level: 9 }))).toContain('level 1b at most');
  });

  it('those whose limit leaves something to be seen', () => {
    expect(unfitReason(phone({ bitrate: 400_000 }))).toBeUndefined();
    expect(unfitReason(phone({ bitrate: 384_000 }))).toContain('384 kbit/s');
  });

  it('at the rate of the one who takes the least, in steps', () => {
    expect(sharedBitrate([phone(), phone()])).toBeUndefined();
    const limits = [phone({ bitrate: 1_100_000 }), phone(), phone({ bitrate: 768_000 })];
    expect(sharedBitrate(limits)).toBe(700_000);
    expect(sharedBitrate([phone({ bitrate: 90_000_000 })])).toBe(5_000_000);
  });
});

describe('the layer that a tile is made of', () => {
  const height = (tiles: number): number => tileRects(tiles)[0]!.height;
  const simulcast = (count: number, scalabilityMode = 'L1T1'): { scalabilityMode: string }[] =>
    Array.from({ length: count }, () => ({ scalabilityMode }));

  it('is the lowest that fills it', () => {
    const layers = [1, 2, 4, 5, 9].map(
      (tiles) => layersForTile(height(tiles), simulcast(3), 0).spatialLayer,
    );
    expect(layers).toEqual([2, 1, 1, 1, 1]);
    expect(layersForTile(170, simulcast(3), 0)).toEqual({ spatialLayer: 0 });
    expect(layersForTile(height(9), simulcast(2), 0)).toEqual({ spatialLayer: 0 });
    expect(layersForTile(height(1), simulcast(2), 0)).toEqual({ spatialLayer: 1 });
  });

  it('is a lower one when there is no CPU for it, then half of its pictures', () => {
    expect(layersForTile(height(9), simulcast(3, 'L1T3'), 1)).toEqual({ spatialLayer: 0 });
    expect(layersForTile(height(9), simulcast(3, 'L1T3'), 2)).toEqual({
      spatialLayer: 0,
      temporalLayer: 1,
    });
    expect(layersForTile(height(9), simulcast(2), 2)).toEqual({ spatialLayer: 0 });
  });
});

describe('thrift', () => {
  /** A report each second; `perSecond` pictures are left out. Levels as they come. */
  function run(thrift: Thrift, from: number, seconds: number, perSecond: number): number[] {
    const levels: number[] = [];
    for (let second = 1; second <= seconds; second++) {
      dropped += perSecond;
      if (thrift.report(dropped, (from + second) * 1000)) levels.push(thrift.level);
    }

    return levels;
  }
  let dropped = 0;

  it('saves step by step while many pictures are left out, and gives each step its time', () => {
    dropped = 0;
    const thrift = new Thrift(0);
    expect(run(thrift, 0, 30, 1)).toEqual([]);
    expect(run(thrift, 30, 4, 5)).toEqual([1]);
    expect(run(thrift, 34, 5, 5)).toEqual([2]);
    expect(run(thrift, 39, 30, 5)).toEqual([]);
  });

  it('tries with less after a quiet minute, and waits longer when that was too early', () => {
    dropped = 0;
    const thrift = new Thrift(0);
    expect(run(thrift, 0, 6, 5)).toEqual([1]);
    expect(run(thrift, 6, 60, 0)).toEqual([0]);
    expect(run(thrift, 66, 6, 5)).toEqual([1]);
    expect(run(thrift, 72, 100, 0)).toEqual([]);
    expect(run(thrift, 172, 40, 0)).toEqual([0]);
  });
});
