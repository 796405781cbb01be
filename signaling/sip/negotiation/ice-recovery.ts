/**
 * What is done when nothing comes of a WebRTC peer any more: we ask it by re-INVITE to find another way (an ICE
 * restart), a bounded number of times, and then the call is over. Knows nothing of descriptions.
 */
import { TimerSet, type Clock } from '../../../base/index.ts';

/** `due`: a restart is to be asked for; `asked`: it was; `lost`: for good. */
export type IceState = 'connected' | 'due' | 'asked' | 'lost';

type IceEvent = 'interrupt' | 'ask' | 'connect' | 'retry' | 'give-up';

const TRANSITIONS: Readonly<Record<IceState, Partial<Record<IceEvent, IceState>>>> = {
  connected: { interrupt: 'due' },
  due: { ask: 'asked', connect: 'connected', retry: 'due', 'give-up': 'lost' },
  asked: { connect: 'connected', retry: 'due', 'give-up': 'lost' },
  lost: {},
};

export interface IceRecoveryHost {
  /** A restart is due. */
  restartDue(): void;
  lost(): void;
}

/** How often a restart is asked for, and the milliseconds that each may take: signalling, checks, and some. */
export const MAX_RESTARTS = 2;
export const RESTART_TIMEOUT = 9000;

export class IceRecovery {
  readonly #host: IceRecoveryHost;
  readonly #timers: TimerSet<'restart'>;
  #state: IceState = 'connected';
  #restarts = 0;

  constructor(host: IceRecoveryHost, clock: Clock) {
    this.#host = host;
    this.#timers = new TimerSet(clock);
  }

  get isDue(): boolean {
    return this.#state === 'due';
  }

  interrupted(): void {
    if (!this.#move('interrupt')) return;
    this.#restarts = 0;
    this.#begin();
  }

  /** Our offer says so. */
  asked(): void {
    this.#move('ask');
  }

  /** By another way, or the old one. */
  connected(): void {
    if (this.#move('connect')) this.#timers.stop('restart');
  }

  close(): void {
    this.#timers.close();
  }

  #begin(): void {
    this.#restarts += 1;
    this.#timers.start('restart', RESTART_TIMEOUT, () => this.#expired());
    this.#host.restartDue();
  }

  #expired(): void {
    if (this.#restarts < MAX_RESTARTS) {
      if (this.#move('retry')) this.#begin();
    } else if (this.#move('give-up')) {
      this.#host.lost();
    }
  }

  #move(event: IceEvent): boolean {
    const next = TRANSITIONS[this.#state][event];
    if (next === undefined) return false;
    this.#state = next;

    return true;
  }
}
