/// <reference lib="dom" />
import { describe, expect, it } from '@jest/globals';
import { explainMediaError } from '../../web/devices.ts';
import { bestGrid, spatialLayerFor } from '../../web/grid-layout.ts';
import { newRoomNumber, parseRoom, parseRoute } from '../../web/router.ts';

describe('bestGrid', () => {
  it.each([
    [1, 1600, 900, 1],
    [2, 1600, 500, 2],
    [2, 390, 700, 1],
    [4, 1600, 900, 2],
    [5, 390, 650, 2],
    [9, 1600, 900, 3],
    [5, 1600, 900, 3],
  ])('puts %i tiles in %i × %i into %i columns', (count, width, height, columns) => {
    expect(bestGrid(count, width, height, 12).columns).toBe(columns);
  });

  it('fits into the room it was given, whatever that is', () => {
    for (let count = 1; count <= 25; count++) {
      for (const [width, height] of [
        [390, 650],
        [1280, 640],
        [2560, 1200],
        [300, 90],
      ] as const) {
        const { columns, tileWidth, tileHeight } = bestGrid(count, width, height, 12);
        const rows = Math.ceil(count / columns);

        expect(columns * tileWidth + (columns - 1) * 12).toBeLessThanOrEqual(width);
        expect(rows * tileHeight + (rows - 1) * 12).toBeLessThanOrEqual(height);
      }
    }
  });

  it('survives a window without any room', () => {
    expect(bestGrid(3, 0, 0, 12)).toEqual({ columns: 1, tileWidth: 0, tileHeight: 0 });
  });
});

describe('spatialLayerFor', () => {
  it('asks for no more lines than a tile shows', () => {
    expect([150, 320, 640].map((height) => spatialLayerFor(height, 1))).toEqual([0, 1, 2]);
    expect(spatialLayerFor(200, 2)).toBe(1);
  });
});

describe('parseRoute', () => {
  it.each([
    ['/', { page: 'landing' }],
    ['/room/4711', { page: 'room', room: '4711' }],
    ['/room/Stand-Up/', { page: 'room', room: 'stand-up' }],
    ['/room/', { page: 'not-found' }],
    ['/room/0', { page: 'not-found' }],
    ['/room/%E0%A4%A', { page: 'not-found' }],
    ['/room/a%2Fb', { page: 'not-found' }],
    ['/elsewhere', { page: 'not-found' }],
  ])('of %s', (path, route) => {
    expect(parseRoute(path)).toEqual(route);
  });
});

describe('a new room number', () => {
  it('is one that the server takes', () => {
    const number = newRoomNumber();

    expect(number).toMatch(/^[1-9][0-9]{8}$/);
    expect(parseRoom(number)).toBe(number);
  });
});

describe('explainMediaError', () => {
  it.each([
    ['NotAllowedError', 'Allow it'],
    ['NotFoundError', 'No camera'],
    ['NotReadableError', 'busy'],
    ['InsecureContext', 'https://'],
    ['WeirdError', 'WeirdError'],
  ])('says of %s what to do', (name, words) => {
    expect(explainMediaError('camera', name)).toContain(words);
  });
});
