import type { Redis } from 'ioredis';
import type { Clock, Logger } from '../../base/index.ts';
import type { AccountBindings, Binding, KeyedStore } from '../ports.ts';
import { parseObject } from './redis-hash-store.ts';

const PREFIX = 'parley:bindings:';
const SCAN_COUNT = 500;

/** A key an account, which Redis forgets when its last binding expires. */
export class RedisBindingStore implements KeyedStore<string, AccountBindings> {
  readonly #client: Redis;
  readonly #clock: Clock;
  readonly #logger: Logger;

  constructor(client: Redis, clock: Clock, logger: Logger) {
    this.#client = client;
    this.#clock = clock;
    this.#logger = logger;
  }

  async list(): Promise<AccountBindings[]> {
    const all: AccountBindings[] = [];
    let cursor = '0';
    do {
      const [next, keys] = await this.#client.scan(
        cursor,
        'MATCH',
        `${PREFIX}*`,
        'COUNT',
        SCAN_COUNT,
      );
      cursor = next;
      for (const key of keys) {
        const entry = await this.find(key.slice(PREFIX.length));
        if (entry !== undefined) all.push(entry);
      }
    } while (cursor !== '0');

    return all;
  }

  async find(username: string): Promise<AccountBindings | undefined> {
    const text = await this.#client.get(PREFIX + username);
    if (text === null) return undefined;
    const entry = parseBindings(username, text);
    if (entry === undefined) this.#logger.warn({ username }, 'stored bindings cannot be read');

    return entry;
  }

  async save(entry: AccountBindings): Promise<void> {
    const last = Math.max(0, ...entry.bindings.map(({ expiresAt }) => expiresAt));
    const left = Math.ceil(last - this.#clock.wallTime());
    if (left <= 0) await this.remove(entry.username);
    else await this.#client.set(PREFIX + entry.username, JSON.stringify(entry), 'PX', left);
  }

  async remove(username: string): Promise<void> {
    await this.#client.del(PREFIX + username);
  }
}

function parseBindings(username: string, text: string): AccountBindings | undefined {
  const bindings = parseObject(text)?.['bindings'];

  return Array.isArray(bindings) && bindings.every(isBinding) ? { username, bindings } : undefined;
}

function isBinding(value: unknown): value is Binding {
  if (typeof value !== 'object' || value === null) return false;
  const { contact, params, callId, cseq, expiresAt, path, flow } = value as Record<string, unknown>;

  return (
    typeof contact === 'string' &&
    Array.isArray(params) &&
    typeof callId === 'string' &&
    typeof cseq === 'number' &&
    typeof expiresAt === 'number' &&
    Array.isArray(path) &&
    typeof flow === 'object' &&
    flow !== null
  );
}
