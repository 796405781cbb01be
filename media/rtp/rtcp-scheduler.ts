/** When to send RTCP: RFC 3550 6.2 and 6.3 for a session of two, the phone and us. */
import type { Clock, TimerHandle } from '../../base/index.ts';

/** "The RECOMMENDED value for a fixed minimum interval is 5 seconds" (6.2). */
const MIN_INTERVAL = 5000;
/** e − 3/2: "compensate for the fact that the timer reconsideration algorithm converges to a value
 * below the intended average" (6.3.1). */
const COMPENSATION = Math.E - 1.5;
/** Octets of IP and UDP headers, which count too (6.2). */
const LOWER_LAYERS = 28;
/** Of the session's bandwidth. */
const RTCP_SHARE = 0.05;
/** One audio stream each way, octets a second. */
const DEFAULT_BANDWIDTH = 2 * 10_000;
/** A compound packet of SR with one block and CNAME: "the probable size of the first RTCP packet". */
const FIRST_PACKET_SIZE = 100;
const MEMBERS = 2;

/** Milliseconds, without randomness (6.3.1). `averageSize`: octets of a compound packet. */
export function rtcpInterval(bandwidth: number, averageSize: number, initial: boolean): number {
  // "The fraction of participants which are senders" is above a quarter with two, so both share all.
  const deterministic = (MEMBERS * averageSize * 1000) / (bandwidth * RTCP_SHARE);

  return Math.max(initial ? MIN_INTERVAL / 2 : MIN_INTERVAL, deterministic);
}

export interface RtcpSchedulerOptions {
  clock: Clock;
  /** A report is due; answers the octets that were sent. */
  send: () => number;
  /** Of the session, octets a second. */
  bandwidth?: number;
  random?: () => number;
}

export class RtcpScheduler {
  readonly #clock: Clock;
  readonly #send: () => number;
  readonly #bandwidth: number;
  readonly #random: () => number;
  #averageSize = FIRST_PACKET_SIZE + LOWER_LAYERS;
  #timer: TimerHandle | undefined;

  constructor(options: RtcpSchedulerOptions) {
    this.#clock = options.clock;
    this.#send = options.send;
    this.#bandwidth = options.bandwidth ?? DEFAULT_BANDWIDTH;
    this.#random = options.random ?? Math.random;
  }

  /** Does nothing while it runs. */
  start(): void {
    if (this.#timer === undefined) this.#schedule(true);
  }

  /** A compound packet of the peer came. */
  received(octets: number): void {
    this.#account(octets);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #schedule(initial: boolean): void {
    const interval = rtcpInterval(this.#bandwidth, this.#averageSize, initial);
    // "A random number uniformly distributed between 0.5 and 1.5 times" keeps reports apart.
    const delay = (interval * (0.5 + this.#random())) / COMPENSATION;
    this.#timer = this.#clock.setTimer(delay, () => {
      this.#schedule(false);
      this.#account(this.#send());
    });
  }

  #account(octets: number): void {
    if (octets <= 0) return;
    // "avg_rtcp_size = (1/16) * packet_size + (15/16) * avg_rtcp_size" (6.3.3).
    this.#averageSize += (octets + LOWER_LAYERS - this.#averageSize) / 16;
  }
}
