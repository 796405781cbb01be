import type { Clock, Closeable, Logger } from '../../base/index.ts';
import type { Redis } from 'ioredis';
import type { RoomNumber } from '../../base/index.ts';
import type {
  AccountBindings,
  AccountSettings,
  KeyedStore,
  RoomSettings,
  RoomStore,
  TrunkSettings,
} from '../ports.ts';
import type { CdrStore } from '../cdrs/index.ts';
import { DegradingStore } from './degrading-store.ts';
import { parseAccount, parseRoom, parseTrunk } from './parse-settings.ts';
import type { RedisAddress } from './redis-address.ts';
import { RedisConnection } from './redis-connection.ts';
import { RedisProcess } from './redis-process.ts';
import { RedisBindingStore } from './redis-binding-store.ts';
import { RedisCdrStore } from './redis-cdr-store.ts';
import { RedisHashStore } from './redis-hash-store.ts';

export { RedisBindingStore } from './redis-binding-store.ts';
export { DegradingStore } from './degrading-store.ts';
export type { RedisAddress } from './redis-address.ts';
export { SealedRoomStore } from './sealed-room-store.ts';
export { createRedisClient, RedisConnection } from './redis-connection.ts';
export { RedisProcess } from './redis-process.ts';

export interface StoreOptions {
  /** Unset: a private redis-server below `dataDir`. */
  redisUrl?: string;
  dataDir: string;
  /** How long, and how many, records of calls are kept. */
  cdrs?: { retentionDays: number; maxRecords: number };
  clock: Clock;
  logger: Logger;
  onDegraded: () => void;
}

export interface Store extends Closeable {
  readonly address: RedisAddress;
  readonly rooms: RoomStore;
  readonly accounts: KeyedStore<string, AccountSettings>;
  readonly bindings: KeyedStore<string, AccountBindings>;
  readonly trunks: KeyedStore<string, TrunkSettings>;
  readonly cdrs: CdrStore;
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
  const degrading = { clock, logger, onDegraded };
  const inner = innerStores(connection.client, clock, logger);
  const stores = {
    rooms: new DegradingStore({ ...degrading, inner: inner.rooms, keyOf: ({ number }) => number }),
    accounts: new DegradingStore({ ...degrading, inner: inner.accounts, keyOf: usernameOf }),
    bindings: new DegradingStore({ ...degrading, inner: inner.bindings, keyOf: usernameOf }),
    trunks: new DegradingStore({ ...degrading, inner: inner.trunks, keyOf: ({ name }) => name }),
  };
  const flush = async (): Promise<void> => {
    for (const store of Object.values(stores)) await store.flush();
  };
  connection.events.on('up', () => void flush());
  await connection.whenUp(clock, FIRST_CONNECT_MS);

  return {
    address,
    ...stores,
    cdrs: new RedisCdrStore({
      client: connection.client,
      clock,
      ...(options.cdrs ?? { retentionDays: 90, maxRecords: 100_000 }),
    }),
    unreadyReason: () => (connection.isUp ? undefined : 'Redis does not answer'),
    onUp: (listener) => {
      connection.events.on('up', listener);
    },
    close: async () => {
      await flush();
      connection.close();
      await own?.close();
    },
  };
}

function innerStores(client: Redis, clock: Clock, logger: Logger) {
  return {
    rooms: new RedisHashStore<RoomNumber, RoomSettings>({
      client,
      logger,
      name: 'parley:rooms',
      keyOf: ({ number }) => number,
      parse: parseRoom,
    }),
    accounts: new RedisHashStore<string, AccountSettings>({
      client,
      logger,
      name: 'parley:accounts',
      keyOf: usernameOf,
      parse: parseAccount,
    }),
    trunks: new RedisHashStore<string, TrunkSettings>({
      client,
      logger,
      name: 'parley:trunks',
      keyOf: ({ name }) => name,
      parse: parseTrunk,
    }),
    bindings: new RedisBindingStore(client, clock, logger),
  };
}

function usernameOf({ username }: { username: string }): string {
  return username;
}
