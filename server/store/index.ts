import type { Clock, Closeable, Logger } from '../../base/index.ts';
import type { RoomStore } from '../ports.ts';
import { DegradingRoomStore } from './degrading-room-store.ts';
import type { RedisAddress } from './redis-address.ts';
import { RedisConnection } from './redis-connection.ts';
import { RedisProcess } from './redis-process.ts';
import { RedisRoomStore } from './redis-room-store.ts';

export { DegradingRoomStore } from './degrading-room-store.ts';
export type { RedisAddress } from './redis-address.ts';
export { createRedisClient, RedisConnection } from './redis-connection.ts';
export { RedisProcess } from './redis-process.ts';
export { RedisRoomStore } from './redis-room-store.ts';

export interface StoreOptions {
  /** Unset: a private redis-server below `dataDir`. */
  redisUrl?: string;
  dataDir: string;
  clock: Clock;
  logger: Logger;
  onDegraded: () => void;
}

export interface Store extends Closeable {
  readonly address: RedisAddress;
  readonly rooms: RoomStore;
  /** Undefined when Redis answers. */
  unreadyReason(): string | undefined;
  /** Called each time Redis comes back. */
  onUp(listener: () => void): void;
  close(): Promise<void>;
}

const FIRST_CONNECT_MS = 5000;

/** Redis with everything that is kept in it. Does not fail when a foreign Redis is away: see `unreadyReason`. */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { redisUrl, dataDir, clock, onDegraded } = options;
  const logger = options.logger.child({ tag: 'store' });
  const own =
    redisUrl === undefined ? await RedisProcess.start({ dataDir, clock, logger }) : undefined;
  const address = redisUrl === undefined ? own!.address : { url: redisUrl };
  const connection = new RedisConnection(address, logger);
  const inner = new RedisRoomStore(connection.client, logger);
  const rooms = new DegradingRoomStore({ inner, clock, logger, onDegraded });
  connection.events.on('up', () => void rooms.flush());
  await connection.whenUp(clock, FIRST_CONNECT_MS);

  return {
    address,
    rooms,
    unreadyReason: () => (connection.isUp ? undefined : 'Redis does not answer'),
    onUp: (listener) => {
      connection.events.on('up', listener);
    },
    close: async () => {
      await rooms.flush();
      connection.close();
      await own?.close();
    },
  };
}
