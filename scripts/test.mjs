// `npm test`: makes what is missing, also what only tests need, then runs every check and test.

import {
  debianPackages,
  RUN_PACKAGES,
  soundPackages,
  TEST_PACKAGES,
} from './setup/debian-packages.mjs';
import { ensureNode } from './setup/node.mjs';
import { npmPackages } from './setup/npm-packages.mjs';
import { serverBuild } from './setup/server-build.mjs';
import { runSteps } from './setup/step.mjs';
import { webBuild } from './setup/web-build.mjs';
import { worker } from './setup/worker.mjs';

await ensureNode();
await runSteps([
  debianPackages([...RUN_PACKAGES, ...TEST_PACKAGES]),
  soundPackages(),
  npmPackages,
  worker,
  webBuild,
  serverBuild,
]);
await import('./test.ts');
