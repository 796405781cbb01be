import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { TimerSet, type Clock } from '../../base/index.ts';
import type { GridMessage, GridReport, GridScene, GridSettings } from './grid-protocol.ts';

/** From source the entry is TypeScript, compiled it is JavaScript: whatever this file is. */
const EXTENSION = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
export const COMPOSITOR = new URL(`./compositor-process.${EXTENSION}`, import.meta.url);

/** What calls need of the processor goes first; on a busy machine a third of theirs is left for pictures. */
const NICENESS = 5;
const HEAP_MB = 256;
/** It reports every second; one that says nothing for so long hangs. */
const SILENCE_TIMEOUT = 15_000;
/** Characters of its last words that go into the log. */
const MAX_LAST_WORDS = 500;

export interface CompositorHandlers {
  ready(port: number): void;
  report(report: GridReport): void;
  /** Once, when it ended without being asked to. `unusable`: starting it again is no use. */
  ended(reason: string, unusable: boolean): void;
}

/** The process that makes one room's picture, as the server sees it. */
export class CompositorHost {
  readonly #child: ChildProcess;
  readonly #handlers: CompositorHandlers;
  readonly #exited: Promise<void>;
  readonly #timers: TimerSet<'silence'>;
  #lastWords = '';
  #unusable: string | undefined;
  #ended = false;

  constructor(
    settings: GridSettings,
    handlers: CompositorHandlers,
    clock: Clock,
    entry: URL = COMPOSITOR,
  ) {
    this.#handlers = handlers;
    this.#timers = new TimerSet(clock);
    this.#child = start(settings, entry);
    this.#exited = new Promise((resolve) => {
      this.#child.on('error', (error) => {
        this.#end(error.message);
        resolve();
      });
      this.#child.on('exit', (code, signal) => {
        this.#end(`ended with ${signal ?? `code ${code}`} ${this.#lastWords}`.trim());
        resolve();
      });
    });
    this.#child.on('message', (message: GridMessage) => {
      this.#onMessage(message);
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#lastWords = (this.#lastWords + text).slice(-MAX_LAST_WORDS);
    });
    this.#watch();
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  show(scene: GridScene): void {
    // The channel closes a moment before `exit` says why.
    if (this.#child.connected) this.#child.send(scene, () => undefined);
  }

  /** Resolves when the process is gone. It holds nothing that it could lose. */
  async close(): Promise<void> {
    this.#ended = true;
    this.#timers.close();
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  #watch(): void {
    this.#timers.start('silence', SILENCE_TIMEOUT, () => {
      this.#lastWords = 'after it said nothing any more';
      this.#child.kill('SIGKILL');
    });
  }

  #onMessage(message: GridMessage): void {
    if (this.#ended) return;
    this.#watch();
    switch (message.type) {
      case 'ready':
        this.#handlers.ready(message.port);
        break;
      case 'report':
        this.#handlers.report(message);
        break;
      case 'unusable':
        this.#unusable = message.reason;
        break;
    }
  }

  #end(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#timers.close();
    this.#handlers.ended(this.#unusable ?? reason, this.#unusable !== undefined);
  }
}

/**
 * With `nice` rather than a call afterwards: on Linux a priority belongs to a thread, and all that a
 * process will have inherit it only from before its start. Of the server's environment, which holds
 * secrets, it gets nothing but the path.
 */
function start(settings: GridSettings, entry: URL): ChildProcess {
  const script = [
    `--max-old-space-size=${HEAP_MB}`,
    '--disable-warning=ExperimentalWarning',
    fileURLToPath(entry),
    JSON.stringify(settings),
  ];
  const command =
    process.platform === 'win32'
      ? [process.execPath, ...script]
      : ['nice', '-n', String(NICENESS), process.execPath, ...script];

  return spawn(command[0]!, command.slice(1), {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: { PATH: process.env['PATH'] },
  });
}
