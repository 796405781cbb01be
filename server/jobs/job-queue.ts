import Bull from 'bull';
import type { Redis } from 'ioredis';
import { toError } from '../../base/index.ts';
import type { Clock, Closeable, Logger } from '../../base/index.ts';
import { createRedisClient } from '../store/index.ts';
import type { RedisAddress } from '../store/index.ts';

/** Times a job is tried, and the wait before the second try; each further wait is twice the last. */
export interface RetryPolicy {
  attempts: number;
  firstDelayMs: number;
}

export interface JobCounts {
  waiting: number;
  active: number;
  delayed: number;
  failed: number;
}

/** All that we ask of a queue, so that another library can take Bull's place. */
export interface JobQueue<T> extends Closeable {
  /** The same id again, while the first is still queued or kept, changes nothing. */
  add(id: string, data: T): Promise<void>;
  /** Once. A handler that rejects is called again by the retry policy. */
  process(concurrency: number, handler: (data: T, attempt: number) => Promise<void>): void;
  /** True when the job had not begun and now never will. */
  cancel(id: string): Promise<boolean>;
  counts(): Promise<JobCounts>;
  close(): Promise<void>;
}

export interface JobQueueOptions {
  name: string;
  address: RedisAddress;
  retry: RetryPolicy;
  clock: Clock;
  logger: Logger;
}

const KEPT_FAILED_JOBS = 100;
const CLOSE_MS = 2000;

export function createJobQueue<T>(options: JobQueueOptions): JobQueue<T> {
  return new BullQueue<T>(options);
}

class BullQueue<T> implements JobQueue<T> {
  readonly #queue: Bull.Queue<T>;
  readonly #connections: Redis[] = [];
  readonly #clock: Clock;
  readonly #logger: Logger;
  #closing: Promise<void> | undefined;

  constructor(options: JobQueueOptions) {
    this.#clock = options.clock;
    this.#logger = options.logger.child({ tag: 'jobs', queue: options.name });
    this.#queue = new Bull<T>(options.name, {
      prefix: 'parley:jobs',
      createClient: (type) => this.#connect(options.address, type),
      defaultJobOptions: {
        attempts: options.retry.attempts,
        backoff: { type: 'exponential', delay: options.retry.firstDelayMs },
        removeOnComplete: true,
        removeOnFail: KEPT_FAILED_JOBS,
      },
    });
    this.#lookAfterWorkerName();
    this.#queue.on('error', (error) => {
      this.#logger.debug({ err: toError(error) }, 'queue');
    });
    this.#queue.on('failed', (job, error) => {
      const fields = { job: job.id, attempt: job.attemptsMade, err: error };
      this.#logger.warn(fields, 'a job failed');
    });
  }

  /**
   * Bull names its connection for the eyes of operators, in a promise that it leaves to itself: when the
   * connection ends first, that is an unhandled rejection.
   */
  #lookAfterWorkerName(): void {
    const queue = this.#queue as Bull.Queue<T> & { setWorkerName(): Promise<unknown> };
    const setWorkerName = queue.setWorkerName.bind(queue);
    queue.setWorkerName = () => setWorkerName().catch(() => undefined);
  }

  async add(id: string, data: T): Promise<void> {
    await this.#queue.add(data, { jobId: id });
  }

  process(concurrency: number, handler: (data: T, attempt: number) => Promise<void>): void {
    const running = this.#queue.process(concurrency, (job) =>
      handler(job.data, job.attemptsMade + 1),
    );
    running.catch((error: unknown) => {
      if (this.#closing === undefined) {
        this.#logger.error({ err: toError(error) }, 'the queue stopped');
      }
    });
  }

  async cancel(id: string): Promise<boolean> {
    const job = await this.#queue.getJob(id);
    if (job === null || (await job.isActive())) return false;
    await job.remove();

    return true;
  }

  async counts(): Promise<JobCounts> {
    const { waiting, active, delayed, failed } = await this.#queue.getJobCounts();

    return { waiting, active, delayed, failed };
  }

  /** Lets running jobs end, for a bounded time; what is queued stays in Redis for the next start. */
  close(): Promise<void> {
    this.#closing ??= this.#shutDown();

    return this.#closing;
  }

  async #shutDown(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = this.#clock.setTimer(CLOSE_MS, resolve);
      this.#queue
        .close()
        .catch((error: unknown) => {
          this.#logger.debug({ err: toError(error) }, 'queue close');
        })
        .finally(() => {
          timer.cancel();
          resolve();
        });
    });
    for (const connection of this.#connections) connection.disconnect();
  }

  /**
   * Bull waits on `bclient` and `subscriber` for as long as it takes, so these two must never give a
   * command up; on `client` an answer is wanted now or not at all.
   */
  #connect(address: RedisAddress, type: 'client' | 'subscriber' | 'bclient'): Redis {
    const patient = { maxRetriesPerRequest: null, enableReadyCheck: false };
    const connection = createRedisClient(
      address,
      type === 'client' ? { maxRetriesPerRequest: 0 } : patient,
    );
    connection.on('error', (error) => {
      this.#logger.debug({ err: toError(error), type }, 'queue connection');
    });
    this.#connections.push(connection);

    return connection;
  }
}
