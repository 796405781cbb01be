// Runs a TypeScript file on a Node that can: `node scripts/run.mjs [--worker] FILE [ARGUMENT...]`. With --worker the
// mediasoup worker is made first when it is missing.

import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from './setup/cache.mjs';
import { ensureNode } from './setup/node.mjs';
import { npmPackages } from './setup/npm-packages.mjs';
import { runSteps } from './setup/step.mjs';
import { useCachedWorker, worker } from './setup/worker.mjs';

await ensureNode();
const needsWorker = process.argv[2] === '--worker';
if (needsWorker) process.argv.splice(2, 1);
await runSteps([npmPackages, ...(needsWorker ? [worker] : [])]);
if (!needsWorker) useCachedWorker();

const file = resolve(ROOT, process.argv[2] ?? '');
process.argv.splice(1, 2, file);
await import(pathToFileURL(file).href);
