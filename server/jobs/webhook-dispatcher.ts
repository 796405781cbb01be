import { TimerSet, randomToken, toError } from '../../base/index.ts';
import type { Clock, Closeable, Logger } from '../../base/index.ts';
import type { Participant } from '../participant.ts';
import type { RoomManager } from '../room-manager.ts';
import type { JobQueue } from './job-queue.ts';
import { deliver } from './webhook-job.ts';
import type { WebhookEvent, WebhookEventType, WebhookTarget } from './webhook-job.ts';

const MAX_BACKLOG = 1000;
const RETRY_MS = 2000;
const CLOSE_MS = 1000;
const CONCURRENCY = 4;

export type WebhookOutcome = 'delivered' | 'failed' | 'dropped';

export interface WebhookDispatcherOptions {
  target: WebhookTarget;
  queue: JobQueue<WebhookEvent>;
  clock: Clock;
  logger: Logger;
  onOutcome: (outcome: WebhookOutcome) => void;
  deliver?: typeof deliver;
}

/**
 * Turns what happens in rooms into webhook jobs. Never makes a room wait: events stand in a bounded
 * backlog until the queue takes them, so a Redis that is away for a while costs none.
 */
export class WebhookDispatcher implements Closeable {
  readonly #queue: JobQueue<WebhookEvent>;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #timers: TimerSet<'retry'>;
  readonly #onOutcome: (outcome: WebhookOutcome) => void;
  readonly #backlog: WebhookEvent[] = [];
  #pumping: Promise<void> | undefined;

  constructor(options: WebhookDispatcherOptions) {
    const send = options.deliver ?? deliver;
    this.#queue = options.queue;
    this.#clock = options.clock;
    this.#logger = options.logger.child({ tag: 'webhooks' });
    this.#timers = new TimerSet(options.clock);
    this.#onOutcome = options.onOutcome;
    this.#queue.process(CONCURRENCY, async (event) => {
      try {
        await send(options.target, event);
        this.#onOutcome('delivered');
      } catch (error) {
        this.#onOutcome('failed');
        throw error;
      }
    });
  }

  get backlog(): number {
    return this.#backlog.length;
  }

  watch(rooms: RoomManager): void {
    rooms.events.on('roomStarted', (room) => {
      this.#add('room.started', room);
    });
    rooms.events.on('roomEnded', (room, reason) => {
      this.#add('room.ended', room, { reason });
    });
    rooms.events.on('participantJoined', (participant: Participant) => {
      this.#add('participant.joined', participant.room, { participant: participant.view() });
    });
    rooms.events.on('participantLeft', (participant, reason) => {
      this.#add('participant.left', participant.room, { participant: participant.view(), reason });
    });
  }

  /** Gives the queue a last, short chance to take what stands in the backlog. */
  async close(): Promise<void> {
    this.#timers.close();
    const end = this.#clock.now() + CLOSE_MS;
    while (this.#backlog.length > 0 && this.#clock.now() < end) {
      await this.#pump();
      if (this.#backlog.length > 0) await this.#pause(50);
    }
    await this.#queue.close();
  }

  #add(
    type: WebhookEventType,
    room: { number: WebhookEvent['room']['number']; name: string },
    details: Pick<WebhookEvent, 'participant' | 'reason'> = {},
  ): void {
    if (this.#backlog.length >= MAX_BACKLOG) {
      this.#backlog.shift();
      this.#onOutcome('dropped');
    }
    this.#backlog.push({
      id: `evt_${randomToken()}`,
      type,
      timestamp: new Date(this.#clock.wallTime()).toISOString(),
      room: { number: room.number, name: room.name },
      ...details,
    });
    void this.#pump();
  }

  /** One at a time and in order, until the backlog is empty or the queue refuses. */
  #pump(): Promise<void> {
    this.#pumping ??= this.#drain().finally(() => (this.#pumping = undefined));

    return this.#pumping;
  }

  async #drain(): Promise<void> {
    for (let event = this.#backlog[0]; event !== undefined; event = this.#backlog[0]) {
      try {
        await this.#queue.add(event.id, event);
      } catch (error) {
        const fields = { err: toError(error), backlog: this.#backlog.length };
        this.#logger.warn(fields, 'events wait for the queue');
        this.#timers.start('retry', RETRY_MS, () => void this.#pump());

        return;
      }
      if (this.#backlog[0] === event) this.#backlog.shift();
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.#clock.setTimer(ms, resolve));
  }
}
