import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { silentLogger } from '../../../base/index.ts';
import { createApp } from '../../../server/api/index.ts';
import { createMetrics } from '../../../server/metrics.ts';
import { Conference } from '../room-harness.ts';

let root: string;
let app: FastifyInstance;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'parley-web-'));
  await mkdir(join(root, 'assets'));
  await writeFile(join(root, 'index.html'), '<!doctype html><title>Parley</title>');
  await writeFile(join(root, 'assets', 'main-abc.js'), 'export {};');
  app = await createApp({
    rooms: new Conference().rooms,
    apiKey: 'k'.repeat(32),
    logger: silentLogger,
    version: '1.2.3',
    metrics: createMetrics(),
    missing: () => [],
    webRoot: root,
  });
});

afterAll(async () => {
  await app.close();
  await rm(root, { recursive: true });
});

describe('the web app', () => {
  it.each(['/', '/room/1000', '/room/daily?name=Ann', '/admin'])('is served at %s', async (url) => {
    const response = await app.inject(url);

    expect(response.statusCode).toBe(200);
    expect(response.body).toContain('<title>Parley</title>');
    expect(response.headers['cache-control']).toBe('no-cache');
  });

  it('may keep what carries a hash in its name', async () => {
    const response = await app.inject('/assets/main-abc.js');

    expect(response.statusCode).toBe(200);
    expect(response.headers['cache-control']).toContain('immutable');
  });

  it.each(['/assets/none.js', '/../package.json', '/%2e%2e/package.json', '/api/v2'])(
    'is not found at %s',
    async (url) => {
      const response = await app.inject(url);

      expect(response.statusCode).toBeGreaterThanOrEqual(400);
      expect(response.json()).toMatchObject({ error: { code: expect.any(String) } });
    },
  );
});
