import type { Redis } from 'ioredis';
import type { Clock } from '../../base/index.ts';
import type { Cdr, CdrQuery, CdrStore } from '../cdrs/index.ts';
import { parseObject } from './redis-hash-store.ts';

export interface RedisCdrStoreOptions {
  client: Redis;
  clock: Clock;
  /** Older ones are deleted; 0: none is kept. */
  retentionDays: number;
  /** Of more the oldest are deleted. */
  maxRecords: number;
}

const NAME = 'parley:cdrs';
const DAY = 86_400_000;
/** Read at one time when only some rooms' records are wanted. */
const PAGE = 1000;

/** One sorted set: records as JSON, by the time at which their call ended. */
export class RedisCdrStore implements CdrStore {
  readonly #options: RedisCdrStoreOptions;

  constructor(options: RedisCdrStoreOptions) {
    this.#options = options;
  }

  async add(record: Cdr): Promise<void> {
    const { client, clock, retentionDays, maxRecords } = this.#options;
    if (retentionDays === 0) return;
    await client
      .multi()
      .zadd(NAME, Date.parse(record.endedAt), JSON.stringify(record))
      .zremrangebyscore(NAME, '-inf', clock.wallTime() - retentionDays * DAY)
      .zremrangebyrank(NAME, 0, -maxRecords - 1)
      .exec();
  }

  async find({ from, to, room, limit }: CdrQuery): Promise<Cdr[]> {
    const found: Cdr[] = [];
    const [max, min] = [to ?? '+inf', from ?? '-inf'];
    for (let offset = 0; found.length < limit; offset += PAGE) {
      const { client } = this.#options;
      const page = await client.zrevrangebyscore(NAME, max, min, 'LIMIT', offset, PAGE);
      for (const text of page) {
        const record = parseCdr(text);
        const isWanted = record !== undefined && (room === undefined || record.room === room);
        if (isWanted && found.length < limit) found.push(record);
      }
      if (page.length < PAGE) break;
    }

    return found;
  }
}

/** Its own writing; whatever else is there is passed over. */
function parseCdr(text: string): Cdr | undefined {
  const fields = parseObject(text);
  const texts = ['id', 'room', 'kind', 'name', 'address', 'startedAt', 'endedAt', 'reason'];
  const isWhole =
    fields !== undefined &&
    texts.every((name) => typeof fields[name] === 'string') &&
    typeof fields['duration'] === 'number';

  return isWhole ? (fields as unknown as Cdr) : undefined;
}
