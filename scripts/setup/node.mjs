// The Node that Parley runs on. mediasoup needs Node 22, and TypeScript files run as they are from 22.18 on. Debian 12 and
// many machines have an older one: then a pinned Node from the npm registry is put into the cache, for Parley alone.

import { spawn } from 'node:child_process';
import { existsSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cachePath, makeFolder } from './cache.mjs';
import { failStep, hasCommand, runCommand, say, StepError } from './step.mjs';

const STEP = 'node';
const OLDEST = [22, 18];
const PINNED = '24.9.0';

const isNewEnough = () => {
  const [major, minor] = process.versions.node.split('.').map(Number);
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
};

/**
 * Returns when this process runs on a Node that is new enough. Where it does not, the same command is run again on one that
 * is, and this process passes signals and the exit code on: then this call never returns.
 */
export async function ensureNode() {
  if (!isNewEnough()) {
    try {
      const node = await pinnedNode();
      await runAgainOn(node);
    } catch (error) {
      failStep(STEP, error);
    }
  }
  useThisNode();
}

/** Programs started from here (`node`, `npm`, tools with a `#!/usr/bin/env node` line) get this Node too. */
function useThisNode() {
  const folder = dirname(process.execPath);
  const path = process.env.PATH ?? '';
  if (path.split(':')[0] !== folder) process.env.PATH = `${folder}:${path}`;
  endWithParent();
}

async function pinnedNode() {
  const folder = cachePath(`node-${PINNED}`);
  const node = join(folder, 'bin/node');
  if (existsSync(node)) return node;
  if (!hasCommand('npm')) {
    throw new StepError(
      `Node ${process.versions.node} is too old and there is no npm to get a newer one`,
      `install Node ${OLDEST.join('.')} or newer`,
    );
  }
  const name = `node-${process.platform}-${process.arch}`;
  say(STEP, `Node ${process.versions.node} is too old; fetching Node ${PINNED} into ${folder}`);
  await makeFolder(folder, (temporary) => installNode(name, temporary));
  return node;
}

async function installNode(name, temporary) {
  const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const install = ['install', '--prefix', temporary, ...options, `${name}@${PINNED}`];
  // Away from the checkout, so that its .npmrc and package.json have no say.
  await runCommand('npm', install, { cwd: temporary }).catch((error) => {
    throw new StepError(
      `npm could not fetch ${name}@${PINNED}: ${error.message}`,
      `give this machine a way to the npm registry, or install Node ${OLDEST.join('.')} or newer`,
    );
  });
  for (const part of ['bin', 'include', 'LICENSE']) {
    renameSync(join(temporary, 'node_modules', name, part), join(temporary, part));
  }
}

/** Its own process group, so that Ctrl-C reaches only this process, which passes it on: the server gets it once, not twice. */
function runAgainOn(node) {
  const child = spawn(node, [...process.execArgv, ...process.argv.slice(1)], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    detached: true,
  });
  const lastSent = new Map();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      // A terminal sends SIGINT to npm and to this process, and npm passes its own on.
      if (Date.now() - (lastSent.get(signal) ?? -Infinity) < 500) return;
      lastSent.set(signal, Date.now());
      child.kill(signal);
    });
  }
  return new Promise((_, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => process.exit(signal ? 1 : code));
  });
}

/** The other end of `runAgainOn`: when the parent is killed outright, this process must not stay behind. */
function endWithParent() {
  if (!process.channel) return;
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  process.channel.unref();
}
