// Fails when a file imports what its layer may not: `check-imports.ts [ROOT]`. The rules are in import-rules.ts.

import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findViolations } from './import-rules.ts';
import { importsOf, parseSource, sourcePaths } from './read-sources.ts';

const root = resolve(process.argv[2] ?? fileURLToPath(new URL('..', import.meta.url)));
const paths = sourcePaths(root).filter((path) => !path.endsWith('.mjs'));
const violations = findViolations(
  new Map(paths.map((path) => [path, importsOf(parseSource(root, path))])),
);

for (const { file, message } of violations) console.error(`${file} ${message}`);
console.log(`imports of ${paths.length} files: ${violations.length} violations`);
process.exitCode = violations.length === 0 ? 0 : 1;
