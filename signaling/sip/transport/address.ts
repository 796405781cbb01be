import { isIP, isIPv4, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';

/** A dual-stack socket shows IPv4 peers as ::ffff:a.b.c.d; zone ids are left out. */
export function normaliseAddress(address: string): string {
  const lower = address.toLowerCase();
  const mapped = lower.startsWith('::ffff:') ? lower.slice(7) : undefined;
  if (mapped !== undefined && isIPv4(mapped)) return mapped;

  return lower;
}

export function isWildcard(address: string): boolean {
  return address === '0.0.0.0' || address === '::';
}

export function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1';
}

/** Whether a socket bound to `local` can send to `remote`; names are taken to be reachable. */
export function canReach(local: string, remote: string): boolean {
  if (local === '::') return true;
  if (isIPv6(remote)) return isIPv6(local);

  return !isIPv4(remote) || isIPv4(local);
}

/** Among sockets that reach `remote`, one that certainly does: loopback reaches loopback alone. */
export function reachesWell(local: string, remote: string): boolean {
  return isWildcard(local) || isLoopback(local) === isLoopback(remote);
}

/** Whether two addresses, or names, are of one IP version as far as that can be told. */
export function sameFamily(a: string, b: string): boolean {
  return isIP(a) === 0 || isIP(b) === 0 || isIP(a) === isIP(b);
}

/** Our own address as a peer at `remote` can reach it, for a socket bound to `local`. */
export function addressTowards(local: string, remote: string): string {
  if (!isWildcard(local)) return local;
  const wantV6 = isIPv6(remote);
  if (isLoopback(remote)) return wantV6 ? '::1' : '127.0.0.1';
  const family = wantV6 ? 'IPv6' : 'IPv4';
  for (const addresses of Object.values(networkInterfaces())) {
    for (const entry of addresses ?? []) {
      if (entry.family === family && !entry.internal) return normaliseAddress(entry.address);
    }
  }

  return wantV6 ? '::1' : '127.0.0.1';
}
