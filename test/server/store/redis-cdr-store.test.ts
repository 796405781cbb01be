import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Redis } from 'ioredis';
import type { ParticipantId, RoomNumber } from '../../../base/index.ts';
import type { Cdr } from '../../../server/cdrs/index.ts';
import { createRedisClient } from '../../../server/store/index.ts';
import { RedisCdrStore } from '../../../server/store/redis-cdr-store.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { startRedis } from '../../support/redis-for-tests.ts';

jest.setTimeout(30_000);

const HOUR = 3_600_000;

function record(id: string, endedAt: number, room = '100'): Cdr {
  return {
    id: id as ParticipantId,
    room: room as RoomNumber,
    kind: 'phone',
    name: 'Ann',
    address: 'sip:ann@x',
    startedAt: new Date(endedAt - 1000).toISOString(),
    endedAt: new Date(endedAt).toISOString(),
    duration: 1,
    reason: 'left',
    mos: 4.2,
  };
}

describe('records of calls in Redis', () => {
  let started: Awaited<ReturnType<typeof startRedis>>;
  let client: Redis;
  const clock = new FakeClock();

  beforeAll(async () => {
    started = await startRedis();
    client = createRedisClient(started.redis.address, {});
  });

  afterAll(async () => {
    client.disconnect();
    await started.close();
  });

  beforeEach(async () => {
    await client.del('parley:cdrs');
  });

  function store(retentionDays = 1, maxRecords = 100): RedisCdrStore {
    return new RedisCdrStore({ client, clock, retentionDays, maxRecords });
  }

  const ids = (records: Cdr[]): string[] => records.map(({ id }) => id);

  it('are found by time and room, the newest first', async () => {
    const now = clock.wallTime();
    await store().add(record('a', now - 3 * HOUR));
    await store().add(record('b', now - 2 * HOUR, '200'));
    await store().add(record('c', now - HOUR));
    expect(await store().find({ limit: 9 })).toEqual([
      record('c', now - HOUR),
      record('b', now - 2 * HOUR, '200'),
      record('a', now - 3 * HOUR),
    ]);
    expect(ids(await store().find({ limit: 2 }))).toEqual(['c', 'b']);
    expect(ids(await store().find({ limit: 9, room: '100' as RoomNumber }))).toEqual(['c', 'a']);
    const between = { from: now - 2.5 * HOUR, to: now - 1.5 * HOUR, limit: 9 };
    expect(ids(await store().find(between))).toEqual(['b']);
  });

  it('go when they are old or too many, and are not kept at all where nobody wants them', async () => {
    const now = clock.wallTime();
    await store().add(record('old', now - 25 * HOUR));
    await store().add(record('new', now));
    expect(ids(await store().find({ limit: 9 }))).toEqual(['new']);
    for (let i = 1; i <= 5; i++) await store(1, 3).add(record(`n${i}`, now + i));
    expect(ids(await store().find({ limit: 9 }))).toEqual(['n5', 'n4', 'n3']);
    await store(0).add(record('unwanted', now + 9));
    expect(ids(await store().find({ limit: 9 }))).toEqual(['n5', 'n4', 'n3']);
  });

  it('are passed over when somebody else wrote them', async () => {
    await client.zadd('parley:cdrs', clock.wallTime(), '{"id":1}', clock.wallTime(), 'x');
    expect(await store().find({ limit: 9 })).toEqual([]);
  });
});
