// The web app in dist/web, as the server serves it.

import { join } from 'node:path';
import { contentHash, hasStamp, ROOT, writeStamp } from './cache.mjs';
import { runCommand, say, StepError } from './step.mjs';

const STEP = 'web build';
const STAMP = join(ROOT, 'dist/.web-build');

const inputs = () =>
  contentHash(['web', 'signaling/websocket/protocol.ts', 'tsconfig.json', 'package-lock.json']);

export const webBuild = {
  name: STEP,
  isDone: () => hasStamp(STAMP, inputs()),
  run: async () => {
    const key = inputs();
    say(STEP, 'building dist/web');
    const vite = join(ROOT, 'node_modules/vite/bin/vite.js');
    const options = ['build', '--outDir', join(ROOT, 'dist/web'), '--emptyOutDir'];
    const inWeb = { cwd: join(ROOT, 'web') };
    await runCommand(process.execPath, [vite, ...options, '--logLevel', 'warn'], inWeb).catch(
      (error) => {
        throw new StepError(error.message, 'correct what Vite names above');
      },
    );
    writeStamp(STAMP, key);
  },
};
