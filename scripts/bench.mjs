// `npm run bench`: makes what is missing, then runs the benchmarks that are named, or all.

import { BENCH_PACKAGES, debianPackages, RUN_PACKAGES } from './setup/debian-packages.mjs';
import { ensureNode } from './setup/node.mjs';
import { npmPackages } from './setup/npm-packages.mjs';
import { serverBuild } from './setup/server-build.mjs';
import { runSteps } from './setup/step.mjs';
import { webBuild } from './setup/web-build.mjs';
import { worker } from './setup/worker.mjs';

await ensureNode();
await runSteps([
  debianPackages([...RUN_PACKAGES, ...BENCH_PACKAGES]),
  npmPackages,
  worker,
  webBuild,
  serverBuild,
]);
await import('../bench/main.ts');
