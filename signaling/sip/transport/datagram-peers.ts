import type { Clock } from '../../../base/index.ts';
import { formatHostPort } from '../message/index.ts';
import type { Endpoint } from './transport.ts';

const MEMORY_MS = 600_000;
const MAX_PEERS = 10_000;

/**
 * Peers that took no stream (RFC 3261 18.1.1): for a while they get large requests as datagrams at once.
 * Behind address translation nobody refuses, and each attempt is a silence of seconds.
 */
export class DatagramPeers {
  readonly #clock: Clock;
  /** Until when, by address and port; the oldest first. */
  readonly #until = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  has(peer: Endpoint): boolean {
    const until = this.#until.get(keyOf(peer));

    return until !== undefined && this.#clock.now() < until;
  }

  add(peer: Endpoint): void {
    const key = keyOf(peer);
    this.#until.delete(key);
    this.#until.set(key, this.#clock.now() + MEMORY_MS);
    for (const oldest of this.#until.keys()) {
      if (this.#until.size <= MAX_PEERS) break;
      this.#until.delete(oldest);
    }
  }
}

function keyOf({ address, port }: Endpoint): string {
  return formatHostPort(address, port);
}
