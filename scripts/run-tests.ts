// Runs jest and counts.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runProgram } from './checks.ts';

export interface TestTotals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** The part of jest's report that is counted. */
interface JestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly numRuntimeErrorTestSuites: number;
}

const JEST = join(dirname(fileURLToPath(import.meta.url)), '../node_modules/jest/bin/jest.js');

/**
 * A network of its own with loopback alone: nothing that a test sends can leave, its ports are free, and browsers find no other
 * address to offer than 127.0.0.1. Whoever is not root gets it in a user namespace.
 */
const ISOLATED = [
  'unshare',
  process.getuid?.() === 0 ? '-n' : '-rn',
  'sh',
  '-c',
  `PATH=$PATH:/usr/sbin:/sbin; ip link set lo up && { ${reservePorts('44444-44451')}; exec "$0" "$@"; }`,
];

/**
 * Servers' fixed ports, which the system would else give to clients: for a minute after such a connection nothing can listen
 * there. They are few, as the system gives away unevenly what lies behind a wide range. Where its settings cannot be written,
 * that is a risk and no reason to stop.
 */
function reservePorts(range: string): string {
  return `(echo ${range} >/proc/sys/net/ipv4/ip_local_reserved_ports) 2>/dev/null`;
}

/** One run of jest. `--ci` always: a snapshot that is missing fails here as it does there. */
export async function runTests(
  args: readonly string[],
  { isolated = false }: { isolated?: boolean } = {},
): Promise<TestTotals> {
  const folder = mkdtempSync(join(tmpdir(), 'parley-tests-'));
  const report = join(folder, 'report.json');
  try {
    const options = ['--ci', '--passWithNoTests', '--json', `--outputFile=${report}`];
    const jest = [process.execPath, JEST, ...options, ...args];
    const code = await runProgram(isolated ? [...ISOLATED, ...jest] : jest);
    return totalsOf(readReport(report), code);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A file that could not even be loaded counts as a failure, as does a run that ends badly for a reason of its own. */
export function totalsOf(report: JestReport | undefined, exitCode: number): TestTotals {
  const failed = (report?.numFailedTests ?? 0) + (report?.numRuntimeErrorTestSuites ?? 0);
  return {
    passed: report?.numPassedTests ?? 0,
    failed: failed === 0 && exitCode !== 0 ? 1 : failed,
    skipped: (report?.numPendingTests ?? 0) + (report?.numTodoTests ?? 0),
  };
}

function readReport(path: string): JestReport | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as JestReport;
  } catch {
    // jest died before it could write; the exit code tells.
    return undefined;
  }
}
