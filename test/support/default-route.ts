import { spawnSync } from 'node:child_process';

/**
 * Phones open no socket where no route leads anywhere, and take no address of `lo` for a candidate; in a
 * namespace with nothing but `lo` there is neither.
 */
export function giveDefaultRoute(): void {
  spawnSync('ip', ['addr', 'add', '127.8.8.8/32', 'dev', 'lo']);
  spawnSync('ip', ['route', 'add', 'default', 'dev', 'lo', 'src', '127.8.8.8']);
}
