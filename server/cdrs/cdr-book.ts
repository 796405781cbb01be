import { toError } from '../../base/index.ts';
import type { Clock, Logger } from '../../base/index.ts';
import { callQuality } from '../../media/index.ts';
import type { CloseReason } from '../close-reason.ts';
import type { Participant } from '../participant.ts';
import type { RoomManager } from '../room-manager.ts';
import type { Cdr, CdrQuery, CdrStore } from './cdr.ts';

/** What waits for Redis; more is lost, and said so. */
const MAX_UNWRITTEN = 1000;

export interface CdrBookOptions {
  store: CdrStore;
  clock: Clock;
  logger: Logger;
  /** A call is over. */
  onRecord: (record: Cdr) => void;
}

/** Call detail records: who was where, for how long, why it ended, and how it sounded. */
export class CdrBook {
  readonly #options: CdrBookOptions;
  readonly #unwritten: Cdr[] = [];
  #writing: Promise<void> | undefined;
  #open = 0;

  constructor(options: CdrBookOptions) {
    this.#options = options;
  }

  watch(rooms: Pick<RoomManager, 'events'>): void {
    rooms.events.on('participantLeft', (participant, reason) => {
      this.#open++;
      void this.#record(participant, reason).finally(() => this.#open--);
    });
  }

  /** The newest first. Rejects when Redis does not answer. */
  find(query: CdrQuery): Promise<Cdr[]> {
    return this.#options.store.find(query);
  }

  /** What could not be written before, and what is not written yet. */
  async flush(): Promise<void> {
    this.#writing ??= this.#write().finally(() => (this.#writing = undefined));
    await this.#writing;
  }

  /** Calls that end with the server leave a record too. */
  async close(): Promise<void> {
    const end = this.#options.clock.now() + 1000;
    while (this.#open > 0 && this.#options.clock.now() < end) {
      await new Promise<void>((resolve) => this.#options.clock.setTimer(20, resolve));
    }
    await this.flush();
  }

  async #record(participant: Participant, reason: CloseReason): Promise<void> {
    const { clock, logger, onRecord } = this.#options;
    const { id, kind, name, address, joinedAt } = participant.view();
    const endedAt = clock.wallTime();
    const record: Cdr = {
      id,
      room: participant.room.number,
      kind,
      name,
      address,
      startedAt: joinedAt,
      endedAt: new Date(endedAt).toISOString(),
      duration: Math.max(0, endedAt - Date.parse(joinedAt)) / 1000,
      reason,
      ...(await qualityOf(participant)),
    };
    onRecord(record);
    if (this.#unwritten.length >= MAX_UNWRITTEN) {
      logger.error({ id }, 'a call detail record was lost: Redis has been away for too long');

      return;
    }
    this.#unwritten.push(record);
    await this.flush();
  }

  async #write(): Promise<void> {
    for (let next = this.#unwritten[0]; next !== undefined; next = this.#unwritten[0]) {
      try {
        await this.#options.store.add(next);
      } catch (error) {
        const waiting = this.#unwritten.length;
        this.#options.logger.warn({ err: toError(error), waiting }, 'records wait for Redis');

        return;
      }
      this.#unwritten.shift();
    }
  }
}

/** Browsers' figures are in their own hands; a phone's are what its leg counted last. */
async function qualityOf(participant: Participant): Promise<Partial<Cdr>> {
  if (participant.kind !== 'phone') return {};
  try {
    const stats = await participant.phoneLeg.stats();

    return { ...callQuality(stats), packetsReceived: stats.packetsReceived };
  } catch {
    // Its mixer thread is gone, and the figures with it.
    return {};
  }
}
