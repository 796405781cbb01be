import { EventEmitter } from 'node:events';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { AppError, silentLogger } from '../../../base/index.ts';
import { Connection, type Handlers } from '../../../signaling/websocket/connection.ts';
import { FakeClock } from '../../support/fake-clock.ts';

/** A socket.io socket as far as a connection uses one. */
class FakeSocket extends EventEmitter {
  readonly sent: string[] = [];
  receive: (name: unknown, ...args: unknown[]) => void = () => undefined;

  onAny(listener: FakeSocket['receive']): void {
    this.receive = listener;
  }

  override emit(name: string, payload?: unknown): boolean {
    if (name === 'disconnect') return super.emit(name, payload);
    this.sent.push(name);

    return true;
  }

  disconnect(): void {
    this.sent.push('(closed)');
    super.emit('disconnect', 'server namespace disconnect');
  }
}

const LIMITS = {
  requests: { perSecond: 1, burst: 5 },
  maxPending: 3,
  maxHeld: 2,
  maxAnswers: 2,
  joinTimeout: 30_000,
};

const ID = '0123456789abcdef';

let socket: FakeSocket;
let clock: FakeClock;
let connection: Connection;
let work: (() => Promise<void>)[];
let served: string[];
let counters: { requests: number; failed: number; malformed: number; rateLimited: number };

/** Sends a request to close a producer; handlers wait until the test lets `work` go on. */
function send(producerId: string, requestId = `${ID}${producerId}`): void {
  socket.receive('close-producer', { requestId, producerId }, (ack: { ok: boolean }) => {
    socket.sent.push(`${ack.ok ? 'ack' : 'nack'} ${producerId}`);
  });
}

async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

async function finishOne(): Promise<void> {
  await settle();
  await work.shift()?.();
  await settle();
}

beforeEach(() => {
  socket = new FakeSocket();
  clock = new FakeClock();
  work = [];
  served = [];
  counters = { requests: 0, failed: 0, malformed: 0, rateLimited: 0 };
  const handlers: Pick<Handlers, 'close-producer'> = {
    'close-producer': async (_connection, { producerId }) => {
      served.push(producerId);
      await new Promise<void>((resolve) => {
        work.push(() => {
          resolve();

          return Promise.resolve();
        });
      });
      if (producerId === 'refused') throw new AppError('NOT_FOUND', 'no such stream');
      if (producerId === 'broken') throw new Error('a secret of the server');

      return {};
    },
  };
  connection = new Connection({
    socket: socket as never,
    address: '192.0.2.1',
    handlers: handlers as Handlers,
    limits: LIMITS,
    counters,
    clock,
    logger: silentLogger,
    onClosed: () => undefined,
  });
});

describe('requests', () => {
  it('are served one after the other, in the order in which they came', async () => {
    send('a');
    send('b');
    await settle();
    expect(served).toEqual(['a']);
    await finishOne();
    expect(served).toEqual(['a', 'b']);
    await finishOne();
    expect(socket.sent).toEqual(['ack a', 'ack b']);
  });

  it('with the same id are answered again, not done again', async () => {
    send('a');
    await finishOne();
    send('a');
    await settle();

    expect(served).toEqual(['a']);
    expect(socket.sent).toEqual(['ack a', 'ack a']);
  });

  it('are remembered up to a bound, the oldest forgotten first', async () => {
    for (const id of ['a', 'b', 'c']) {
      send(id);
      await finishOne();
    }
    send('c');
    await settle();
    send('a');
    await settle();

    expect(served).toEqual(['a', 'b', 'c', 'a']);
  });

  it('that fail are answered in the one shape and do not stop the queue', async () => {
    send('refused');
    send('broken');
    send('a');
    await finishOne();
    await finishOne();
    await finishOne();

    expect(socket.sent).toEqual(['nack refused', 'nack broken', 'ack a']);
    expect(counters.failed).toBe(2);
  });

  it('tell nothing of a fault of the server', async () => {
    let answer: unknown;
    socket.receive('close-producer', { requestId: ID, producerId: 'broken' }, (ack: unknown) => {
      answer = ack;
    });
    await finishOne();

    expect(answer).toMatchObject({ ok: false, code: 'INTERNAL' });
    expect(JSON.stringify(answer)).not.toContain('secret');
  });

  it('above the rate are refused until time has passed', async () => {
    for (const id of ['a', 'b', 'c']) {
      send(id);
      await finishOne();
    }
    send('c');
    send('c');
    send('d');
    await settle();
    expect(socket.sent).toContain('nack d');
    expect(counters.rateLimited).toBe(1);
    clock.advance(1000);
    send('e');
    await finishOne();

    expect(socket.sent.at(-1)).toBe('ack e');
  });

  it('that wait are bounded in number', async () => {
    for (const id of ['a', 'b', 'c', 'd']) send(id);

    expect(socket.sent).toEqual(['nack d']);
    await finishOne();
    expect(socket.sent).toEqual(['nack d', 'ack a']);
  });

  it('without an ack function, without a payload or with an unknown name harm nothing', async () => {
    socket.receive('close-producer');
    socket.receive('no-such-request', {});
    socket.receive('constructor', {});
    socket.receive(42, null, undefined);
    await settle();

    expect(counters).toMatchObject({ requests: 4, malformed: 4 });
  });

  it('refused without end close the socket', () => {
    for (let i = 0; i < 520; i++) send(`r${i}`);

    expect(socket.sent).toContain('(closed)');
  });
});

describe('notifications', () => {
  it('go out at once while no request is open', () => {
    connection.notify('server-closing', {});

    expect(socket.sent).toEqual(['server-closing']);
  });

  it('wait for the ack of the request in progress', async () => {
    send('a');
    await settle();
    connection.notify('consumer-closed', { consumerId: 'c' });
    expect(socket.sent).toEqual([]);
    await finishOne();

    expect(socket.sent).toEqual(['ack a', 'consumer-closed']);
  });

  it('that wait are bounded: then the page has to come back for a fresh picture', async () => {
    send('a');
    await settle();
    for (let i = 0; i < 3; i++) connection.notify('consumer-closed', { consumerId: `${i}` });

    expect(socket.sent).toEqual(['(closed)']);
  });

  it('of the end close the socket after them', async () => {
    send('a');
    await settle();
    connection.end({ reason: 'removed', message: 'removed by a host', retryable: false });
    await finishOne();

    expect(socket.sent).toEqual(['ack a', 'ended', '(closed)']);
  });

  it('to a closed socket are dropped', () => {
    socket.disconnect();
    connection.notify('server-closing', {});

    expect(socket.sent).toEqual(['(closed)']);
    expect(clock.pendingTimers).toBe(0);
  });
});
