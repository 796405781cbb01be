import { readFileSync } from 'node:fs';
import type { ParleyServer } from './parley-server.ts';
import { waitUntil } from './wait-until.ts';

/** What is open in a running server and must be back to its old value when a meeting is over. */
export type OpenResources = Record<string, number>;

/** Gauges that count what a call opens; the process's own timers are `nodejs_active_resources`. */
const GAUGES = [
  'parley_rooms',
  'parley_participants',
  'parley_sip_transactions',
  'parley_sip_dialogs',
  'parley_media_open',
  'nodejs_active_resources{type="Timeout"}',
];

export async function openResources(server: ParleyServer): Promise<OpenResources> {
  const metrics = await server.metrics();
  const open = Object.fromEntries(
    [...metrics].filter(([name]) => GAUGES.some((gauge) => name.startsWith(gauge))),
  );

  return { ...open, udpSockets: udpSockets() };
}

/** Waits until everything is back to `before`; the failure names what is not. */
export async function expectSettled(
  server: ParleyServer,
  before: OpenResources,
  timeoutMs = 40_000,
): Promise<void> {
  await waitUntil(
    'the server is as it was',
    async () => {
      const now = await openResources(server);
      const more = Object.entries(now)
        .filter(([name, value]) => value > (before[name] ?? 0))
        .map(([name, value]) => `${name} ${value} instead of ${before[name] ?? 0}`);

      return more.length === 0 ? undefined : more.join(', ');
    },
    timeoutMs,
  );
}

/** UDP sockets of the network namespace, which holds the server and this test's peers alone. */
function udpSockets(): number {
  return ['/proc/net/udp', '/proc/net/udp6']
    .map((file) => readFileSync(file, 'utf8').trim().split('\n').length - 1)
    .reduce((sum, count) => sum + count, 0);
}
