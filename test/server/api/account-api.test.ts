import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { silentLogger } from '../../../base/index.ts';
import type { ParticipantId } from '../../../base/index.ts';
import { createApp } from '../../../server/api/index.ts';
import { DialOut } from '../../../server/dial-out.ts';
import { createMetrics } from '../../../server/metrics.ts';
import { Books } from '../account-harness.ts';
import { Conference } from '../room-harness.ts';

const apiKey = 'k'.repeat(32);

let app: FastifyInstance;
let books: Books;

beforeEach(async () => {
  const conference = new Conference();
  books = new Books(conference.clock);
  const { clock } = conference;
  app = await createApp({
    rooms: conference.rooms,
    accounts: books.accounts,
    trunks: books.trunks,
    dialOut: new DialOut({
      originator: {
        resolve: (uri) => Promise.resolve({ kind: 'uri', uri }),
        call: () => Promise.resolve({ participantId: 'p' as ParticipantId }),
      },
      trunks: books.trunks,
      onOutcome: () => undefined,
      limits: { perRoom: 1, perAccount: 1, trunkPerRoomAndHour: 1 },
      clock,
      logger: silentLogger,
    }),
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

async function call(
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
  path: string,
  body?: object,
  key = apiKey,
) {
  const response = await app.inject({
    method,
    url: `/api/v1${path}`,
    headers: { authorization: `Bearer ${key}` },
    ...(body !== undefined && { payload: body }),
  });
  const json: unknown = response.body === '' ? undefined : response.json();

  return { status: response.statusCode, json, text: response.body };
}

describe('/accounts', () => {
  const body = { username: 'bob', password: 'pass word', name: 'Bob' };

  it('are created, listed, shown, changed and deleted, and never show the password', async () => {
    const created = await call('POST', '/accounts', body);
    expect(created.status).toBe(201);
    expect(created.json).toEqual({
      username: 'bob',
      name: 'Bob',
      createdAt: '2026-01-01T00:00:00.000Z',
      needsPassword: false,
      registrations: [],
    });
    expect((await call('GET', '/accounts')).json).toEqual([created.json]);
    expect((await call('GET', '/accounts/bob')).json).toEqual(created.json);
    const change = { digest: ['SHA-256'], password: 'x', srtp: 'required' };
    const changed = await call('PATCH', '/accounts/bob', change);
    expect(changed.json).toMatchObject({ digest: ['SHA-256'], srtp: 'required' });
    expect(created.text + changed.text).not.toMatch(/pass word|secret|ha1/);
    expect((await call('DELETE', '/accounts/bob')).status).toBe(204);
    expect((await call('GET', '/accounts/bob')).json).toMatchObject({
      error: { code: 'ACCOUNT_NOT_FOUND' },
    });
  });

  it('exist once', async () => {
    await call('POST', '/accounts', body);
    expect(await call('POST', '/accounts', body)).toMatchObject({
      status: 409,
      json: { error: { code: 'ACCOUNT_EXISTS' } },
    });
  });

  it.each([
    { username: 'a b', password: 'x' },
    { username: 'a@b', password: 'x' },
    { username: 'bob', password: '' },
    { username: 'bob' },
    { username: 'bob', password: 'x', digest: ['SHA-1'] },
    { username: 'bob', password: 'x', admin: true },
  ])('refuse %j', async (bad) => {
    expect((await call('POST', '/accounts', bad)).status).toBe(400);
  });
});

describe('/trunks', () => {
  const body = {
    name: 'provider',
    host: 'sip.example.net',
    port: 5060,
    transport: 'udp',
    username: 'u',
    password: 'pass word',
    register: true,
    video: true,
    allowedAddresses: ['192.0.2.0/24'],
    didRoutes: [{ did: '+4930123', room: '850' }],
  };

  it('are created, listed, shown with their state, changed and deleted', async () => {
    const created = await call('POST', '/trunks', body);
    expect(created.status).toBe(201);
    const { name, password, ...rest } = body;
    expect(created.text).not.toContain(password);
    expect(created.json).toMatchObject({
      name,
      ...rest,
      passwordSet: true,
      calls: 0,
      status: { state: 'unknown', registration: 'registering' },
    });
    books.trunks.setStatus('provider', { state: 'up', registration: 'registered' });
    expect((await call('GET', '/trunks')).json).toMatchObject([
      { status: { state: 'up', registration: 'registered' } },
    ]);
    const changed = await call('PATCH', '/trunks/provider', { port: null, register: false });
    expect(changed.json).not.toHaveProperty('port');
    expect((await call('DELETE', '/trunks/provider')).status).toBe(204);
    expect((await call('GET', '/trunks/provider')).status).toBe(404);
  });

  it.each([
    { name: 'x', host: 'a b' },
    { name: 'x', host: 'a;b' },
    { name: 'X y', host: 'a' },
    { name: 'x', host: 'a', didRoutes: [{ did: '1', room: 'no room!' }] },
    { name: 'x', host: 'a', transport: 'sctp' },
  ])('refuse %j', async (bad) => {
    expect((await call('POST', '/trunks', bad)).status).toBe(400);
  });
});

describe('/rooms/{number}/calls', () => {
  it('starts a call, lists it, and needs the key', async () => {
    const started = await call('POST', '/rooms/1000/calls', { uri: 'sip:a@b', name: 'A' });
    expect(started).toMatchObject({ status: 202, json: { state: 'calling', room: '1000' } });
    expect((await call('GET', '/rooms/1000/calls')).json).toEqual([started.json]);
    expect((await call('POST', '/rooms/1000/calls', { uri: 'sip:a@b' })).status).toBe(429);
    expect((await call('POST', '/rooms/2/calls', { uri: 'sip:a@b' }, 'wrong')).status).toBe(401);
    expect((await call('POST', '/rooms/2/calls', {})).status).toBe(400);
    expect((await call('POST', '/rooms/!/calls', { uri: 'sip:a@b' })).status).toBe(404);
  });
});
