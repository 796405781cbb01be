import { TimerSet, type Clock } from '../../../base/index.ts';
import type { DialogRequestParts } from '../dialog/index.ts';
import type { ClientTransactionUser } from '../transaction/index.ts';
import { reasonPhrase } from '../message/index.ts';

const SIPFRAG = 'message/sipfrag;version=2.0';
/** Seconds that the far end is told; an INVITE rings for at most three minutes. */
const LIFETIME = 240;
/** Milliseconds between two NOTIFYs: simple phones lose one that comes on the heels of another. */
const PACE = 200;

/** Sends a request in the dialog that the REFER came in; false when that is gone. */
export type SendInDialog = (
  method: string,
  parts: DialogRequestParts,
  user: ClientTransactionUser,
) => boolean;

/**
 * The subscription that a REFER makes (RFC 3515 2.4.4): one NOTIFY at once, one for each news, and a last
 * one with the end; each waits for the answer to the one before, and only the newest of them matters.
 */
export class ReferSubscription {
  readonly #send: SendInDialog;
  readonly #event: string;
  readonly #timers: TimerSet<'lifetime' | 'pace'>;
  readonly #startedAt: number;
  readonly #clock: Clock;
  #next: { line: string; reason: string | undefined } | undefined;
  #line = statusLine(100);
  #isSending = false;
  #isOver = false;

  /** `id` tells the second REFER of a dialog, and all after it, apart (2.4.6). */
  constructor(send: SendInDialog, id: number | undefined, clock: Clock) {
    this.#send = send;
    this.#event = id === undefined ? 'refer' : `refer;id=${String(id)}`;
    this.#clock = clock;
    this.#startedAt = clock.now();
    this.#timers = new TimerSet(clock);
    this.#timers.start('lifetime', LIFETIME * 1000, () => {
      this.#tell(this.#line, 'timeout');
    });
  }

  progress(status: number): void {
    this.#tell(statusLine(status), undefined);
  }

  /** "terminated;reason=noresource": there is nothing left to tell (2.4.7). */
  final(status: number): void {
    this.#tell(statusLine(status), 'noresource');
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Seconds; a SUBSCRIBE does not make it longer. */
  get left(): number {
    return Math.max(0, LIFETIME - Math.floor((this.#clock.now() - this.#startedAt) / 1000));
  }

  /** A SUBSCRIBE in the dialog (3515 2.4.4): what is known is told again, with `ends` for the last time. */
  asked(ends: boolean): void {
    this.#tell(this.#line, ends ? 'timeout' : undefined);
  }

  #tell(line: string, reason: string | undefined): void {
    if (this.#isOver) return;
    this.#line = line;
    this.#next = { line, reason };
    this.#isOver = reason !== undefined;
    if (this.#isOver) this.#timers.stop('lifetime');
    this.#sendNext();
  }

  #sendNext(): void {
    const isHeld = this.#isSending || this.#timers.isRunning('pace');
    const next = isHeld ? undefined : this.#next;
    if (next === undefined) return;
    this.#next = undefined;
    const state =
      next.reason === undefined
        ? `active;expires=${String(this.left)}`
        : `terminated;reason=${next.reason}`;
    const done = (isGone: boolean): void => {
      this.#isSending = false;
      if (isGone || next.reason !== undefined) this.#stop();
      else this.#timers.start('pace', PACE, () => this.#sendNext());
    };
    this.#isSending = this.#send(
      'NOTIFY',
      {
        headers: [
          ['Event', this.#event],
          ['Subscription-State', state],
        ],
        body: { type: SIPFRAG, content: `${next.line}\r\n` },
      },
      {
        onResponse: ({ status }) => {
          if (status >= 200) done(status >= 300);
        },
        onFailure: () => {
          done(true);
        },
      },
    );
    if (!this.#isSending) this.#stop();
  }

  #stop(): void {
    this.#isOver = true;
    this.#next = undefined;
    this.#timers.close();
  }
}

function statusLine(status: number): string {
  return `SIP/2.0 ${String(status)} ${reasonPhrase(status)}`;
}
