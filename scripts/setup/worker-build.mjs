// Builds mediasoup's worker from the sources inside the npm package against the libraries of Debian. docs/setup.md explains
// the recipe; the files laid into the tree are in scripts/worker/.

import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './cache.mjs';
import { buildSrtp } from './worker-srtp.mjs';
import { outputOf, runCommand, say, StepError } from './step.mjs';

const STEP = 'worker';
const STUBS = join(ROOT, 'scripts/worker');

/** mediasoup asks for a newer Meson than Debian 12 has; nothing that it uses needs it. */
const OLDEST_MESON = '1.0.1';

/** Debian packages that the build needs, and only the build. */
export const BUILD_PACKAGES = [
  'meson',
  'ninja-build',
  'g++',
  'make',
  'pkg-config',
  'dpkg-dev',
  'libuv1-dev',
  'libssl-dev',
  'libsrtp2-dev',
  'libflatbuffers-dev',
  'flatbuffers-compiler',
  'libabsl-dev',
];

const PATCHES = [
  {
    file: 'meson.build',
    from: /meson_version: '>= [\d.]+'/,
    to: `meson_version: '>= ${OLDEST_MESON}'`,
  },
  {
    // With kernel TLS compiled in, as in Debian's OpenSSL, the callback of a BIO is also called for control operations, whose
    // return comes as BIO_CB_RETURN | BIO_CB_CTRL. mediasoup then answers 1 instead of what the operation returned, OpenSSL
    // takes that for a pointer, and the worker dies in the first DTLS handshake.
    file: 'src/RTC/DtlsTransport.cpp',
    from: '(operationType == BIO_CB_RETURN)',
    to: '((operationType & BIO_CB_RETURN) != 0)',
  },
];

/** Builds into a temporary folder and puts `mediasoup-worker` and `origin` into `target`. */
export async function buildWorker(packageFolder, target) {
  const work = mkdtempSync(join(tmpdir(), 'parley-worker-'));
  try {
    const tree = join(work, 'worker');
    cpSync(join(packageFolder, 'worker'), tree, { recursive: true });
    PATCHES.forEach((patch) => applyPatch(tree, patch));
    layStubs(tree);
    const archive = await buildSrtp(join(work, 'srtp'));
    await compile(tree, join(work, 'build'), archive);
    copyFileSync(join(work, 'build/mediasoup-worker'), join(target, 'mediasoup-worker'));
    const srtp = archive ? 'OpenSSL' : "NSS (Debian's build)";
    writeFileSync(join(target, 'origin'), `built from source, libsrtp2 on ${srtp}\n`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function applyPatch(tree, { file, from, to }) {
  const path = join(tree, file);
  const before = readFileSync(path, 'utf8');
  const after = before.replace(from, to);
  if (before === after) {
    throw new StepError(
      `the text to patch is no longer in mediasoup's worker/${file}: ${String(from)}`,
      'look whether this version of mediasoup still needs the patch, and change scripts/setup/worker-build.mjs',
    );
  }
  writeFileSync(path, after);
}

/** A subproject whose folder exists is not downloaded: the `.wrap` file names the folder. */
function layStubs(tree) {
  const subprojects = join(tree, 'subprojects');
  for (const entry of readdirSync(STUBS, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    const wrap = join(subprojects, `${entry.name}.wrap`);
    const folder = existsSync(wrap) && /^directory = (\S+)$/m.exec(readFileSync(wrap, 'utf8'))?.[1];
    if (!folder) {
      throw new StepError(
        `mediasoup's worker has no subproject "${entry.name}" any more`,
        'compare scripts/worker/ with node_modules/mediasoup/worker/subprojects/',
      );
    }
    const to = join(subprojects, folder);
    mkdirSync(to, { recursive: true });
    cpSync(join(STUBS, entry.name), to, { recursive: true });
  }
}

async function compile(tree, build, archive) {
  const options = ['--buildtype', 'release', '-Db_ndebug=true', '--wrap-mode=nodownload'];
  if (archive) options.push(`-Dlibsrtp3:archive=${archive}`);
  say(STEP, 'configuring');
  await runCommand('meson', ['setup', build, tree, ...options], { onLine: () => {} });
  const jobs = String(compileJobs());
  say(STEP, `compiling with ${jobs} jobs; this takes some minutes`);
  let printed = 0;
  await runCommand('ninja', ['-C', build, '-j', jobs, 'mediasoup-worker'], {
    onLine: (line) => {
      const [, done, all] = /^\[(\d+)\/(\d+)\]/.exec(line) ?? [];
      const percent = Math.floor((10 * Number(done)) / Number(all)) * 10;
      if (done && percent > printed) say(STEP, `compiled ${(printed = percent)} %`);
    },
  });
  await runCommand('strip', [join(build, 'mediasoup-worker')], { onLine: () => {} });
}

/** A compiler of these sources takes up to 1 GB; more at once than fit makes the system slow, or the build fail. */
function compileJobs() {
  const free = Number(
    /^MemAvailable:\s+(\d+)/m.exec(outputOf('cat', ['/proc/meminfo']) ?? '')?.[1],
  );
  const fitting = Number.isFinite(free) ? Math.floor(free / 1_000_000) : Infinity;
  return Math.max(1, Math.min(availableParallelism(), fitting));
}
