// The tests of `npm test`, after the set-up: checks and every test, or, with arguments, what jest makes of them.

import { runChecks } from './checks.ts';
import { runTests, type TestTotals } from './run-tests.ts';
import { finish } from './summary.ts';

/**
 * Tests of the real server share ports and the machine's time with the phones and browsers that they start, so one runs at a
 * time, in a network namespace that holds nothing else. Only those that mostly wait (for timers of a minute) have a second
 * namespace, beside those that send no audio. These words come after the given arguments: jest takes every one behind
 * --selectProjects for a project.
 */
const FAST = ['--selectProjects', 'unit'];
const REAL = ['--runInBand', '--testTimeout=120000', '--selectProjects'];

const args = process.argv.slice(2);
const real = (project: string): Promise<TestTotals> =>
  runTests([...args, ...REAL, project], { isolated: true });
// Each of the two keeps about one core busy.
const [checks, fast] = await Promise.all([
  args.length === 0 ? runChecks() : [],
  runTests([...args, ...FAST]),
]);
const signalling = await Promise.all([real('conformance'), real('long')]);
finish(checks, [fast, ...signalling, await real('integration')]);
