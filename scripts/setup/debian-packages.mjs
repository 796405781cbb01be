// Debian packages: what is missing is installed where this is allowed, else named.

import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { ROOT } from './cache.mjs';
import { hasCommand, outputOf, runCommand, say, StepError } from './step.mjs';

const STEP = 'debian packages';

/** A package, and how to see without asking dpkg that what it is needed for is there. */
export const RUN_PACKAGES = [
  { name: 'redis-server', command: 'redis-server' },
  { name: 'libopus0', library: 'libopus.so.0' },
  { name: 'openssl', command: 'openssl' },
];

const SOUNDS = '/usr/share/asterisk/sounds';

/**
 * What is spoken and played to phones, in G.722: twice the bandwidth of the 8 kHz WAV packages at two thirds of their size.
 * Without them callers hear tones, so nothing fails for want of them.
 */
export const SOUND_PACKAGES = [
  { name: 'asterisk-core-sounds-en-g722', folder: `${SOUNDS}/en_US_f_Allison` },
  { name: 'asterisk-core-sounds-fr-g722', folder: `${SOUNDS}/fr_CA_f_June` },
  { name: 'asterisk-core-sounds-es-g722', folder: `${SOUNDS}/es_MX_f_Allison` },
  { name: 'asterisk-core-sounds-it-g722', folder: `${SOUNDS}/it_IT_m_Carlo` },
  { name: 'asterisk-core-sounds-ru-g722', folder: `${SOUNDS}/ru_RU_f_IvrvoiceRU` },
  { name: 'asterisk-moh-opsound-g722', folder: '/usr/share/asterisk/moh' },
];

export const TEST_PACKAGES = [
  { name: 'baresip-core', command: 'baresip' },
  // H.264, which its phones with video speak.
  { name: 'baresip-ffmpeg', folder: '/usr/lib/baresip/modules/avcodec.so' },
  { name: 'linphone-cli', command: 'linphonec' },
  { name: 'sip-tester', command: 'sipp' },
  { name: 'kamailio', command: 'kamailio' },
  { name: 'sipvicious', command: 'svcrack' },
  { name: 'chromium', command: 'chromium' },
  { name: 'iproute2', command: 'ip' },
  { name: 'tcpdump', command: 'tcpdump' },
  { name: 'ffmpeg', command: 'ffmpeg' },
  { name: 'libxml2-utils', command: 'xmllint' },
];

export const BENCH_PACKAGES = [
  { name: 'sip-tester', command: 'sipp' },
  { name: 'iproute2', command: 'ip' },
  { name: 'util-linux', command: 'taskset' },
  // The load generator is compiled, and the peer is what the mix is held against.
  { name: 'gcc', command: 'gcc' },
  { name: 'libc6-dev' },
  { name: 'janus', command: 'janus' },
];

/** The step that brings these packages: `{ name, command? , library? }`. */
export function debianPackages(packages) {
  return {
    name: STEP,
    isDone: () => packages.every(isPresent),
    run: () => install(packages.filter((entry) => !isPresent(entry))),
  };
}

/** As `debianPackages`, of which the server makes do without: where they cannot be had, one line says so. */
export function soundPackages() {
  const isDone = () => SOUND_PACKAGES.every(isPresent);
  return {
    name: 'spoken prompts',
    isDone,
    run: async () => {
      if (!hasCommand('apt-get') || !rootPrefix()) {
        const names = SOUND_PACKAGES.map(({ name }) => name).join(' ');
        say('spoken prompts', `not installed: callers hear tones. To hear words, install ${names}`);
        return;
      }
      await install(SOUND_PACKAGES.filter((entry) => !isPresent(entry))).catch((error) => {
        say('spoken prompts', `${error.message}; callers hear tones instead`);
      });
    },
  };
}

async function install(missing) {
  if (missing.length === 0) return;
  const names = missing.map(({ name }) => name);
  const command = `apt-get install -y --no-install-recommends ${names.join(' ')}`;
  if (!hasCommand('apt-get')) {
    const what = missing.map((entry) => entry.command ?? entry.library ?? entry.name).join(', ');
    throw new StepError(
      `missing: ${what}`,
      `this is not Debian; install them your system's way (Debian calls them ${names.join(' ')})`,
    );
  }
  const script = [join(ROOT, 'scripts/setup/install-packages.sh'), ...names];
  const asRoot = rootPrefix();
  if (!asRoot) {
    throw new StepError(
      `missing: ${names.join(', ')}; neither root nor password-less sudo is at hand`,
      `have the administrator run: sudo ${command}`,
    );
  }
  say(STEP, `installing ${names.join(' ')}`);
  const [first, ...rest] = [...asRoot, 'sh', ...script];
  await runCommand(first, rest, { onLine: () => {} }).catch((error) => {
    throw new StepError(error.message, `see apt's words above, then run: sudo ${command}`);
  });
}

function rootPrefix() {
  if (process.getuid?.() === 0) return [];
  return outputOf('sudo', ['-n', 'true']) === undefined ? undefined : ['sudo', '-n'];
}

function isPresent({ name, command, library, folder }) {
  if (folder) return existsSync(folder);
  if (command) return programFolders().some((folder) => isProgram(join(folder, command)));
  // Only Linux has it by this name; Opus has a slower substitute anyway.
  if (library && process.platform !== 'linux') return true;
  if (library) return libraryFolders().some((folder) => existsSync(join(folder, library)));
  return (
    outputOf('dpkg-query', ['-W', '-f=${db:Status-Status}', name], { stdio: 'pipe' }) ===
    'installed'
  );
}

/** Debian keeps tools of the administrator out of an ordinary user's PATH. */
function programFolders() {
  return [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
}

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function libraryFolders() {
  const folders = ['/usr/lib', '/usr/local/lib', '/lib', '/usr/lib64', '/opt/homebrew/lib'];
  return folders.flatMap((folder) => [folder, ...multiarch(folder)]);
}

function multiarch(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.includes('-linux-gnu'))
    .map((name) => join(folder, name));
}
