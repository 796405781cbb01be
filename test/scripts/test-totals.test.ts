import { describe, expect, it } from '@jest/globals';
import { totalsOf } from '../../scripts/run-tests.ts';
import { summarise } from '../../scripts/summary.ts';

const report = (numPassedTests: number, numFailedTests = 0, numRuntimeErrorTestSuites = 0) => ({
  numPassedTests,
  numFailedTests,
  numRuntimeErrorTestSuites,
  numPendingTests: 1,
  numTodoTests: 2,
});

describe('totals of the tests', () => {
  it('skipped and planned tests are counted apart', () => {
    expect(totalsOf(report(5), 0)).toEqual({ passed: 5, failed: 0, skipped: 3 });
  });

  it('a file that cannot be loaded is a failure', () => {
    expect(totalsOf(report(5, 1, 2), 1).failed).toBe(3);
  });

  it('a run that ends badly is a failure, even without a report', () => {
    expect(totalsOf(report(5), 1).failed).toBe(1);
    expect(totalsOf(undefined, 1)).toEqual({ passed: 0, failed: 1, skipped: 0 });
  });

  it('checks count like tests', () => {
    const checks = [
      { name: 'types', passed: true },
      { name: 'lint', passed: false },
    ];
    const totals = summarise(checks, [{ passed: 2, failed: 0, skipped: 0 }]);
    expect(totals).toEqual({ passed: 3, failed: 1, skipped: 0 });
  });
});
