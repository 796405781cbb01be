// mediasoup's worker: the C++ program that carries the browsers' media. Where it comes from, in this order: the variable
// MEDIASOUP_WORKER_BIN, an earlier run of this step, mediasoup's own download, a build from source.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { arch, platform, release } from 'node:os';
import { join } from 'node:path';
import { cachePath, contentHash, makeFolder, ROOT } from './cache.mjs';
import { BUILD_PACKAGES, buildWorker } from './worker-build.mjs';
import { debianPackages } from './debian-packages.mjs';
import { runCommand, say, StepError } from './step.mjs';

const STEP = 'worker';
const PACKAGE = join(ROOT, 'node_modules/mediasoup');
/** A download that has not begun by then is not worth waiting for; where the site is blocked it often hangs. */
const BEGIN_MS = 6_000;
const WHOLE_MS = 120_000;

export const worker = {
  name: STEP,
  isDone: () => {
    const given = process.env.MEDIASOUP_WORKER_BIN;
    const path = given || cachedWorker();
    if (!existsSync(path)) return false;
    process.env.MEDIASOUP_WORKER_BIN = path;
    return true;
  },
  run: async () => {
    const given = process.env.MEDIASOUP_WORKER_BIN;
    if (given) {
      throw new StepError(
        `MEDIASOUP_WORKER_BIN names "${given}", which is not there`,
        'correct the variable, or unset it to have the worker made',
      );
    }
    const path = cachedWorker();
    const folder = join(path, '..');
    await makeFolder(folder, async (temporary) => {
      if (!(await downloadWorker(temporary))) {
        await debianPackages(BUILD_PACKAGES.map((name) => ({ name }))).run();
        await buildWorker(PACKAGE, temporary);
        await proveWorker(join(temporary, 'mediasoup-worker'));
      }
    });
    say(STEP, `${readFileSync(join(folder, 'origin'), 'utf8').trim()}: ${path}`);
    process.env.MEDIASOUP_WORKER_BIN = path;
  },
};

/** For tools that use the worker when it is there and do without it when it is not. */
export function useCachedWorker() {
  if (!process.env.MEDIASOUP_WORKER_BIN && existsSync(cachedWorker())) {
    process.env.MEDIASOUP_WORKER_BIN = cachedWorker();
  }
}

function cachedWorker() {
  const recipe = [
    'scripts/worker',
    'scripts/setup/worker-build.mjs',
    'scripts/setup/worker-srtp.mjs',
  ];
  const key = contentHash(recipe, `${platform()} ${arch()} ${systemName()}`);
  return cachePath(`worker-${version()}-${key}`, 'mediasoup-worker');
}

/** The worker is linked with libraries of the system: another release of it has others. */
function systemName() {
  try {
    const text = readFileSync('/etc/os-release', 'utf8');
    return ['ID', 'VERSION_ID'].map((name) => RegExp(`^${name}=(.*)$`, 'm').exec(text)?.[1]).join();
  } catch {
    return '';
  }
}

function version() {
  return JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8')).version;
}

/** What mediasoup's own install script does, with a time limit. False when it cannot be had or does not run here. */
async function downloadWorker(target) {
  const kernel = platform() === 'linux' ? `-kernel${release().split('.')[0]}` : '';
  const file = `mediasoup-worker-${version()}-${platform()}-${arch()}${kernel}.tgz`;
  const base =
    process.env.MEDIASOUP_WORKER_PREBUILT_DOWNLOAD_BASE_URL ??
    'https://github.com/versatica/mediasoup/releases/download';
  try {
    say(STEP, `trying ${base}/${version()}/${file}`);
    const archive = join(target, file);
    writeFileSync(archive, await download(`${base}/${version()}/${file}`));
    await runCommand('tar', ['-xzf', archive, '-C', target], { onLine: () => {} });
    await proveWorker(join(target, 'mediasoup-worker'));
    writeFileSync(join(target, 'origin'), "mediasoup's own build\n");
    return true;
  } catch (error) {
    say(
      STEP,
      `no prebuilt worker (${error.cause?.code ?? error.message}); building it from source`,
    );
    return false;
  }
}

async function download(url) {
  const abort = new AbortController();
  const whole = setTimeout(() => abort.abort(), WHOLE_MS);
  const begin = setTimeout(() => abort.abort(), BEGIN_MS);
  try {
    const response = await fetch(url, { signal: abort.signal });
    clearTimeout(begin);
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    return Buffer.from(await response.arrayBuffer());
  } finally {
    clearTimeout(whole);
    clearTimeout(begin);
  }
}

/** Runs it as the server will: a worker for another libc or with a missing library shows here. */
async function proveWorker(path) {
  const code = `
    import('mediasoup').then(async ({ createWorker }) => {
      const worker = await createWorker({ logLevel: 'error' });
      await worker.createRouter({
        mediaCodecs: [{ kind: 'audio', mimeType: 'audio/opus', clockRate: 48000, channels: 2 }],
      });
      worker.close();
    }).catch((error) => { console.error(error); process.exit(1); });`;
  await runCommand(process.execPath, ['-e', code], {
    cwd: ROOT,
    env: { ...process.env, MEDIASOUP_WORKER_BIN: path },
    onLine: () => {},
  });
}
