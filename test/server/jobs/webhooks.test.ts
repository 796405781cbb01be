import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  it,
  jest,
} from '@jest/globals';
import { SystemClock, randomToken, silentLogger } from '../../../base/index.ts';
import { WebhookDispatcher, createJobQueue, deliver } from '../../../server/jobs/index.ts';
import type { JobQueue, WebhookEvent, WebhookOutcome } from '../../../server/jobs/index.ts';
import { startRedis } from '../../support/redis-for-tests.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { Conference } from '../room-harness.ts';

interface Post {
  headers: IncomingHttpHeaders;
  text: string;
  event: WebhookEvent;
}

// A real Redis and a real receiver, on machines that may be busy.
jest.setTimeout(30_000);

const clock = new SystemClock();
const logger = silentLogger;
const secret = 'a secret';
let redis: Awaited<ReturnType<typeof startRedis>>;
let receiver: Server;
let url: URL;
let posts: Post[];
/** Statuses to answer with, in turn; then 204. */
let answers: number[];

beforeAll(async () => {
  redis = await startRedis();
  receiver = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString();
      posts.push({ headers: request.headers, text, event: JSON.parse(text) as WebhookEvent });
      response.writeHead(answers.shift() ?? 204, { location: '/elsewhere' }).end();
    });
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  url = new URL(`http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`);
});

afterAll(async () => {
  receiver.closeAllConnections();
  receiver.close();
  await redis.close();
});

beforeEach(() => {
  posts = [];
  answers = [];
});

const event: WebhookEvent = {
  id: 'evt_1',
  type: 'room.started',
  timestamp: '2026-01-01T00:00:00.000Z',
  room: { number: '1000' as WebhookEvent['room']['number'], name: 'Board' },
};

describe('deliver', () => {
  it('signs the exact bytes that it posts', async () => {
    await deliver({ url, secret }, event);
    const [post] = posts;
    const expected = createHmac('sha256', secret).update(post!.text).digest('hex');

    expect(post?.headers['x-parley-signature']).toBe(`sha256=${expected}`);
    expect(post?.headers['x-parley-delivery']).toBe('evt_1');
    expect(post?.event).toEqual(event);
  });

  it('follows no redirect', async () => {
    answers = [307];

    await expect(deliver({ url, secret }, event)).rejects.toThrow('answered 307');
    expect(posts).toHaveLength(1);
  });

  it('gives up on a receiver that does not answer', async () => {
    const mute = createServer(() => undefined).listen(0, '127.0.0.1');
    await once(mute, 'listening');
    const { port } = mute.address() as AddressInfo;
    const target = { url: new URL(`http://127.0.0.1:${port}/`), secret };

    await expect(deliver(target, event, 50)).rejects.toThrow('timeout');
    mute.closeAllConnections();
    mute.close();
  });

  it('names no secret when it fails', async () => {
    answers = [500];
    const target = { url: new URL(url), secret };
    target.url.username = 'user';
    target.url.password = 'hunter2';
    const error = await deliver(target, event).catch((thrown: unknown) => thrown as Error);

    expect(String(error)).not.toMatch(/hunter2|a secret/);
    expect(posts[0]?.headers.authorization).toBe(`Basic ${btoa('user:hunter2')}`);
  });
});

