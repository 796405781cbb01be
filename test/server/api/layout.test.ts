import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { silentLogger } from '../../../base/index.ts';
import { createApp } from '../../../server/api/index.ts';
import { createMetrics } from '../../../server/metrics.ts';
import { Conference } from '../room-harness.ts';

const apiKey = 'k'.repeat(32);

let conference: Conference;
let app: FastifyInstance;

beforeEach(async () => {
  conference = new Conference();
  app = await createApp({
    rooms: conference.rooms,
    apiKey,
    logger: silentLogger,
    version: '1.2.3',
    metrics: createMetrics(),
    missing: () => [],
    onRefused: () => undefined,
  });
});

afterEach(async () => {
  await app.close();
});

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

async function call(method: Method, path: string, body?: object) {
  const payload = body === undefined ? {} : { payload: body };
  const response = await app.inject({
    method,
    url: `/api/v1${path}`,
    headers: { authorization: `Bearer ${apiKey}` },
    ...payload,
  });
  const json: unknown = response.body === '' ? undefined : response.json();

  return { status: response.statusCode, json };
}

describe('the layout of rooms and phones', () => {
  it('is that of the room, with what is seen instead where there is no grid', async () => {
    const created = await call('POST', '/rooms', { number: '1000', layout: 'grid' });
    expect(created.json).toMatchObject({ layout: 'grid', effectiveLayout: 'grid' });
    expect(created.json).not.toHaveProperty('layoutReason');
    conference.media.noGrid = 'node-av has no binary for linux-riscv64 here';
    expect((await call('GET', '/rooms/1000')).json).toMatchObject({
      layout: 'grid',
      effectiveLayout: 'speaker',
      layoutReason: 'node-av has no binary for linux-riscv64 here',
    });
    const changed = await call('PATCH', '/rooms/1000', { layout: 'speaker' });
    expect(changed.json).toMatchObject({ layout: 'speaker', effectiveLayout: 'speaker' });
    expect(changed.json).not.toHaveProperty('layoutReason');
    expect((await call('PATCH', '/rooms/1000', { layout: 'carousel' })).status).toBe(400);
  });

  it('may be another one for a phone', async () => {
    const { member } = await conference.enter('Ann', { kind: 'phone' });
    const url = `/rooms/${member.room.number}/participants`;
    const own = await call('PATCH', `${url}/${member.id}`, { layout: 'grid' });
    expect(own.json).toMatchObject({ layout: 'grid', effectiveLayout: 'grid' });
    conference.media.rooms[0]!.noGrid = '2 grids run already (GRID_ROOMS)';
    expect((await call('GET', url)).json).toMatchObject([
      {
        layout: 'grid',
        effectiveLayout: 'speaker',
        layoutReason: '2 grids run already (GRID_ROOMS)',
      },
    ]);
    conference.media.rooms[0]!.noGrid = undefined;
    conference.media.rooms[0]!.noGridFor.set(member.phoneLeg.id, 'its level is too low');
    expect((await call('GET', url)).json).toMatchObject([
      { layout: 'grid', effectiveLayout: 'speaker', layoutReason: 'its level is too low' },
    ]);
    const none = await call('PATCH', `${url}/${member.id}`, { layout: null });
    expect(none.json).toMatchObject({ layout: 'speaker', effectiveLayout: 'speaker' });
  });
});
