import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { AppError, ERROR_CODES } from '../../base/index.ts';
import { CLOSE_REASONS, closeReasonInfo } from '../../server/close-reason.ts';

/** The cells of each row of a page's first table. */
function tableOf(page: string): string[][] {
  const text = readFileSync(join(process.cwd(), 'docs', page), 'utf8');

  return text
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split('|').map((cell) => cell.trim().replaceAll('`', '')))
    .map((cells) => cells.slice(1, -1));
}

describe('docs/errors.md', () => {
  it('lists every error code with its HTTP status, and no other', () => {
    const listed = tableOf('errors.md').map(([code, status]) => [code, Number(status)]);
    const known = ERROR_CODES.map((code) => [code, new AppError(code, '').status]);

    expect(listed.sort()).toEqual(known.sort());
  });
});

describe('docs/closures.md', () => {
  it('lists every close reason with its fault and whether to retry, and no other', () => {
    const listed = tableOf('closures.md').map((cells) => cells.slice(0, 3));
    const known = CLOSE_REASONS.map((reason) => {
      const { fault, retryable } = closeReasonInfo(reason);

      return [reason, fault, retryable ? 'yes' : 'no'];
    });

    expect(listed.sort()).toEqual(known.sort());
  });
});
