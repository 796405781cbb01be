import { chmod, link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { randomToken } from '../base/index.ts';

const KEY_BYTES = 32;
const MIN_LENGTH = 16;
const OWNER_ONLY = 0o600;

export function apiKeyPath(dataDir: string): string {
  return join(dataDir, 'api-key');
}

/** The key of the REST API: the one in `DATA_DIR/api-key`, made on the first start. */
export function loadApiKey(dataDir: string): Promise<string> {
  return loadSecret(dataDir, apiKeyPath(dataDir));
}

/** The key that seals the passwords in Redis: without it they are of no use. */
export function loadAccountKey(dataDir: string): Promise<string> {
  return loadSecret(dataDir, join(dataDir, 'account-key'));
}

async function loadSecret(dataDir: string, path: string): Promise<string> {
  await mkdir(dataDir, { recursive: true });
  const key = (await read(path)) ?? (await create(path));
  if (key.length < MIN_LENGTH) {
    throw new Error(`${path} holds no usable key: delete it to get a new one`);
  }
  await chmod(path, OWNER_ONLY);

  return key;
}

/** Written aside and linked, so that of two first starts at once both end with the same, whole key. */
async function create(path: string): Promise<string> {
  const aside = `${path}.${randomToken()}`;
  await writeFile(aside, `${randomToken(KEY_BYTES)}\n`, { mode: OWNER_ONLY });
  try {
    await link(aside, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await rm(aside, { force: true });
  }
  const key = await read(path);
  if (key === undefined) throw new Error(`${path} was deleted while it was made`);

  return key;
}

async function read(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
