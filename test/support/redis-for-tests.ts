import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SystemClock, silentLogger } from '../../base/index.ts';
import { RedisProcess } from '../../server/store/index.ts';

/** A real redis-server of the test's own, on a socket in a folder that goes with it. */
export async function startRedis(): Promise<{
  redis: RedisProcess;
  dataDir: string;
  close: () => Promise<void>;
}> {
  const dataDir = await mkdtemp(join(tmpdir(), 'parley-redis-'));
  const redis = await RedisProcess.start({
    dataDir,
    clock: new SystemClock(),
    logger: silentLogger,
  });

  return {
    redis,
    dataDir,
    close: async () => {
      await redis.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
