import {
  buildResponse,
  type ExtraHeaders,
  type SipMessage,
  type SipResponse,
} from '../message/index.ts';
import type { ServerTransaction } from '../transaction/index.ts';
import type { ChangeMethod, ReinviteOutcome } from './change-client.ts';
import type { SessionContext } from './session-context.ts';
import { isIntervalTooSmall, SessionTimer } from './session-timer.ts';

export interface RefresherHost {
  /** Changes and refreshes are possible now. */
  readonly isConfirmed: boolean;
  change(method: ChangeMethod, offer?: () => string): Promise<ReinviteOutcome>;
  /** A refresh brought another answer than the last one. */
  answered(answer: string): void;
  expire(): void;
}

/**
 * Keeps a session refreshed, or notices that it is not: by UPDATE where the far end allows it, which
 * leaves the media alone, else by a re-INVITE with the last description (RFC 4028 7.4).
 */
export class SessionRefresher {
  readonly #context: SessionContext;
  readonly #host: RefresherHost;
  readonly #timer: SessionTimer;
  #remoteAllowsUpdate = false;
  /** The last descriptions that both sides agreed to. */
  #local: string | undefined;
  #remote: string | undefined;

  constructor(context: SessionContext, host: RefresherHost) {
    this.#context = context;
    this.#host = host;
    this.#timer = new SessionTimer(context.clock, context.sessionTimer, {
      refresh: () => void this.#refresh(),
      expire: () => host.expire(),
    });
  }

  /** A 422 went out: the interval asked for is too small. */
  refuses(transaction: ServerTransaction): boolean {
    const { request } = transaction;
    const { sessionTimer } = this.#context;
    if (!isIntervalTooSmall(request, sessionTimer)) return false;
    const headers: ExtraHeaders = [['Min-SE', String(sessionTimer.minimum)]];
    transaction.respond(buildResponse(request, 422, { headers }));

    return true;
  }

  /** What a 2xx of ours says of the timer, which starts anew. */
  answer({ request }: ServerTransaction): ExtraHeaders {
    this.#noteAllow(request);

    return this.#timer.answer(request);
  }

  offer(): ExtraHeaders {
    return this.#timer.offer();
  }

  /** A 2xx to a request of ours. */
  accept(response: SipResponse): void {
    this.#noteAllow(response);
    this.#timer.accept(response);
  }

  raise(response: SipResponse): boolean {
    return this.#timer.raise(response);
  }

  describe(local: string, remote: string | undefined): void {
    this.#local = local;
    this.#remote = remote;
  }

  close(): void {
    this.#timer.close();
  }

  #noteAllow(message: SipMessage): void {
    const allowed = message.headers.list('Allow');
    if (allowed.length > 0) this.#remoteAllowsUpdate = allowed.includes('UPDATE');
  }

  async #refresh(): Promise<void> {
    const outcome = await this.#ask();
    if ('answer' in outcome) {
      if (outcome.answer !== this.#remote) this.#host.answered(outcome.answer);
      this.#remote = outcome.answer;
    } else if (outcome.status >= 300) {
      // What they say they allow and refuse all the same is asked in the other way.
      this.#remoteAllowsUpdate = false;
      this.#timer.refreshLater();
    }
  }

  #ask(): Promise<ReinviteOutcome> {
    const local = this.#local;
    if (!this.#host.isConfirmed) return Promise.resolve({ status: 491 });
    if (this.#remoteAllowsUpdate) return this.#host.change('UPDATE');
    if (local === undefined) return Promise.resolve({ status: 491 });

    // 7.4: "the session description … unchanged", with it the version of its origin.
    return this.#host.change('INVITE', () => this.#local ?? local);
  }
}
