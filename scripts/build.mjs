// `npm run build`: compiles the server and the web app to dist/, if anything changed. With --worker it makes the mediasoup
// worker and nothing else, as a step of the container image that seldom changes.

import { ensureNode } from './setup/node.mjs';
import { npmPackages } from './setup/npm-packages.mjs';
import { serverBuild } from './setup/server-build.mjs';
import { runSteps } from './setup/step.mjs';
import { webBuild } from './setup/web-build.mjs';
import { worker } from './setup/worker.mjs';

await ensureNode();
const builds = process.argv.includes('--worker') ? [worker] : [webBuild, serverBuild];
await runSteps([npmPackages, ...builds]);
