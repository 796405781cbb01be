/** Size: one application, and every route of the rooms with what surrounds it. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { silentLogger } from '../../../base/index.ts';
import { createApp } from '../../../server/api/index.ts';
import { createMetrics } from '../../../server/metrics.ts';
import { Conference, ROOM } from '../room-harness.ts';

const apiKey = 'k'.repeat(32);
const headers = { authorization: `Bearer ${apiKey}` };

let conference: Conference;
let app: FastifyInstance;
let missing: string[];
let warnings: string[];
let refused: number;

beforeEach(async () => {
  conference = new Conference();
  missing = [];
  warnings = [];
  refused = 0;
  const metrics = createMetrics();
  metrics.observe({
    rooms: () => conference.rooms.counts(),
    media: () => conference.media.counters(),
    sip: () => ({ transactions: 3, dialogs: 2 }),
  });
  metrics.sip.requestIn('INVITE');
  app = await createApp({
    rooms: conference.rooms,
    apiKey,
    logger: silentLogger,
    version: '1.2.3',
    metrics,
    missing: () => missing,
    warnings: () => warnings,
    onRefused: () => refused++,
  });
});

afterEach(async () => {
  await app.close();
});

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

async function call(method: Method, path: string, body?: object) {
  const payload = body === undefined ? {} : { payload: body };
  const response = await app.inject({ method, url: `/api/v1${path}`, headers, ...payload });
  const json: unknown = response.body === '' ? undefined : response.json();

  return { status: response.statusCode, json };
}

describe('the API key', () => {
  it.each([undefined, 'Bearer wrong', `Basic ${apiKey}`, `Bearer ${apiKey}x`, 'Bearer '])(
    'refuses %j',
    async (authorization) => {
      const response = await app.inject({
        url: '/api/v1/rooms',
        headers: authorization === undefined ? {} : { authorization },
      });

      expect(response.statusCode).toBe(401);
      expect(response.headers['www-authenticate']).toBe('Bearer');
      expect(response.json()).toEqual({
        error: { code: 'UNAUTHORIZED', message: expect.any(String) },
      });
      expect(refused).toBe(1);
    },
  );

  it('slows down who guesses, but never who knows it', async () => {
    const guess = () =>
      app.inject({ url: '/api/v1/rooms', headers: { authorization: 'Bearer x' } });
    const statuses = [];
    for (let i = 0; i < 25; i++) statuses.push((await guess()).statusCode);

    expect(statuses.filter((status) => status === 401)).toHaveLength(20);
    expect(statuses.at(-1)).toBe(429);
    expect((await guess()).json()).toMatchObject({ error: { code: 'RATE_LIMITED' } });
    expect((await call('GET', '/rooms')).status).toBe(200);
  });
});

describe('rooms', () => {
  it('are created, listed, shown, changed and deleted', async () => {
    const body = { number: '1000', name: 'Board', maxParticipants: 5, hostPin: '4321' };
    const created = await call('POST', '/rooms', body);
    expect(created.status).toBe(201);
    expect(created.json).toEqual({
      number: '1000',
      name: 'Board',
      locked: false,
      lobby: false,
      tones: true,
      createdAt: '2026-01-01T00:00:00.000Z',
      maxParticipants: 5,
      participants: 0,
      persistent: true,
      layout: 'speaker',
      effectiveLayout: 'speaker',
      hostPinSet: true,
      guestPinSet: false,
    });
    expect((await call('GET', '/rooms')).json).toEqual([created.json]);
    expect((await call('GET', '/rooms/1000')).json).toEqual(created.json);
    const changed = await call('PATCH', '/rooms/1000', { hostPin: null, name: 'New' });
    expect(changed.json).toMatchObject({ name: 'New', hostPinSet: false, maxParticipants: 5 });
    expect((await call('DELETE', '/rooms/1000')).status).toBe(204);
    expect((await call('GET', '/rooms/1000')).json).toEqual({
      error: { code: 'ROOM_NOT_FOUND', message: 'no room 1000' },
    });
  });

  it('need no body to be created', async () => {
    expect((await call('POST', '/rooms')).status).toBe(201);
  });

  it('accept a JSON label on a request without a body', async () => {
    await call('POST', '/rooms', { number: '1000' });
    const response = await app.inject({
      method: 'DELETE',
      url: '/api/v1/rooms/1000',
      headers: { ...headers, 'content-type': 'application/json' },
    });

    expect(response.statusCode).toBe(204);
  });

  it.each([
    { number: 'a b' },
    { number: '0' },
    { number: '1*2' },
    { number: 5 },
    { name: '' },
    { hostPin: 'abc' },
    { maxParticipants: 0 },
    { colour: 'red' },
  ])('refuse the body %j', async (body) => {
    const { status, json } = await call('POST', '/rooms', body);

    expect(status).toBe(400);
    expect(json).toEqual({ error: { code: 'BAD_REQUEST', message: expect.any(String) } });
  });

  it('refuse a number that exists', async () => {
    await call('POST', '/rooms', { number: '1000' });

    expect(await call('POST', '/rooms', { number: '1000' })).toMatchObject({
      status: 409,
      json: { error: { code: 'ROOM_EXISTS' } },
    });
  });

  it('end for all when deleted', async () => {
    const { sink } = await conference.enter('Ann');
    await call('DELETE', `/rooms/${ROOM}`);

    expect(sink.endings).toEqual(['room-ended']);
  });
});

describe('participants', () => {
  it('are listed as the contract says, in one list for both kinds', async () => {
    const ann = await conference.enter('Ann');
    await conference.enter('Bob', { kind: 'phone', address: 'sip:bob@192.0.2.9' });
    const { json } = await call('GET', `/rooms/${ROOM}/participants`);

    const layout = { layout: 'speaker', effectiveLayout: 'speaker' };
    expect(json).toEqual([
      { ...ann.member.view(), ...layout },
      expect.objectContaining({ name: 'Bob', kind: 'phone', address: 'sip:bob@192.0.2.9' }),
    ]);
  });

  it('are muted, renamed and removed', async () => {
    const { member, sink } = await conference.enter('Ann');
    const path = `/rooms/${ROOM}/participants/${member.id}`;
    const changed = await call('PATCH', path, { muted: true, name: 'Anna', handRaised: true });
    expect(changed).toMatchObject({
      status: 200,
      json: { muted: true, name: 'Anna', handRaised: true },
    });
    expect((await call('DELETE', path)).status).toBe(204);
    expect(sink.endings).toEqual(['kicked']);
  });

  it('that are not there are not found', async () => {
    await conference.enter('Ann');
    const code = { json: { error: { code: 'PARTICIPANT_NOT_FOUND' } } };

    expect(await call('DELETE', `/rooms/${ROOM}/participants/p_x`)).toMatchObject(code);
    expect(await call('GET', '/rooms/77/participants')).toMatchObject({
      status: 404,
      json: { error: { code: 'ROOM_NOT_FOUND' } },
    });
  });
});

describe('errors', () => {
  it('have one shape, also when the framework makes them', async () => {
    const shape = { error: { code: expect.any(String), message: expect.any(String) } };
    const broken = await app.inject({
      method: 'POST',
      url: '/api/v1/rooms',
      headers: { ...headers, 'content-type': 'application/json' },
      payload: '{"number":',
    });
    const huge = await call('POST', '/rooms', { name: 'x'.repeat(70_000) });
    const xml = await app.inject({
      method: 'POST',
      url: '/api/v1/rooms',
      headers: { ...headers, 'content-type': 'text/xml' },
      payload: '<a/>',
    });

    for (const json of [broken.json(), huge.json, xml.json()]) expect(json).toEqual(shape);
    expect([broken.statusCode, huge.status, xml.statusCode]).toEqual([400, 400, 400]);
    expect((await app.inject('/nowhere?token=abc')).json()).toEqual({
      error: { code: 'NOT_FOUND', message: 'nothing at GET /nowhere' },
    });
  });

  it('keep the text of a fault to themselves', async () => {
    conference.rooms.create = () => Promise.reject(new Error('password is hunter2'));
    const { status, json } = await call('POST', '/rooms', {});

    expect(status).toBe(500);
    expect(json).toEqual({ error: { code: 'INTERNAL', message: 'an error in the server' } });
  });
});

describe('health', () => {
  it('says that the process lives, and whether calls can be served', async () => {
    expect((await app.inject('/healthz')).json()).toEqual({ status: 'ok' });
    expect((await app.inject('/readyz')).json()).toEqual({ status: 'ready', missing: [] });
    warnings = ['no spoken prompts in "en": callers hear tones instead'];
    const poorer = await app.inject('/readyz');
    expect(poorer.statusCode).toBe(200);
    expect(poorer.json()).toEqual({ status: 'ready', missing: [], warnings });
    warnings = [];
    missing = ['Redis does not answer'];
    const unready = await app.inject('/readyz');
    expect(unready.statusCode).toBe(503);
    expect(unready.json()).toEqual({ status: 'unready', missing });
  });

  it('gives all figures that the contract names', async () => {
    await conference.enter('Ann', { kind: 'phone' });
    const { body, headers: answered } = await app.inject('/metrics');

    expect(answered['content-type']).toContain('text/plain');
    for (const line of [
      'parley_rooms 1',
      'parley_participants{kind="browser"} 0',
      'parley_participants{kind="phone"} 1',
      'parley_sip_requests_total{method="INVITE",direction="in"} 1',
      'parley_sip_transactions 3',
      'parley_sip_dialogs 2',
      'parley_rtp_packets_total{direction="in"} 7',
      'parley_rtp_lost_total 2',
      'parley_mixer_frame_seconds_bucket{le="0.001"} 3',
      'parley_mixer_frame_seconds_bucket{le="+Inf"} 4',
      'parley_mixer_late_frames_total 1',
      'parley_mixer_room_moves_total{outcome="moved"} 2',
      'parley_mixer_thread_busy_ratio{thread="1"} 0.25',
      'parley_media_worker_deaths_total 0',
      'parley_grid_rooms 1',
      'parley_grid_cpu_seconds_total 1.5',
      'parley_grid_frames_total{what="dropped"} 3',
      'parley_grid_deaths_total 0',
    ]) {
      expect(body.split('\n')).toContain(line);
    }
    for (const name of [
      'parley_sip_responses_total',
      'parley_sip_malformed_total',
      'parley_call_setup_seconds',
      'parley_reinvites_total',
    ]) {
      expect(body).toContain(`# TYPE ${name} `);
    }
  });
});

describe('pages', () => {
  it('describe the API', async () => {
    const { paths } = (await app.inject('/docs/json')).json<{ paths: object }>();

    expect(Object.keys(paths)).toEqual(
      expect.arrayContaining(['/api/v1/rooms', '/api/v1/rooms/{number}/participants/{id}']),
    );
    expect((await app.inject('/docs/')).statusCode).toBe(200);
  });

  it('say when the web app is not built', async () => {
    expect((await app.inject('/room/1000')).json()).toMatchObject({ error: { code: 'NOT_FOUND' } });
  });

  it('let a page run its own scripts alone', async () => {
    const policy = String((await app.inject('/healthz')).headers['content-security-policy']);

    expect(policy).toContain("script-src 'self'");
    expect(policy).toContain('connect-src');
    expect(policy).not.toContain('upgrade-insecure-requests');
  });
});
