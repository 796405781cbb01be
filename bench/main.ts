/** `npm run bench [-- name … --option …]`: runs the benchmarks, prints one table, writes `bench/results.json`. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import path from 'node:path';
import type { BenchRow } from './bench-row.ts';
import { benchGrid } from './grid.ts';
import { benchMix } from './mix.ts';
import { benchSip } from './sip.ts';
import { benchStorm } from './storm.ts';

const BENCHMARKS: Readonly<Record<string, (options: readonly string[]) => Promise<BenchRow[]>>> = {
  sip: benchSip,
  mix: benchMix,
  storm: benchStorm,
  grid: benchGrid,
};
const ISOLATED = 'PARLEY_BENCH_ISOLATED';

const options = process.argv.slice(2).filter((word) => word.startsWith('--'));
const names = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const unknown = names.filter((name) => !(name in BENCHMARKS));
if (unknown.length > 0) {
  console.error(
    `no benchmark ${unknown.join(', ')}; there is: ${Object.keys(BENCHMARKS).join(', ')}`,
  );
  process.exit(1);
}
if (process.env[ISOLATED] === undefined) process.exit(runIsolated());

const rows: BenchRow[] = [];
for (const [name, run] of Object.entries(BENCHMARKS)) {
  if (names.length === 0 || names.includes(name)) rows.push(...(await run(options)));
}
const machine = { cores: availableParallelism(), model: cpus()[0]?.model ?? 'unknown' };
const results = { at: new Date().toISOString(), machine, node: process.version, rows };
writeFileSync(
  path.join(import.meta.dirname, 'results.json'),
  `${JSON.stringify(results, null, 2)}\n`,
);
console.table(rows.map(({ bench, what, value, unit }) => ({ bench, what, value, unit })));

/** Again, in a network that holds loopback alone: no other program's ports, nothing that leaves. */
function runIsolated(): number {
  const flag = process.getuid?.() === 0 ? '-n' : '-rn';
  const script = 'PATH=$PATH:/usr/sbin:/sbin; ip link set lo up && exec "$0" "$@"';
  const command = [flag, 'sh', '-c', script, process.execPath, import.meta.filename];
  command.push(...options, ...names);
  const { status } = spawnSync('unshare', command, {
    stdio: 'inherit',
    env: { ...process.env, [ISOLATED]: '1' },
  });

  return status ?? 1;
}
