import { AppError, TimerSet, toError, type Clock, type Logger } from '../../../base/index.ts';
import type { PhoneLeg } from '../../../media/index.ts';
import type { CallKeys, KeyForm, KeyProgress, PressedKeys } from '../../../server/index.ts';
import type { SessionCall } from '../ua/index.ts';
import { allows, type MemberCalls } from './member-calls.ts';

export interface KeySenderOptions {
  readonly calls: Pick<MemberCalls, 'ofCall' | 'ofCallId'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Milliseconds that are waited for each. */
const PAUSES: Readonly<Record<string, number>> = { w: 500, ',': 2000 };
/** What an INFO says of a key, and the pause after its answer. */
const INFO_DURATION = 100;
const INFO_PAUSE = 100;

/** Runs of keys and pauses that wait in a call; more would be pressed long after they were asked for. */
const MAX_WAITING = 64;

/** Calls of which it is known how the last keys went. */
const KEPT = 500;

type Listener = (progress: KeyProgress) => void;

interface Pressing {
  readonly timers: TimerSet<'pause'>;
  readonly waiting: string[];
  readonly listeners: Set<Listener>;
}

/**
 * Keys from us to phones. Events where they were agreed on; else INFO, as long as the phone allows it and
 * does not refuse one; else tones.
 */
export class KeySender implements CallKeys {
  readonly #options: KeySenderOptions;
  readonly #pressing = new Map<SessionCall, Pressing>();
  /** By Call-ID, the oldest first. */
  readonly #progress = new Map<string, KeyProgress>();

  constructor(options: KeySenderOptions) {
    this.#options = options;
  }

  press(callId: string, digits: string): PressedKeys {
    const member = this.#options.calls.ofCallId(callId);
    if (member === undefined) {
      throw new AppError('INVALID_STATE', 'the phone of this call is in no room');
    }

    return this.pressIn(member.call, digits);
  }

  find(callId: string): KeyProgress | undefined {
    return this.#progress.get(callId);
  }

  /** `onProgress`: at once, and when the form changes, and at the end. */
  pressIn(call: SessionCall, digits: string, onProgress?: Listener): PressedKeys {
    const leg = this.#options.calls.ofCall(call)?.participant.voiceLeg;
    const form = formFor(call, leg);
    if (form === undefined) throw new AppError('INVALID_STATE', 'the phone takes no keys');
    const parts = digits.match(/[w,]|[^w,]+/g) ?? [];
    const before = this.#pressing.get(call);
    if (before !== undefined && before.waiting.length + parts.length > MAX_WAITING) {
      throw new AppError('INVALID_STATE', 'too many keys wait in this call');
    }
    if (before !== undefined) before.waiting.push(...parts);
    const listeners = before?.listeners ?? new Set();
    if (onProgress !== undefined) listeners.add(onProgress);
    if (before === undefined) this.#begin(call, leg, form, { waiting: parts, listeners });
    else onProgress?.({ form, state: 'pressing' });

    return { digits, form };
  }

  #begin(
    call: SessionCall,
    leg: PhoneLeg | undefined,
    form: KeyForm,
    parts: Omit<Pressing, 'timers'>,
  ): void {
    const timers = new TimerSet<'pause'>(this.#options.clock);
    const pressing = { timers, ...parts };
    this.#pressing.set(call, pressing);
    const over = (progress: KeyProgress): void => {
      if (!this.#pressing.delete(call)) return;
      timers.close();
      call.events.off('ended', cutOff);
      this.#tell(call, pressing, progress);
    };
    // What waits for a pause then is not woken any more.
    const cutOff = (): void => {
      over({ ...this.#progress.get(call.dialogId?.callId ?? ''), state: 'cut-off' });
    };
    call.events.on('ended', cutOff);
    this.#tell(call, pressing, { form, state: 'pressing' });
    void this.#press(call, leg, form, pressing).then(over);
  }

  #tell(call: SessionCall, { listeners }: Pressing, progress: KeyProgress): void {
    for (const listener of listeners) listener(progress);
    const { callId } = call.dialogId ?? {};
    if (callId === undefined) return;
    this.#progress.delete(callId);
    this.#progress.set(callId, progress);
    const [oldest] = this.#progress.keys();
    if (this.#progress.size > KEPT && oldest !== undefined) this.#progress.delete(oldest);
  }

  async #press(
    call: SessionCall,
    leg: PhoneLeg | undefined,
    form: KeyForm,
    pressing: Pressing,
  ): Promise<KeyProgress> {
    const { logger } = this.#options;
    const { callId } = call.dialogId ?? {};
    const { timers, waiting } = pressing;
    let used = form;
    try {
      // Not which: they may be somebody's PIN.
      for (let part = waiting.shift(); part !== undefined; part = waiting.shift()) {
        const pause = PAUSES[part];
        if (pause !== undefined) await wait(timers, pause);
        else if (used === 'info') {
          used = await this.#inform(call, leg, part, timers);
          if (used !== 'info') this.#tell(call, pressing, { form: used, state: 'pressing' });
        } else if ((await leg?.press(part)) !== true)
          throw new AppError('INVALID_STATE', 'cut off');
      }
      logger.info({ callId, form: used }, 'keys were pressed');

      return { form: used, state: 'pressed' };
    } catch (error) {
      logger.info({ callId, form: used, err: toError(error) }, 'keys were not pressed to the end');

      return { form: used, state: 'cut-off' };
    }
  }

  /** Answers the form that the rest is to have: a phone that refuses an INFO hears tones from then on. */
  async #inform(
    call: SessionCall,
    leg: PhoneLeg | undefined,
    keys: string,
    timers: Pressing['timers'],
  ): Promise<KeyForm> {
    for (const [index, key] of [...keys].entries()) {
      const status = await sendInfo(call, key.toUpperCase());
      if (status < 300) {
        await wait(timers, INFO_PAUSE);
        continue;
      }
      if (leg === undefined) throw new AppError('INVALID_STATE', `INFO was refused with ${status}`);
      if (!(await leg.press(keys.slice(index)))) throw new AppError('INVALID_STATE', 'cut off');

      return 'tones';
    }

    return 'info';
  }
}

function formFor(call: SessionCall, leg: PhoneLeg | undefined): KeyForm | undefined {
  if (leg?.keyForm === 'events') return 'events';
  if (allows(call.introduction, 'INFO')) return 'info';

  return leg?.keyForm;
}

/** The form in which phones themselves send them. */
function sendInfo(call: SessionCall, key: string): Promise<number> {
  const content = `Signal=${key}\r\nDuration=${INFO_DURATION}\r\n`;

  return new Promise((resolve) => {
    const isSent = call.send(
      'INFO',
      { body: { type: 'application/dtmf-relay', content } },
      {
        onResponse: ({ status }) => {
          if (status >= 200) resolve(status);
        },
        onFailure: () => {
          resolve(408);
        },
      },
    );
    if (!isSent) resolve(481);
  });
}

function wait(timers: Pressing['timers'], ms: number): Promise<void> {
  return new Promise((resolve) => {
    timers.start('pause', ms, resolve);
  });
}
