/** Where a Redis server is. No client library's type leaves this folder and jobs/. */
export type RedisAddress =
  { url: string } | { path: string } | { host: string; port: number; password: string };
