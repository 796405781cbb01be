import type { Redis } from 'ioredis';
import type { Logger, RoomNumber } from '../../base/index.ts';
import type { RoomSettings, RoomStore } from '../ports.ts';

const KEY = 'parley:rooms';

/** One hash: number → settings as JSON. */
export class RedisRoomStore implements RoomStore {
  readonly #client: Redis;
  readonly #logger: Logger;

  constructor(client: Redis, logger: Logger) {
    this.#client = client;
    this.#logger = logger;
  }

  async list(): Promise<RoomSettings[]> {
    const all = await this.#client.hgetall(KEY);

    return Object.entries(all).flatMap(([number, text]) => this.#parse(number, text) ?? []);
  }

  async find(number: RoomNumber): Promise<RoomSettings | undefined> {
    const text = await this.#client.hget(KEY, number);

    return text === null ? undefined : this.#parse(number, text);
  }

  async save(room: RoomSettings): Promise<void> {
    await this.#client.hset(KEY, room.number, JSON.stringify(room));
  }

  async remove(number: RoomNumber): Promise<void> {
    await this.#client.hdel(KEY, number);
  }

  /** What another version or a person wrote is not trusted: a bad entry is no room. */
  #parse(number: string, text: string): RoomSettings | undefined {
    const room = parseRoom(number, text);
    if (room === undefined) this.#logger.warn({ number }, 'a stored room cannot be read');

    return room;
  }
}

function parseRoom(number: string, text: string): RoomSettings | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { name, createdAt, maxParticipants, hostPin, guestPin } = value as Record<string, unknown>;
  if (typeof name !== 'string' || typeof createdAt !== 'number') return undefined;

  return {
    number: number as RoomNumber,
    name,
    createdAt,
    ...(typeof maxParticipants === 'number' && { maxParticipants }),
    ...(typeof hostPin === 'string' && { hostPin }),
    ...(typeof guestPin === 'string' && { guestPin }),
  };
}
