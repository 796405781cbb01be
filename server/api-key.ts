import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { randomToken } from '../base/index.ts';

const KEY_BYTES = 32;
const OWNER_ONLY = 0o600;

export function apiKeyPath(dataDir: string): string {
  return join(dataDir, 'api-key');
}

/** The key of the REST API: the one in `DATA_DIR/api-key`, made on the first start. */
export async function loadApiKey(dataDir: string): Promise<string> {
  const path = apiKeyPath(dataDir);
  await mkdir(dataDir, { recursive: true });
  try {
    // `wx` creates or fails, so that two first starts at once cannot end with two keys.
    await writeFile(path, `${randomToken(KEY_BYTES)}\n`, { mode: OWNER_ONLY, flag: 'wx' });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
  await chmod(path, OWNER_ONLY);
  const key = (await readFile(path, 'utf8')).trim();
  if (key.length < 16) throw new Error(`${path} holds no usable key: delete it to get a new one`);

  return key;
}
