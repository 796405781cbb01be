import { Redis } from 'ioredis';
import type { RedisOptions } from 'ioredis';
import { TypedEmitter, toError } from '../../base/index.ts';
import type { Clock, Closeable, Logger } from '../../base/index.ts';
import type { RedisAddress } from './redis-address.ts';

const RETRY_STEP_MS = 100;
const RETRY_MAX_MS = 2000;

/** Makes a client for an address; what is common to all of ours is here. */
export function createRedisClient(address: RedisAddress, options: RedisOptions): Redis {
  const common: RedisOptions = {
    retryStrategy: (attempt) => Math.min(RETRY_MAX_MS, RETRY_STEP_MS * attempt),
    ...options,
  };

  return 'url' in address ? new Redis(address.url, common) : new Redis({ ...address, ...common });
}

/**
 * One connection that comes back by itself. A command while it is down fails at once instead of
 * waiting: whoever asks has something better to do than wait.
 */
export class RedisConnection implements Closeable {
  readonly events = new TypedEmitter<{ up: []; down: [] }>();
  readonly client: Redis;
  readonly #logger: Logger;
  #up = false;

  constructor(address: RedisAddress, logger: Logger) {
    this.#logger = logger.child({ tag: 'redis' });
    this.client = createRedisClient(address, {
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
    });
    this.client.on('ready', () => {
      this.#up = true;
      this.#logger.info({}, 'redis is up');
      this.events.emit('up');
    });
    this.client.on('close', () => {
      if (!this.#up) return;
      this.#up = false;
      this.#logger.warn({}, 'redis is gone');
      this.events.emit('down');
    });
    this.client.on('error', (error) => {
      this.#logger.debug({ err: toError(error) }, 'redis connection');
    });
  }

  get isUp(): boolean {
    return this.#up;
  }

  /** Resolves when it is up, or after `timeoutMs` when it is not. */
  whenUp(clock: Clock, timeoutMs: number): Promise<boolean> {
    if (this.#up) return Promise.resolve(true);

    return new Promise((resolve) => {
      const timer = clock.setTimer(timeoutMs, () => {
        this.events.off('up', onUp);
        resolve(false);
      });
      const onUp = (): void => {
        timer.cancel();
        resolve(true);
      };
      this.events.once('up', onUp);
    });
  }

  close(): void {
    this.#up = false;
    this.client.disconnect();
  }
}
