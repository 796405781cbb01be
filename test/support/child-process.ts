import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { once } from 'node:events';

export interface ChildOptions {
  name: string;
  command: string;
  args: string[];
  /** Everything it prints ends here. */
  logFile: string;
  env?: Record<string, string | undefined>;
  cwd?: string;
}

/** A program that a test started: stopped by pid, its output kept for the failure message. */
export class Child {
  readonly name: string;
  readonly #process: ChildProcess;
  readonly #logFile: string;
  readonly #exited: Promise<number>;

  constructor(options: ChildOptions) {
    this.name = options.name;
    this.#logFile = options.logFile;
    const log = openSync(options.logFile, 'a');
    this.#process = spawn(options.command, options.args, {
      stdio: ['ignore', log, log],
      env: { ...process.env, ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    closeSync(log);
    this.#exited = once(this.#process, 'exit').then(
      ([code, signal]) => (code as number | null) ?? signalExitCode(signal as NodeJS.Signals),
    );
    children.add(this);
    void this.#exited.finally(() => children.delete(this));
  }

  get pid(): number {
    if (this.#process.pid === undefined) throw new Error(`${this.name} did not start`);

    return this.#process.pid;
  }

  get running(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** Resolves with the exit code; a signal gives 128 + its number, as a shell does. */
  get exited(): Promise<number> {
    return this.#exited;
  }

  get output(): string {
    return existsSync(this.#logFile) ? readFileSync(this.#logFile, 'utf8') : '';
  }

  kill(signal: NodeJS.Signals): void {
    if (this.running) this.#process.kill(signal);
  }

  /** SIGTERM, then SIGKILL after `graceMs`. */
  async stop(graceMs = 5000): Promise<number> {
    this.kill('SIGTERM');
    const timer = setTimeout(() => {
      this.kill('SIGKILL');
    }, graceMs);
    const code = await this.#exited;
    clearTimeout(timer);

    return code;
  }
}

const children = new Set<Child>();

/** Whatever a failed test left behind; called after each file. */
export async function stopAllChildren(): Promise<void> {
  await Promise.all([...children].map((child) => child.stop(2000)));
}

function signalExitCode(signal: NodeJS.Signals): number {
  return signal === 'SIGKILL' ? 137 : 143;
}
