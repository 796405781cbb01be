// The server as JavaScript in dist/, so that it starts without reading TypeScript.

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { contentHash, hasStamp, ROOT, writeStamp } from './cache.mjs';
import { runCommand, say, StepError } from './step.mjs';

const STEP = 'server build';
const SOURCES = ['base', 'media', 'server', 'signaling'];
const STAMP = join(ROOT, 'dist/.server-build');

const inputs = () =>
  contentHash([...SOURCES, 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json']);

export const serverBuild = {
  name: STEP,
  isDone: () => hasStamp(STAMP, inputs()),
  run: async () => {
    const key = inputs();
    say(STEP, 'compiling to dist/');
    rmSync(STAMP, { force: true });
    for (const folder of SOURCES) {
      rmSync(join(ROOT, 'dist', folder), { recursive: true, force: true });
    }
    const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
    const options = ['-p', join(ROOT, 'tsconfig.build.json')];
    await runCommand(process.execPath, [compiler, ...options]).catch((error) => {
      throw new StepError(error.message, 'correct what the compiler names above');
    });
    writeStamp(STAMP, key);
  },
};
