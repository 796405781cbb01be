// `npm run build`: compiles the server and the web app to dist/, if anything changed.

import { ensureNode } from './setup/node.mjs';
import { npmPackages } from './setup/npm-packages.mjs';
import { serverBuild } from './setup/server-build.mjs';
import { runSteps } from './setup/step.mjs';
import { webBuild } from './setup/web-build.mjs';

await ensureNode();
await runSteps([npmPackages, webBuild, serverBuild]);
