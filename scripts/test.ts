// The tests of `npm test`, after the set-up: checks and every test, or, with arguments, what jest makes of them.

import { runChecks } from './checks.ts';
import { runTests } from './run-tests.ts';
import { finish } from './summary.ts';

/**
 * The integration tests share ports and the machine's time with the phones and browsers that they start, so one runs at a time.
 * These come after the given arguments: jest takes every word behind --selectProjects for a project.
 */
const FAST = ['--selectProjects', 'unit', 'conformance'];
const REAL = ['--selectProjects', 'integration', '--runInBand'];

const args = process.argv.slice(2);
const checks = args.length === 0 ? await runChecks() : [];
const fast = await runTests([...args, ...FAST]);
const real = await runTests([...args, ...REAL]);
finish(checks, [fast, real]);
