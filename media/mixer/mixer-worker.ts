import { Worker, type TransferListItem } from 'node:worker_threads';
import { AppError, toError } from '../../base/index.ts';
import type {
  MixerCalls,
  MixerFailure,
  MixerMessage,
  MixerOperation,
  MixerRequest,
  ThreadData,
  ThreadReport,
} from './mixer-protocol.ts';

/** What a thread says unasked. */
export type MixerNotice = Exclude<
  MixerMessage,
  { type: 'ready' | 'answer' | 'refusal' | 'report' }
>;

export interface MixerWorkerHandlers {
  onNotice(notice: MixerNotice): void;
  /** There is a new `report`. */
  onReport(): void;
  /** Once, when it ended without being asked to. */
  onDeath(reason: string): void;
}

/** The pair of ports is taken by somebody else; the next one may be free. */
export class PortTakenError extends Error {
  override readonly name = 'PortTakenError';
}

/** From source the entry is TypeScript, compiled it is JavaScript: whatever this file is. */
const EXTENSION = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
export const MIXER_THREAD = new URL(`./mixer-thread.${EXTENSION}`, import.meta.url);

/**
 * What a frame leaves behind is small and dead at once: less room for it stays in the processor's cache,
 * and a thread takes 40 MB less.
 */
const YOUNG_MB = 12;

interface PendingCall {
  resolve: (value: unknown) => void;
  reject: (error: Error) => void;
}

/** One mixer thread as the main thread sees it: calls that are answered, and notices. */
export class MixerWorker {
  readonly #worker: Worker;
  readonly #handlers: MixerWorkerHandlers;
  readonly #pending = new Map<number, PendingCall>();
  #nextId = 1;
  /** Rejects when it ends before it was up. */
  readonly started: Promise<void>;
  #onStarted: () => void = () => undefined;
  #onStartFailed: (error: Error) => void = () => undefined;
  #ready = false;
  #ended = false;
  #closing = false;
  #fault = 'ended';
  #report: ThreadReport | undefined;

  constructor(entry: URL, name: string, data: ThreadData, handlers: MixerWorkerHandlers) {
    this.#handlers = handlers;
    this.#worker = new Worker(entry, {
      name,
      workerData: data,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    });
    this.started = new Promise((resolve, reject) => {
      this.#onStarted = resolve;
      this.#onStartFailed = reject;
    });
    this.started.catch(() => undefined);
    this.#worker.on('message', (message: MixerMessage) => {
      this.#onMessage(message);
    });
    this.#worker.on('error', (error) => (this.#fault = toError(error).message));
    this.#worker.on('exit', (code) => {
      this.#onExit(`mixer thread ${this.#fault} (exit code ${code})`);
    });
  }

  /** It runs and has not ended. */
  get alive(): boolean {
    return this.#ready && !this.#ended;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** At most a second old. */
  get report(): ThreadReport | undefined {
    return this.#report;
  }

  /** Rejects with an AppError, or with PortTakenError. */
  call<Op extends MixerOperation>(
    op: Op,
    args: MixerCalls[Op]['args'],
    transfer: TransferListItem[] = [],
  ): Promise<MixerCalls[Op]['result']> {
    if (this.#ended || this.#closing) {
      return Promise.reject(new AppError('MEDIA_UNAVAILABLE', 'the mixer thread is gone'));
    }
    const id = this.#nextId++;
    const request: MixerRequest = { id, op, args };
    const answer = new Promise<unknown>((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
    });
    this.#worker.postMessage(request, transfer);

    return answer as Promise<MixerCalls[Op]['result']>;
  }

  async close(): Promise<void> {
    this.#closing = true;
    await this.#worker.terminate();
  }

  #onMessage(message: MixerMessage): void {
    switch (message.type) {
      case 'ready':
        this.#ready = true;
        this.#onStarted();
        break;
      case 'answer':
        this.#take(message.id)?.resolve(message.value);
        break;
      case 'refusal':
        this.#take(message.id)?.reject(toCallError(message.failure, message.message));
        break;
      case 'report':
        this.#report = message.report;
        this.#handlers.onReport();
        break;
      default:
        this.#handlers.onNotice(message);
    }
  }

  #take(id: number): PendingCall | undefined {
    const call = this.#pending.get(id);
    this.#pending.delete(id);

    return call;
  }

  #onExit(reason: string): void {
    this.#ended = true;
    this.#onStartFailed(new AppError('MEDIA_UNAVAILABLE', reason));
    for (const { reject } of this.#pending.values()) {
      reject(new AppError('MEDIA_UNAVAILABLE', reason));
    }
    this.#pending.clear();
    if (!this.#closing) this.#handlers.onDeath(reason);
  }
}

function toCallError(failure: MixerFailure, message: string): Error {
  return failure === 'PORT_TAKEN' ? new PortTakenError(message) : new AppError(failure, message);
}
