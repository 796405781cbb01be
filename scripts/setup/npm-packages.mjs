// The packages of package-lock.json in node_modules.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './cache.mjs';
import { runCommand, say, StepError } from './step.mjs';

const STEP = 'npm packages';

export const npmPackages = {
  name: STEP,
  isDone: isInstalled,
  run: async () => {
    say(STEP, 'installing what package-lock.json names');
    // No install scripts: mediasoup's would download or compile a worker its own way (that is a step of ours), and the other
    // packages bring their binaries in packages of their own.
    const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
    await runCommand('npm', ['ci', ...options], { cwd: ROOT }).catch((error) => {
      throw new StepError(error.message, 'give this machine a way to the npm registry, then again');
    });
  },
};

/** Compares with the list that npm keeps of what it installed: no process, no network. */
function isInstalled() {
  const installedFile = join(ROOT, 'node_modules/.package-lock.json');
  if (!existsSync(installedFile)) return false;
  const wanted = packagesOf(join(ROOT, 'package-lock.json'));
  const installed = packagesOf(installedFile);
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === '') return true;
    const present = installed[path];
    if (!present) return entry.optional === true || entry.devOptional === true;
    return present.version === entry.version && present.integrity === entry.integrity;
  });
}

function packagesOf(file) {
  return JSON.parse(readFileSync(file, 'utf8')).packages;
}
