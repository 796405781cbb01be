// `npm start`: makes what is missing, then runs the server in this process.

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from './setup/cache.mjs';
import { debianPackages, RUN_PACKAGES, soundPackages } from './setup/debian-packages.mjs';
import { ensureNode } from './setup/node.mjs';
import { npmPackages } from './setup/npm-packages.mjs';
import { serverBuild } from './setup/server-build.mjs';
import { runSteps } from './setup/step.mjs';
import { webBuild } from './setup/web-build.mjs';
import { worker } from './setup/worker.mjs';

await ensureNode();
await runSteps([
  debianPackages(RUN_PACKAGES),
  soundPackages(),
  npmPackages,
  worker,
  webBuild,
  serverBuild,
]);

// As if it had been called by its own name: `process.argv` of the server holds its own arguments only.
const main = join(ROOT, 'dist/server/main.js');
process.argv.splice(1, 1, main);
await import(pathToFileURL(main).href);