describe('WebhookDispatcher', () => {
  let queue: JobQueue<WebhookEvent>;
  let dispatcher: WebhookDispatcher;
  let conference: Conference;
  let outcomes: WebhookOutcome[];

  beforeEach(() => {
    outcomes = [];
    conference = new Conference();
    queue = createJobQueue<WebhookEvent>({
      name: `webhooks-${randomToken(4)}`,
      address: redis.redis.address,
      retry: { attempts: 4, firstDelayMs: 10 },
      clock,
      logger,
    });
    dispatcher = new WebhookDispatcher({
      target: { url, secret },
      queue,
      clock,
      logger,
      onOutcome: (outcome) => outcomes.push(outcome),
    });
    dispatcher.watch(conference.rooms);
  });

  afterEach(async () => {
    await dispatcher.close();
  });

  const arrived = (count: number): Promise<void> =>
    waitUntil('the events arrive', () =>
      posts.length >= count ? undefined : `${posts.length} of ${count}`,
    );

  it('posts the beginning and the end of a meeting and who joined and left', async () => {
    const { member } = await conference.enter('Ann');
    await member.leave('left');
    await arrived(4);

    // Several are delivered at once, so their order of arrival means nothing; ids and times do.
    const byType = Object.fromEntries(posts.map((post) => [post.event.type, post.event]));
    expect(Object.keys(byType).sort()).toEqual([
      'participant.joined',
      'participant.left',
      'room.ended',
      'room.started',
    ]);
    expect(byType['participant.left']).toMatchObject({
      room: { number: '1000', name: 'Room 1000' },
      participant: { id: member.id, name: 'Ann', kind: 'browser' },
      reason: 'left',
    });
    expect(new Set(posts.map((post) => post.event.id)).size).toBe(4);
  });

  it('tries again, with the same id, until the receiver takes it', async () => {
    answers = [500, 503];
    await queue.add('evt_1', event);
    await waitUntil('it is delivered', () =>
      outcomes.at(-1) === 'delivered' ? undefined : 'not yet',
    );

    expect(posts.map((post) => post.event.id)).toEqual(['evt_1', 'evt_1', 'evt_1']);
    expect(outcomes).toEqual(['failed', 'failed', 'delivered']);
  });

  it('gives up after the last try and keeps the job to be seen', async () => {
    answers = [500, 500, 500, 500, 500];
    await queue.add('evt_1', event);
    await waitUntil('it is given up', async () =>
      (await queue.counts()).failed === 1 ? undefined : JSON.stringify(await queue.counts()),
    );

    expect(posts).toHaveLength(4);
  });

  it('keeps events while the queue refuses them, in a bounded backlog', async () => {
    const refusing: JobQueue<WebhookEvent> = {
      add: () => Promise.reject(new Error('redis is away')),
      process: () => undefined,
      cancel: () => Promise.resolve(false),
      counts: () => Promise.resolve({ waiting: 0, active: 0, delayed: 0, failed: 0 }),
      close: () => Promise.resolve(),
    };
    const dropped: WebhookOutcome[] = [];
    const waiting = new WebhookDispatcher({
      target: { url, secret },
      queue: refusing,
      clock: conference.clock,
      logger,
      onOutcome: (outcome) => dropped.push(outcome),
    });
    const busy = new Conference();
    waiting.watch(busy.rooms);
    for (let i = 0; i < 251; i++) await (await busy.enter('Ann')).member.leave('left');

    expect(waiting.backlog).toBe(1000);
    expect(dropped).toEqual(Array(4).fill('dropped'));
    refusing.add = () => Promise.resolve();
    await conference.clock.advanceAsync(2000);
    await waitUntil('the backlog is taken', () =>
      waiting.backlog === 0 ? undefined : String(waiting.backlog),
    );
  });
});

describe('the job queue', () => {
  it('does not queue an id twice, and cancels what has not begun', async () => {
    const queue = createJobQueue<number>({
      name: `numbers-${randomToken(4)}`,
      address: redis.redis.address,
      retry: { attempts: 1, firstDelayMs: 10 },
      clock,
      logger,
    });
    await queue.add('one', 1);
    await queue.add('one', 1);
    await queue.add('two', 2);
    expect((await queue.counts()).waiting).toBe(2);
    expect(await queue.cancel('one')).toBe(true);
    expect(await queue.cancel('one')).toBe(false);
    const seen: number[] = [];
    queue.process(1, (data) => {
      seen.push(data);

      return Promise.resolve();
    });
    await waitUntil('the job runs', () => (seen.length > 0 ? undefined : 'nothing ran'));

    expect(seen).toEqual([2]);
    await queue.close();
  });
});
