import { mkdirSync, mkdtempSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '../..');
const OUTPUT = path.join(ROOT, 'test/output');

/** A folder of this run's own, kept for reading logs and recordings after a failure. */
export function scratchFolder(name: string): string {
  mkdirSync(OUTPUT, { recursive: true });

  return mkdtempSync(path.join(OUTPUT, `${name}-`));
}

/** A path below the project's root. */
export function projectPath(...parts: string[]): string {
  return path.join(ROOT, ...parts);
}
