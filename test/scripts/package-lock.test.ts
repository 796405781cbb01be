import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

interface LockedPackage {
  readonly version?: string;
  readonly optionalDependencies?: Record<string, string>;
}

const lock = JSON.parse(readFileSync(join(__dirname, '../../package-lock.json'), 'utf8')) as {
  packages: Record<string, LockedPackage>;
};

/** Where Node would look for `name` from the package at `path`: its own node_modules, then those above. */
function places(path: string, name: string): string[] {
  const own = path === '' ? '' : `${path}/`;
  const parent = path.slice(0, Math.max(path.lastIndexOf('node_modules/') - 1, 0));
  return [`${own}node_modules/${name}`, ...(path === '' ? [] : places(parent, name))];
}

describe('package-lock.json', () => {
  // A lock written where the registry lacks packages of other platforms leaves them out, and `npm ci` then refuses it.
  it('names the optional packages of every platform', () => {
    const missing = Object.entries(lock.packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter(
        (name) => !places(path, name).some((place) => place in lock.packages),
      ),
    );
    expect(missing).toEqual([]);
  });
});
