// What is checked without running Parley: format, lint, types, layers, sizes. Each is a program that ends with 0 when all
// is well.

import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Outcome {
  readonly name: string;
  readonly passed: boolean;
}

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const bin = (path: string): string => join(ROOT, 'node_modules', path);
const ENDING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const TSC = bin('typescript/bin/tsc');

const CHECKS: readonly { name: string; args: readonly string[] }[] = [
  { name: 'types', args: [TSC, '-p', 'tsconfig.json', '--noEmit'] },
  { name: 'types of tests', args: [TSC, '-p', 'test/tsconfig.json', '--noEmit'] },
  { name: 'types of web', args: [TSC, '-p', 'web/tsconfig.json', '--noEmit'] },
  {
    name: 'lint',
    args: [bin('eslint/bin/eslint.js'), '.', '--max-warnings', '0'],
  },
  {
    name: 'format',
    args: [bin('prettier/bin/prettier.cjs'), '--check', '--log-level', 'warn', '.'],
  },
  { name: 'imports', args: ['scripts/check-imports.ts'] },
  { name: 'sizes', args: ['scripts/check-sizes.ts'] },
];

/** Runs every check, also after one has failed, and prints what they say. */
export async function runChecks(): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const { name, args } of CHECKS) {
    const started = Date.now();
    const passed = (await runNode(args)) === 0;
    const seconds = ((Date.now() - started) / 1000).toFixed(1);
    console.log(`[check] ${name}: ${passed ? 'passed' : 'FAILED'} (${seconds} s)`);
    outcomes.push({ name, passed });
  }
  return outcomes;
}

/** The exit code of a program on this Node. */
export function runNode(args: readonly string[]): Promise<number> {
  return runProgram([process.execPath, ...args]);
}

/**
 * The exit code of a command; its words go to this terminal. Interrupted, the program is told first, so that it can stop what it
 * started, and nothing comes after it.
 */
export function runProgram([command, ...args]: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command ?? '', args, { cwd: ROOT, stdio: 'inherit' });
    let interrupted = false;
    const passOn = (signal: NodeJS.Signals): void => {
      interrupted = true;
      child.kill(signal);
    };
    for (const signal of ENDING) process.on(signal, passOn);
    child.once('error', reject);
    child.once('exit', (code) => {
      for (const signal of ENDING) process.off(signal, passOn);
      if (interrupted) process.exit(1);
      resolve(code ?? 1);
    });
  });
}
