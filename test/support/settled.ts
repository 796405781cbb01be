import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
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

/** Of these nothing is there when nobody is. */
const BUSY = ['parley_sip_transactions', 'parley_sip_dialogs', 'parley_rooms'];
const REST_MS = 1500;

export async function openResources(server: ParleyServer): Promise<OpenResources> {
  const metrics = await server.metrics();
  const open = Object.fromEntries(
    [...metrics].filter(([name]) => GAUGES.some((gauge) => name.startsWith(gauge))),
  );

  return { ...open, udpSockets: udpSockets() };
}

/** What stays open when nobody is there any more: waits until no call or transaction is left, and nothing goes any more. */
export async function restingResources(server: ParleyServer): Promise<OpenResources> {
  let resting: OpenResources = {};
  await waitUntil('the server is at rest', async () => {
    const before = await openResources(server);
    const busy = BUSY.filter((name) => (before[name] ?? 0) > 0);
    if (busy.length > 0) return busy.map((name) => `${name} ${before[name]}`).join(', ');
    await delay(REST_MS);
    resting = await openResources(server);
    const changed = Object.keys(before).filter((name) => before[name] !== resting[name]);

    return changed.length === 0 ? undefined : `changing ${changed.join(', ')}`;
  });

  return resting;
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
