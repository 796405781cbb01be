import type { Redis } from 'ioredis';
import type { Logger } from '../../base/index.ts';
import type { KeyedStore } from '../ports.ts';

export interface RedisHashOptions<Key extends string, Value> {
  client: Redis;
  logger: Logger;
  /** Of the Redis hash. */
  name: string;
  keyOf: (value: Value) => Key;
  /** What another version or a person wrote is not trusted: undefined for a bad entry. */
  parse: (key: Key, value: Record<string, unknown>) => Value | undefined;
}

/** One hash: key → value as JSON. */
export class RedisHashStore<Key extends string, Value> implements KeyedStore<Key, Value> {
  readonly #options: RedisHashOptions<Key, Value>;

  constructor(options: RedisHashOptions<Key, Value>) {
    this.#options = options;
  }

  async list(): Promise<Value[]> {
    const { client, name } = this.#options;
    const all = await client.hgetall(name);

    return Object.entries(all).flatMap(([key, text]) => this.#parse(key as Key, text) ?? []);
  }

  async find(key: Key): Promise<Value | undefined> {
    const { client, name } = this.#options;
    const text = await client.hget(name, key);

    return text === null ? undefined : this.#parse(key, text);
  }

  async save(value: Value): Promise<void> {
    const { client, name, keyOf } = this.#options;
    await client.hset(name, keyOf(value), JSON.stringify(value));
  }

  async remove(key: Key): Promise<void> {
    const { client, name } = this.#options;
    await client.hdel(name, key);
  }

  #parse(key: Key, text: string): Value | undefined {
    const fields = parseObject(text);
    const value = fields && this.#options.parse(key, fields);
    if (value === undefined) {
      const { logger, name } = this.#options;
      logger.warn({ name, key }, 'what is stored cannot be read');
    }

    return value;
  }
}

/** A JSON object, or undefined. */
export function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);

    return typeof value === 'object' && value !== null
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
