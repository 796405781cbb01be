// The last line of `npm test` and `npm run check`.

import type { Outcome } from './checks.ts';
import type { TestTotals } from './run-tests.ts';

/** Adds up checks and tests. A check counts as one test, so that the line never says "0 failed" when something did. */
export function summarise(checks: readonly Outcome[], runs: readonly TestTotals[]): TestTotals {
  const totals = {
    passed: checks.filter(({ passed }) => passed).length,
    failed: checks.filter(({ passed }) => !passed).length,
    skipped: 0,
  };
  for (const run of runs) {
    totals.passed += run.passed;
    totals.failed += run.failed;
    totals.skipped += run.skipped;
  }
  return totals;
}

/** Prints the totals and sets the exit code; nothing at all having run is a failure too. */
export function finish(checks: readonly Outcome[], runs: readonly TestTotals[]): void {
  const { passed, failed, skipped } = summarise(checks, runs);
  const skippedText = skipped > 0 ? `, ${skipped} skipped` : '';
  console.log(`\n${passed} passed, ${failed} failed${skippedText}`);
  process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
}
