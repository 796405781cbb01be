// `npm run check`: the quick gate while working. Everything that needs no phone, no browser and no server process.

import { runChecks } from './checks.ts';
import { runTests } from './run-tests.ts';
import { finish } from './summary.ts';

const checks = await runChecks();
const unit = await runTests(['--selectProjects', 'unit']);
finish(checks, [unit]);
