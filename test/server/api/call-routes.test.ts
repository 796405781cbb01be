import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { AppError, silentLogger } from '../../../base/index.ts';
import { createApp } from '../../../server/api/index.ts';
import { createMetrics } from '../../../server/metrics.ts';
import type { CallTransfer } from '../../../server/call-transfer.ts';
import type { CallView } from '../../../server/ports.ts';
import { Conference } from '../room-harness.ts';

const apiKey = 'k'.repeat(32);
const CALL: CallView = {
  id: 'c1',
  callId: 'a@b',
  direction: 'in',
  from: '<sip:a@example.com>',
  to: '<sip:100@example.com>',
  state: 'established',
  startedAt: 0,
  lastAt: 1_000,
  messageCount: 1,
};
const INVITE = {
  at: 0,
  direction: 'in' as const,
  transport: 'UDP',
  remote: '192.0.2.1:5060',
  summary: 'INVITE',
  text: 'INVITE sip:100@example.com SIP/2.0',
};

const TRANSFER: CallTransfer = {
  uri: 'sip:b@c',
  state: 'asked',
  startedAt: '1970-01-01T00:00:00Z',
};

let app: FastifyInstance;
let asked: string[][];

beforeEach(async () => {
  asked = [];
  app = await createApp({
    rooms: new Conference().rooms,
    calls: {
      live: () => [CALL],
      find: (id) => (id === CALL.id ? { call: CALL, messages: [INVITE] } : undefined),
    },
    transfers: {
      start: (callId, uri) => {
        asked.push([callId, uri]);
        if (uri === 'no') throw new AppError('INVALID_STATE', 'the phone takes no transfer');

        return TRANSFER;
      },
      find: (callId) => (asked.length > 0 && callId === CALL.callId ? TRANSFER : undefined),
    },
    apiKey,
    logger: silentLogger,
    version: '1.2.3',
    metrics: createMetrics(),
    missing: () => [],
  });
});

afterEach(async () => {
  await app.close();
});

async function get(path: string, key = apiKey): Promise<{ status: number; json: unknown }> {
  const headers = { authorization: `Bearer ${key}` };
  const response = await app.inject({ url: `/api/v1${path}`, headers });

  return { status: response.statusCode, json: response.json() };
}

describe('/calls', () => {
  const shown = {
    ...CALL,
    startedAt: '1970-01-01T00:00:00.000Z',
    lastAt: '1970-01-01T00:00:01.000Z',
  };

  it('lists live calls', async () => {
    expect(await get('/calls')).toEqual({ status: 200, json: [shown] });
  });

  it("shows one call's ladder", async () => {
    const ladder = [{ ...INVITE, at: '1970-01-01T00:00:00.000Z' }];
    expect(await get('/calls/c1')).toEqual({ status: 200, json: { ...shown, ladder } });
  });

  it('sends a phone elsewhere, and shows how that goes', async () => {
    const send = (id: string, uri: string) =>
      app.inject({
        method: 'POST',
        url: `/api/v1/calls/${id}/transfer`,
        headers: { authorization: `Bearer ${apiKey}` },
        payload: { uri },
      });
    const accepted = await send('c1', 'sip:b@c');
    expect([accepted.statusCode, accepted.json()]).toEqual([202, TRANSFER]);
    expect(asked).toEqual([['a@b', 'sip:b@c']]);
    expect(await get('/calls/c1')).toMatchObject({ json: { transfer: TRANSFER } });
    expect((await send('c1', 'no')).json()).toEqual({
      error: { code: 'INVALID_STATE', message: 'the phone takes no transfer' },
    });
    expect((await send('c2', 'sip:b@c')).statusCode).toBe(404);
  });

  it('knows no other call, and nobody without the key', async () => {
    expect(await get('/calls/c2')).toMatchObject({
      status: 404,
      json: { error: { code: 'NOT_FOUND' } },
    });
    expect(await get('/calls', 'wrong')).toMatchObject({ status: 401 });
  });
});
