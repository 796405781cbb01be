import { AppError, TimerSet, toError } from '../../base/index.ts';
import type { Clock, ErrorCode, Logger, RoomNumber } from '../../base/index.ts';
import type { PhoneLeg, PromptItem, Sound } from '../../media/index.ts';
import type { CloseReason } from '../close-reason.ts';
import { Dialogue, type DialogueAction, type Refusal } from './dialogue.ts';

/** Whoever speaks: `PromptLibrary`. */
export interface Voice {
  sounds(items: readonly PromptItem[], language?: string): readonly Sound[];
  readonly music: readonly Sound[];
}

export interface ReceptionOptions {
  leg: PhoneLeg;
  voice: Voice;
  /** The room whose PIN is asked for; without it the number is asked for first. */
  room?: RoomNumber;
  languageOf(room: RoomNumber): string | undefined;
  /** Rejects as `RoomManager.join` does. */
  enter(room: RoomNumber, pin: string | undefined): Promise<void>;
  end(reason: CloseReason): void;
  clock: Clock;
  logger: Logger;
}

/** Nobody holds a line longer without being in a room. */
const LIMIT_MS = 180_000;

const REFUSALS: Readonly<Partial<Record<ErrorCode, Refusal>>> = {
  FORBIDDEN: 'pin',
  ROOM_NOT_FOUND: 'no-room',
  ROOM_LOCKED: 'locked',
  ROOM_FULL: 'full',
};

/** Runs the dialogue with one caller on its leg. */
export class Reception {
  readonly #options: ReceptionOptions;
  readonly #dialogue: Dialogue;
  readonly #timers: TimerSet<'step' | 'limit'>;
  /** Which announcement is being said; the end of an earlier one means nothing. */
  #saying = 0;
  #closed = false;

  constructor(options: ReceptionOptions) {
    this.#options = options;
    this.#dialogue = new Dialogue(options.room);
    this.#timers = new TimerSet(options.clock);
  }

  start(): void {
    const { leg } = this.#options;
    leg.events.on('dtmf', this.#onKey).on('timeout', this.#onTimeout).on('closed', this.#onClosed);
    this.#timers.start('limit', LIMIT_MS, () => {
      this.#run(this.#dialogue.handle({ type: 'limit' }));
    });
    this.#run(this.#dialogue.start());
  }

  /** The leg belongs to somebody else from now on, or to nobody. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#timers.close();
    const { events } = this.#options.leg;
    events.off('dtmf', this.#onKey).off('timeout', this.#onTimeout).off('closed', this.#onClosed);
  }

  readonly #onKey = (key: string): void => {
    this.#run(this.#dialogue.handle({ type: 'key', key }));
  };

  readonly #onTimeout = (): void => {
    this.#end('media-timeout');
  };

  readonly #onClosed = (): void => {
    this.#end('media-failed');
  };

  #run(actions: readonly DialogueAction[]): void {
    for (const action of actions) {
      if (this.#closed) return;
      switch (action.type) {
        case 'say':
          this.#say(action.items);
          break;
        case 'hush':
          this.#saying++;
          this.#options.leg.stopPlaying();
          break;
        case 'wait':
          this.#timers.start('step', action.ms, () => {
            this.#run(this.#dialogue.handle({ type: 'timeout' }));
          });
          break;
        case 'enter':
          this.#timers.stop('step');
          void this.#enter(action.room, action.pin);
          break;
        case 'end':
          this.#end(action.reason);
          break;
      }
    }
  }

  #say(items: readonly PromptItem[]): void {
    const { leg, voice } = this.#options;
    const { room } = this.#dialogue;
    const saying = ++this.#saying;
    leg.stopPlaying();
    void leg
      .play(voice.sounds(items, room === undefined ? undefined : this.#options.languageOf(room)))
      .then((complete) => {
        if (!complete || saying !== this.#saying || this.#closed) return;
        this.#run(this.#dialogue.handle({ type: 'played' }));
      });
  }

  async #enter(room: RoomNumber, pin: string | undefined): Promise<void> {
    try {
      await this.#options.enter(room, pin);
      if (this.#closed) return;
      this.#run(this.#dialogue.handle({ type: 'entered' }));
      this.close();
    } catch (error) {
      const why = (error instanceof AppError && REFUSALS[error.code]) || 'failed';
      this.#options.logger.info({ room, why, reason: toError(error).message }, 'a caller waits');
      this.#run(this.#dialogue.handle({ type: 'refused', why }));
    }
  }

  #end(reason: CloseReason): void {
    if (this.#closed) return;
    this.close();
    this.#options.end(reason);
  }
}
