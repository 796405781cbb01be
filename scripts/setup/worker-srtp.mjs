// libsrtp2 built on OpenSSL. Debian builds it on NSS, which costs two to four times as much a packet, and more with every
// session. The source is Debian's own, signature checked by apt, in folders of our own: the machine's apt is left as it is.

import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { outputOf, runCommand, say } from './step.mjs';

const STEP = 'worker';
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
const quiet = { onLine: () => {} };

/** The path of `libsrtp2.a`, or undefined when it cannot be had: then Debian's library does. */
export async function buildSrtp(work) {
  try {
    mkdirSync(work, { recursive: true });
    const source = await fetchSource(work);
    say(STEP, 'building libsrtp2 on OpenSSL');
    const inSource = { cwd: source, env: { ...process.env, CFLAGS: '-O2 -fPIC' }, ...quiet };
    await runCommand('./configure', ['--enable-openssl'], inSource);
    await runCommand('make', ['libsrtp2.a'], inSource);
    return join(source, 'libsrtp2.a');
  } catch (error) {
    say(STEP, `libsrtp2 on OpenSSL cannot be built (${error.message})`);
    say(STEP, "taking Debian's libsrtp2, on NSS: right, but dearer for every packet");
    return undefined;
  }
}

async function fetchSource(work) {
  const { version, origin } = installedSrtp();
  const sources = join(work, 'sources.list');
  const lists = join(work, 'lists');
  mkdirSync(join(lists, 'partial'), { recursive: true });
  mkdirSync(join(work, 'cache/archives/partial'), { recursive: true });
  const signed = existsSync(KEYRING) ? `[signed-by=${KEYRING}] ` : '';
  writeFileSync(sources, `deb-src ${signed}${origin}\n`);
  const apt = [
    ['Dir::Etc::SourceList', sources],
    ['Dir::Etc::SourceParts', '/dev/null'],
    ['Dir::State::Lists', lists],
    ['Dir::Cache', join(work, 'cache')],
    // apt drops to its own user for downloads, who cannot write into this folder.
    ['APT::Sandbox::User', outputOf('id', ['-un'])?.trim() ?? 'root'],
    ['Acquire::Retries', '2'],
  ].flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  say(STEP, `fetching the source of libsrtp2 ${version}`);
  await runCommand('apt-get', ['-q', ...apt, 'update'], quiet);
  await runCommand('apt-get', ['-q', ...apt, '--only-source', 'source', `libsrtp2=${version}`], {
    cwd: work,
    ...quiet,
  });
  const folder = readdirSync(work).find((name) => /^libsrtp2-[\d.]+$/.test(name));
  if (!folder) throw new Error('apt brought no source folder');
  return join(work, folder);
}

/** The version whose header the worker is compiled with, and the archive that it came from. */
function installedSrtp() {
  const policy = outputOf('apt-cache', ['policy', 'libsrtp2-dev']) ?? '';
  const version = /^\s+Installed: (\S+)/m.exec(policy)?.[1];
  const after = policy.slice(policy.indexOf(`*** ${version} `));
  const origin = /^\s+-?\d+ (\S+:\/\/\S+) ([^/\s]+)\/(\S+) \S+ Packages$/m.exec(after);
  if (!version || !origin) throw new Error('apt does not know where libsrtp2-dev came from');
  return { version, origin: `${origin[1]} ${origin[2]} ${origin[3]}` };
}
