/** The server as every benchmark starts it: one worker, one mixer thread, loopback alone. */
import type { ChildProcess } from 'node:child_process';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export const SERVER_HTTP = 'http://127.0.0.1:3000';
export const SERVER_MAIN = path.join(import.meta.dirname, '../dist/server/main.js');

/** Its settings, with its data under `folder`. */
export function serverSettings(folder: string): Record<string, string> {
  return {
    NODE_ENV: 'production',
    HTTP_HOST: '127.0.0.1',
    SIP_HOST: '127.0.0.1',
    PUBLIC_ADDRESS: '127.0.0.1',
    MEDIA_WORKERS: '1',
    MIXER_THREADS: '1',
    LOG_LEVEL: 'warn',
    DATA_DIR: path.join(folder, 'data'),
  };
}

/** Resolves when it takes calls; one that does not within 20 s is killed. */
export async function untilReady(server: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const isReady = await fetch(`${SERVER_HTTP}/readyz`).then(
      (response) => response.status === 200,
      () => false,
    );
    if (isReady) return;
    await delay(100);
  }
  server.kill('SIGKILL');
  throw new Error('the server did not become ready');
}
