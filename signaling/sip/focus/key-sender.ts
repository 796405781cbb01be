import { AppError, TimerSet, toError, type Clock, type Logger } from '../../../base/index.ts';
import type { PhoneLeg } from '../../../media/index.ts';
import type { CallKeys, KeyForm, PressedKeys } from '../../../server/index.ts';
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

interface Pressing {
  readonly timers: TimerSet<'pause'>;
  readonly waiting: string[];
}

/**
 * Keys from us to phones. Events where they were agreed on; else INFO, as long as the phone allows it and
 * does not refuse one; else tones.
 */
export class KeySender implements CallKeys {
  readonly #options: KeySenderOptions;
  readonly #pressing = new Map<SessionCall, Pressing>();

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

  pressIn(call: SessionCall, digits: string): PressedKeys {
    const leg = this.#options.calls.ofCall(call)?.participant.voiceLeg;
    const form = formFor(call, leg);
    if (form === undefined) throw new AppError('INVALID_STATE', 'the phone takes no keys');
    const parts = digits.match(/[w,]|[^w,]+/g) ?? [];
    const before = this.#pressing.get(call);
    if (before !== undefined && before.waiting.length + parts.length > MAX_WAITING) {
      throw new AppError('INVALID_STATE', 'too many keys wait in this call');
    }
    if (before !== undefined) before.waiting.push(...parts);
    else this.#begin(call, leg, form, parts);

    return { digits, form };
  }

  #begin(call: SessionCall, leg: PhoneLeg | undefined, form: KeyForm, parts: string[]): void {
    const timers = new TimerSet<'pause'>(this.#options.clock);
    const pressing = { timers, waiting: parts };
    this.#pressing.set(call, pressing);
    const over = (): void => {
      timers.close();
      this.#pressing.delete(call);
      call.events.off('ended', over);
    };
    // What waits for a pause then is not woken any more.
    call.events.on('ended', over);
    void this.#press(call, leg, form, pressing).finally(over);
  }

  async #press(
    call: SessionCall,
    leg: PhoneLeg | undefined,
    form: KeyForm,
    { timers, waiting }: Pressing,
  ): Promise<void> {
    const { logger } = this.#options;
    const { callId } = call.dialogId ?? {};
    let used = form;
    try {
      // Not which: they may be somebody's PIN.
      for (let part = waiting.shift(); part !== undefined; part = waiting.shift()) {
        const pause = PAUSES[part];
        if (pause !== undefined) await wait(timers, pause);
        else if (used === 'info') used = await this.#inform(call, leg, part, timers);
        else if ((await leg?.press(part)) !== true) throw new AppError('INVALID_STATE', 'cut off');
      }
      logger.info({ callId, form: used }, 'keys were pressed');
    } catch (error) {
      logger.info({ callId, form: used, err: toError(error) }, 'keys were not pressed to the end');
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
      await leg.press(keys.slice(index));

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
