/**
 * Our changes of one call: what the room wants of it is gathered for a moment and sent as one offer;
 * the next goes when that one has its answer (decision D5). Knows nothing of what is offered.
 */
import { TimerSet, toError, type Clock, type Logger } from '../../../base/index.ts';
import { nextNegotiationState, type NegotiationState } from './negotiation-state.ts';
import { judgeRefusal } from './refusal.ts';

export interface NegotiationSettings {
  /** Milliseconds without a further change after which the offer goes. */
  readonly window: number;
  /** Milliseconds after which it goes in any case. */
  readonly longestWindow: number;
  /** Milliseconds that it waits at most for what was announced. */
  readonly patience: number;
  /** Milliseconds before an offer that was refused is made again; the last entry is the last try. */
  readonly rests: readonly number[];
}

/**
 * A room that fills makes ten changes in a fifth of a second: they are one. `window` 0 merges nothing. `t1`
 * (RFC 3261 17.1.1.1) says how slow the network is.
 */
export function negotiationSettings(window: number, t1 = 500): NegotiationSettings {
  const rests = [8 * t1, 32 * t1, 128 * t1];

  return { window, longestWindow: 4 * window, patience: 12 * window, rests };
}

export const DEFAULT_NEGOTIATION = negotiationSettings(250);

/** How an exchange ended; `moot`: there was nothing to ask for after all. */
export type ExchangeResult = 'accepted' | 'moot' | { readonly status: number };

export type NegotiationOutcome = 'accepted' | 'refused' | 'glare' | 'ended' | 'failed';

export interface NegotiationHost {
  /** The call has not what is wanted of it. */
  readonly isWanted: boolean;
  /** Until when more is sure to come, by the clock; a time that is over when nothing is. */
  readonly awaitedUntil?: number;
  /** One offer and its answer. */
  exchange(): Promise<ExchangeResult>;
  count(outcome: NegotiationOutcome): void;
  /** From now on the peer is served as it is. */
  resigned(): void;
}

export class Negotiation {
  readonly #host: NegotiationHost;
  readonly #settings: NegotiationSettings;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #timers: TimerSet<'window' | 'rest'>;
  #state: NegotiationState = 'settled';
  #wantedSince = 0;
  #refusals = 0;

  constructor(
    host: NegotiationHost,
    deps: { clock: Clock; logger: Logger; settings?: NegotiationSettings },
  ) {
    this.#host = host;
    this.#clock = deps.clock;
    this.#logger = deps.logger;
    this.#settings = deps.settings ?? DEFAULT_NEGOTIATION;
    this.#timers = new TimerSet(deps.clock);
  }

  get state(): NegotiationState {
    return this.#state;
  }

  /** Something that the call depends on may be different now; whether it is shows when the window closes. */
  changed(): void {
    const before = this.#state;
    if (!this.#move('change') || this.#state !== 'gathering') return;
    const now = this.#clock.now();
    if (before === 'settled') this.#wantedSince = now;
    const { window, longestWindow, patience } = this.#settings;
    const { awaitedUntil = 0 } = this.#host;
    const quiet = Math.min(now + window, this.#wantedSince + longestWindow);
    const due = Math.max(quiet, Math.min(awaitedUntil, this.#wantedSince + patience));
    this.#timers.start('window', Math.max(0, due - now), () => this.#send());
  }

  close(): void {
    this.#move('close');
    this.#timers.close();
  }

  #send(): void {
    if (!this.#host.isWanted) {
      this.#move('moot');

      return;
    }
    if (!this.#move('due')) return;
    this.#host.exchange().then(
      (result) => this.#ended(result),
      (error: unknown) => {
        this.#logger.error({ err: toError(error) }, 'a change of the call failed');
        this.#host.count('failed');
        this.#refused(500);
      },
    );
  }

  #ended(result: ExchangeResult): void {
    // A call that ends by it is closed before we hear why.
    if (result === 'accepted') this.#host.count('accepted');
    else if (result !== 'moot') this.#host.count(outcomeOf(result.status));
    if (this.#state === 'closed') return;
    if (result === 'accepted' || result === 'moot') {
      this.#refusals = 0;
      this.#move(result === 'accepted' ? 'accept' : 'moot');
      this.changed();
    } else {
      this.#refused(result.status);
    }
  }

  /** "The session … continue[s] … as if the re-INVITE had not been issued" (14.1). */
  #refused(status: number): void {
    const refusal = judgeRefusal(status);
    const rest = this.#settings.rests[this.#refusals];
    this.#refusals += 1;
    if (refusal === 'ended') {
      this.close();
    } else if (refusal === 'never' || rest === undefined) {
      this.#logger.info({ status }, 'the peer takes no changes');
      if (this.#move('resign')) this.#host.resigned();
    } else if (this.#move('refuse')) {
      this.#timers.start('rest', rest, () => this.#send());
    }
  }

  #move(event: Parameters<typeof nextNegotiationState>[1]): boolean {
    const next = nextNegotiationState(this.#state, event);
    if (next === undefined) return false;
    this.#state = next;

    return true;
  }
}

function outcomeOf(status: number): NegotiationOutcome {
  if (judgeRefusal(status) === 'ended') return 'ended';

  return status === 491 ? 'glare' : 'refused';
}
