import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../base/index.ts';

const WAIT_MS = 5000;
const POLL_MS = 50;

/**
 * Two redis-servers on one append-only file would ruin it. A live Parley that holds the folder is an
 * error; a redis-server whose Parley was killed is stopped first.
 */
export async function claimDataDir(dir: string, clock: Clock): Promise<void> {
  const text = await readFile(join(dir, 'owner'), 'utf8').catch(() => '');
  const [owner, redis] = text.trim().split(' ').map(Number);
  if (owner === undefined || redis === undefined || !(await isRedis(redis))) return;
  if (owner !== process.pid && isAlive(owner)) {
    throw new Error(
      `${dir} is in use by another Parley (process ${owner}): give it its own DATA_DIR`,
    );
  }
  process.kill(redis, 'SIGTERM');
  const end = clock.now() + WAIT_MS;
  while (isAlive(redis)) {
    if (clock.now() > end) throw new Error(`a left-over redis-server (${redis}) does not stop`);
    await new Promise<void>((resolve) => clock.setTimer(POLL_MS, resolve));
  }
}

/** By its name, as the number may have been given to another program since. */
async function isRedis(pid: number): Promise<boolean> {
  if (!isAlive(pid)) return false;
  const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '');

  return name.startsWith('redis-server');
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);

    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
