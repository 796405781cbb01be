/** Callers who are asked for a room or its PIN: answered, but in no room yet. */
import { AppError, type Clock, type Logger, type RoomNumber } from '../../base/index.ts';
import type { PhoneLeg } from '../../media/index.ts';
import {
  Reception,
  type CloseReason,
  type Participant,
  type RoomManager,
  type Voice,
} from '../../server/index.ts';

/** Callers in dialogue at one time: a flood of them must not take the ports of the meetings. */
const MAX_CALLERS = 200;

export interface ReceptionDeskOptions {
  rooms: Pick<RoomManager, 'createWaitingLeg' | 'languageOf'>;
  voice: Voice;
  clock: Clock;
  logger: Logger;
}

export interface Caller {
  leg: PhoneLeg;
  /** The room whose PIN is asked for. */
  room: RoomNumber | undefined;
  join(room: RoomNumber, pin: string | undefined): Promise<Participant>;
  /** It is in: from now on the leg is its participant's. */
  joined(participant: Participant): void;
  end(reason: CloseReason): void;
}

export class ReceptionDesk {
  readonly #options: ReceptionDeskOptions;
  #callers = 0;

  constructor(options: ReceptionDeskOptions) {
    this.#options = options;
  }

  /** AppError RATE_LIMITED when too many are asked already. */
  async createLeg(): Promise<PhoneLeg> {
    if (this.#callers >= MAX_CALLERS) throw new AppError('RATE_LIMITED', 'too many callers wait');
    this.#callers++;
    try {
      const leg = await this.#options.rooms.createWaitingLeg();
      leg.events.once('closed', this.#callerGone);

      return leg;
    } catch (error) {
      this.#callers--;
      throw error;
    }
  }

  /** Asks, until `joined` or `end`. Close it when the call ends. */
  welcome(caller: Caller): Reception {
    const { rooms, voice, clock, logger } = this.#options;
    const { leg, room } = caller;
    const reception = new Reception({
      leg,
      voice,
      clock,
      logger,
      languageOf: (number) => rooms.languageOf(number),
      ...(room !== undefined && { room }),
      enter: async (number, pin) => {
        const participant = await caller.join(number, pin);
        leg.events.off('closed', this.#callerGone);
        this.#callerGone();
        // Before the room speaks to it on the same leg.
        reception.close();
        caller.joined(participant);
      },
      end: (reason) => {
        caller.end(reason);
      },
    });
    reception.start();

    return reception;
  }

  readonly #callerGone = (): void => {
    this.#callers--;
  };
}
