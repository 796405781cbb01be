// A step of the set-up: it names itself, says what it does, and when it fails says why and what to do.

import { spawn, spawnSync } from 'node:child_process';

const ENDING = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** Why a step failed and what whoever runs it can do about it. */
export class StepError extends Error {
  remedy;

  constructor(reason, remedy) {
    super(reason);
    this.name = 'StepError';
    this.remedy = remedy;
  }
}

export function say(step, text) {
  process.stdout.write(`[${step}] ${text}\n`);
}

/**
 * Runs steps in order: `{ name, isDone?, run }`. `isDone` is fast and asks nobody outside this machine. A failure ends the
 * process: nothing after a failed step could work.
 */
export async function runSteps(steps) {
  for (const step of steps) {
    try {
      if (step.isDone?.() === true) continue;
      await step.run();
    } catch (error) {
      failStep(step.name, error);
    }
  }
}

export function failStep(name, error) {
  const reason = error instanceof Error ? error.message : String(error);
  const remedy =
    error instanceof StepError ? error.remedy : 'see docs/setup.md; the text above tells more';
  process.stderr.write(`\n[${name}] failed\n  reason: ${reason}\n  remedy: ${remedy}\n`);
  if (!(error instanceof StepError) && error instanceof Error) {
    process.stderr.write(`${error.stack}\n`);
  }
  process.exit(1);
}

/** True when the program can be started at all. */
export function hasCommand(command) {
  return spawnSync('sh', ['-c', `command -v ${command}`], { stdio: 'ignore' }).status === 0;
}

/** The output of a short command, or undefined when it fails. */
export function outputOf(command, args, options = {}) {
  const result = spawnSync(command, args, { encoding: 'utf8', ...options });
  return result.status === 0 ? result.stdout : undefined;
}

/**
 * Runs a long command and keeps its last lines for the failure text. `onLine` sees every line, so that the caller can print
 * progress; without it the command writes to this terminal.
 */
export function runCommand(command, args, options = {}) {
  const { onLine, ...spawnOptions } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ['ignore', onLine ? 'pipe' : 'inherit', onLine ? 'pipe' : 'inherit'],
      ...spawnOptions,
    });
    const tail = [];
    // Interrupted, the command ends, the step fails, and what it had begun is tidied up on the way out.
    const passOn = (signal) => child.kill(signal);
    for (const signal of ENDING) process.on(signal, passOn);
    for (const stream of [child.stdout, child.stderr]) {
      if (stream) readLines(stream, (line) => keepLine(tail, line, onLine));
    }
    child.once('error', (error) => reject(new Error(`${command}: ${error.message}`)));
    child.once('close', (code, signal) => {
      for (const name of ENDING) process.off(name, passOn);
      if (code === 0) return resolve();
      if (tail.length > 0) process.stderr.write(`${tail.join('\n')}\n`);
      reject(new Error(`"${[command, ...args].join(' ')}" ended with ${signal ?? `code ${code}`}`));
    });
  });
}

function keepLine(tail, line, onLine) {
  tail.push(line);
  if (tail.length > 40) tail.shift();
  onLine(line);
}

function readLines(stream, onLine) {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop();
    lines.forEach(onLine);
  });
  stream.on('end', () => rest !== '' && onLine(rest));
}
