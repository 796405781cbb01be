// The tests of `npm test`, after the set-up: checks and every test, or, with arguments, what jest makes of them.

import { runChecks } from './checks.ts';
import { runTests } from './run-tests.ts';
import { finish } from './summary.ts';

/**
 * Tests of the real server share ports and the machine's time with the phones and browsers that they start, so one runs at a
 * time, in a network namespace that holds nothing else. These words come after the given arguments: jest takes every one behind
 * --selectProjects for a project.
 */
const FAST = ['--selectProjects', 'unit'];
const REAL = [
  '--runInBand',
  '--testTimeout=60000',
  '--selectProjects',
  'conformance',
  'integration',
];

const args = process.argv.slice(2);
// Each of the two keeps about one core busy.
const [checks, fast] = await Promise.all([
  args.length === 0 ? runChecks() : [],
  runTests([...args, ...FAST]),
]);
const real = await runTests([...args, ...REAL], { isolated: true });
finish(checks, [fast, real]);
