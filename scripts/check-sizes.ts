// Fails when a file or a function is too long and does not say why: `check-sizes.ts [ROOT]`.

import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseSource, sourcePaths } from './read-sources.ts';
import { findOversize } from './size-rules.ts';

const root = resolve(process.argv[2] ?? fileURLToPath(new URL('..', import.meta.url)));
const paths = sourcePaths(root);
const oversize = paths.flatMap((path) => findOversize(parseSource(root, path)));

for (const line of oversize) console.error(line);
console.log(`sizes of ${paths.length} files: ${oversize.length} too long without a reason`);
process.exitCode = oversize.length === 0 ? 0 : 1;
