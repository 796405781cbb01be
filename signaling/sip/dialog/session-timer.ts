/** Session timers (RFC 4028): a session that nobody refreshes in time is over. */
import { TimerSet, type Clock } from '../../../base/index.ts';
import {
  formatHeaderParams,
  parseHeaderParams,
  type SipMessage,
  type SipRequest,
  type SipResponse,
} from '../message/index.ts';

/** Seconds. */
export interface SessionTimerPolicy {
  /** What we ask for. */
  readonly interval: number;
  /** What we refuse to go below; never under 90 ("the absolute minimum", RFC 4028 4). */
  readonly minimum: number;
}

export const DEFAULT_SESSION_TIMER: SessionTimerPolicy = { interval: 1800, minimum: 90 };

type Role = 'uac' | 'uas';
type Header = readonly [name: string, value: string];

interface SessionExpires {
  readonly interval: number;
  readonly refresher: Role | undefined;
}

/** Undefined when there is none, or none that can be read. */
export function sessionExpires(message: SipMessage): SessionExpires | undefined {
  const value = message.headers.get('Session-Expires');
  const match = value === undefined ? null : /^\s*(\d{1,9})\s*(;.*)?$/s.exec(value);
  if (match === null) return undefined;
  const params = parseHeaderParams(match[2] ?? '', 0);
  const refresher = params?.get('refresher')?.toLowerCase();
  const isRole = refresher === 'uac' || refresher === 'uas';

  return { interval: Number(match[1]), refresher: isRole ? refresher : undefined };
}

export function minSe(message: SipMessage): number | undefined {
  const match = /^\s*(\d{1,9})\s*(;.*)?$/s.exec(message.headers.get('Min-SE') ?? '');

  return match === null ? undefined : Number(match[1]);
}

export function lists(message: SipMessage, header: string, option: string): boolean {
  return message.headers.list(header).some((value) => value.toLowerCase() === option);
}

/**
 * "If … the Session-Expires interval … is smaller than the … minimum interval … [the UAS] MAY reject
 * the request with a 422" (RFC 4028 9); not when the far end would not understand it.
 */
export function isIntervalTooSmall(request: SipRequest, policy: SessionTimerPolicy): boolean {
  const asked = sessionExpires(request);

  return (
    asked !== undefined && asked.interval < policy.minimum && lists(request, 'Supported', 'timer')
  );
}

/** What an INVITE or UPDATE outside or inside a session says of its timer. */
export function timerRequestHeaders(
  interval: number,
  minimum: number | undefined,
  refresher?: Role,
): Header[] {
  const params = new Map(refresher === undefined ? [] : [['refresher', refresher]]);
  const headers: Header[] = [
    ['Session-Expires', `${String(interval)}${formatHeaderParams(params)}`],
  ];
  // 7.1: to be said once a 422 or a request has named one.
  if (minimum !== undefined) headers.push(['Min-SE', String(minimum)]);

  return headers;
}

export interface SessionTimerHost {
  /** Half the interval went by and refreshing is ours to do. */
  refresh(): void;
  /** Nobody refreshed. */
  expire(): void;
}

/** The timer of one session. */
export class SessionTimer {
  readonly #timers: TimerSet<'refresh' | 'expire'>;
  readonly #policy: SessionTimerPolicy;
  readonly #host: SessionTimerHost;
  #minimum: number | undefined;
  #interval: number | undefined;
  #isRefresher = false;

  constructor(clock: Clock, policy: SessionTimerPolicy, host: SessionTimerHost) {
    this.#timers = new TimerSet(clock);
    this.#policy = policy;
    this.#host = host;
  }

  /** As UAS of a request that gets a 2xx: what the 2xx says; the timer runs from now. */
  answer(request: SipRequest): Header[] {
    const asked = sessionExpires(request);
    const supported = lists(request, 'Supported', 'timer');
    this.#noteMinimum(minSe(request));
    if (asked === undefined && !supported) {
      this.#stop();

      return [];
    }
    // 9: "must not be larger than … the request", nor "lower than … Min-SE" or 90.
    const wanted = Math.min(asked?.interval ?? Infinity, this.#policy.interval);
    const interval = Math.max(wanted, this.#minimum ?? 0, this.#policy.minimum);
    // Who did not ask gets us, so that a phone which forgets its part loses no call; table 2 of 9.
    const refresher = supported ? (asked?.refresher ?? 'uas') : 'uas';
    this.#run(interval, refresher === 'uas');
    const value: Header = ['Session-Expires', `${String(interval)};refresher=${refresher}`];

    // 9: "if the refresher parameter … is set to 'uac', the UAS MUST place … Require … timer".
    return refresher === 'uac' ? [['Require', 'timer'], value] : [value];
  }

  /** As UAC: what a refresh asks for. Roles are those of the request: the refresher is its UAC. */
  offer(): Header[] {
    if (this.#interval === undefined) {
      return timerRequestHeaders(
        Math.max(this.#policy.interval, this.#minimum ?? 0),
        this.#minimum,
      );
    }

    return timerRequestHeaders(
      Math.max(this.#interval, this.#minimum ?? 0),
      this.#minimum,
      this.#isRefresher ? 'uac' : 'uas',
    );
  }

  /** As UAC: a 2xx came. 7.2: without Session-Expires "no session expiration" holds. */
  accept(response: SipResponse): void {
    const agreed = sessionExpires(response);
    if (agreed === undefined) this.#stop();
    else this.#run(Math.max(agreed.interval, 90), agreed.refresher !== 'uas');
  }

  /** A 422 to a refresh: "a Min-SE … the minimum timer value" (7.3). False when it names none. */
  raise(response: SipResponse): boolean {
    const minimum = minSe(response);
    if (minimum === undefined || minimum <= (this.#minimum ?? 0)) return false;
    this.#noteMinimum(minimum);

    return true;
  }

  /** A refresh failed for a reason that leaves the session: once more before it expires. */
  refreshLater(): void {
    if (this.#interval === undefined || !this.#isRefresher) return;
    this.#timers.start('refresh', this.#interval * 125, () => this.#host.refresh());
  }

  close(): void {
    this.#timers.close();
  }

  #noteMinimum(minimum: number | undefined): void {
    if (minimum !== undefined) this.#minimum = Math.max(minimum, this.#minimum ?? 0);
  }

  #stop(): void {
    this.#interval = undefined;
    this.#timers.stopAll();
  }

  #run(interval: number, isRefresher: boolean): void {
    this.#timers.stopAll();
    this.#interval = interval;
    this.#isRefresher = isRefresher;
    if (isRefresher) {
      // 10: "once half the session interval has elapsed".
      this.#timers.start('refresh', interval * 500, () => this.#host.refresh());
    }
    // 10: "it SHOULD send a BYE … before the session expires … minimum of 32 seconds and one third".
    const margin = Math.min(32, interval / 3);
    this.#timers.start('expire', (interval - margin) * 1000, () => this.#host.expire());
  }
}
