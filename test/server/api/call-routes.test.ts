import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { AppError, silentLogger } from '../../../base/index.ts';
import type { ParticipantId, RoomNumber } from '../../../base/index.ts';
import { createApp } from '../../../server/api/index.ts';
import { createMetrics } from '../../../server/metrics.ts';
import type { CallTransfer } from '../../../server/call-transfer.ts';
import type { Cdr, CdrQuery } from '../../../server/cdrs/index.ts';
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

const QUALITY = { codec: 'PCMU', loss: 0.01, jitter: 2, roundTrip: 30, mos: 4.3 };
const CDR: Cdr = {
  id: 'p1' as ParticipantId,
  room: '100' as RoomNumber,
  kind: 'phone',
  name: 'Ann',
  address: 'sip:ann@x',
  startedAt: '1970-01-01T00:00:00.000Z',
  endedAt: '1970-01-01T00:00:09.500Z',
  duration: 9.5,
  reason: 'left',
  packetsReceived: 475,
  ...QUALITY,
};

let app: FastifyInstance;
let queries: CdrQuery[];
let asked: string[][];

beforeEach(async () => {
  asked = [];
  queries = [];
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
    keys: {
      press: (callId, digits) => {
        asked.push([callId, digits]);

        return { digits, form: 'events' };
      },
      find: (callId) =>
        asked.length > 0 && callId === CALL.callId ? { form: 'info', state: 'cut-off' } : undefined,
    },
    qualities: {
      qualityOf: (callId) => Promise.resolve(callId === CALL.callId ? QUALITY : undefined),
    },
    cdrs: {
      find: (query) => {
        queries.push(query);

        return Promise.resolve([CDR]);
      },
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
    quality: QUALITY,
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

  it('presses keys in a call, and takes nothing for keys that is none', async () => {
    const press = (id: string, digits: string) =>
      app.inject({
        method: 'POST',
        url: `/api/v1/calls/${id}/digits`,
        headers: { authorization: `Bearer ${apiKey}` },
        payload: { digits },
      });
    const accepted = await press('c1', 'w12,#Dd');
    expect([accepted.statusCode, accepted.json()]).toEqual([
      202,
      { digits: 'w12,#Dd', form: 'events' },
    ]);
    expect(asked).toEqual([['a@b', 'w12,#Dd']]);
    const { json } = await get('/calls/c1');
    expect(json).toMatchObject({ keys: { form: 'info', state: 'cut-off' } });
    for (const digits of ['', '1 2', 'x', '1'.repeat(65)]) {
      expect((await press('c1', digits)).statusCode).toBe(400);
    }
    expect((await press('c2', '1')).statusCode).toBe(404);
  });

  it('knows no other call, and nobody without the key', async () => {
    expect(await get('/calls/c2')).toMatchObject({
      status: 404,
      json: { error: { code: 'NOT_FOUND' } },
    });
    expect(await get('/calls', 'wrong')).toMatchObject({ status: 401 });
  });
});

describe('/cdrs', () => {
  it('shows finished calls with all their figures', async () => {
    expect(await get('/cdrs')).toEqual({ status: 200, json: [CDR] });
    expect(queries).toEqual([{ limit: 1000 }]);
  });

  it('asks for a time, a room and a number of them', async () => {
    const path = '/cdrs?from=1970-01-01T00:00:01Z&to=1970-01-01T00:00:02Z&room=100&limit=5';
    expect((await get(path)).status).toBe(200);
    expect(queries).toEqual([{ from: 1000, to: 2000, room: '100', limit: 5 }]);
  });

  it.each(['from=yesterday', 'limit=0', 'limit=x', 'room=a%20b', 'since=1'])(
    'refuses %s',
    async (query) => {
      expect((await get(`/cdrs?${query}`)).status).toBe(400);
      expect(queries).toEqual([]);
    },
  );

  it('is for those with the key', async () => {
    expect((await get('/cdrs', 'x')).status).toBe(401);
  });
});
