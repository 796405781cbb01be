import { toError } from '../base/index.ts';
import type { Logger } from '../base/index.ts';
import type { CloseReason } from './close-reason.ts';
import type { ParticipantSink, RoomEvent } from './ports.ts';

/** A sink of a front end that never throws: one member's fault is not the room's. */
export class GuardedSink implements ParticipantSink {
  readonly #sink: ParticipantSink;
  readonly #logger: Logger;

  constructor(sink: ParticipantSink, logger: Logger) {
    this.#sink = sink;
    this.#logger = logger;
  }

  notify(event: RoomEvent): void {
    try {
      this.#sink.notify(event);
    } catch (error) {
      this.#logger.error({ err: toError(error), event: event.type }, 'sink failed');
    }
  }

  ended(reason: CloseReason): void {
    try {
      this.#sink.ended(reason);
    } catch (error) {
      this.#logger.error({ err: toError(error) }, 'sink failed at the end');
    }
  }
}
