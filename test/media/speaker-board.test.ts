import { beforeEach, describe, expect, it } from '@jest/globals';
import type { LegId } from '../../base/index.ts';
import type { SpeakerLevel } from '../../media/index.ts';
import { SpeakerBoard } from '../../media/speaker-board.ts';

const speaker = (legId: string, level: number): SpeakerLevel => ({ legId: legId as LegId, level });

describe('the speaker board', () => {
  let reports: SpeakerLevel[][];
  let board: SpeakerBoard;

  beforeEach(() => {
    reports = [];
    board = new SpeakerBoard((levels) => reports.push(levels));
  });

  it('merges browsers and phones, loudest first', () => {
    board.setBrowsers([speaker('browser', -30)]);
    board.setPhones([speaker('loud phone', -10), speaker('soft phone', -40)]);
    expect(reports.at(-1)?.map(({ legId }) => legId)).toEqual([
      'loud phone',
      'browser',
      'soft phone',
    ]);
  });

  it('says silence once', () => {
    board.setBrowsers([]);
    expect(reports).toEqual([]);
    board.setPhones([speaker('phone', -20)]);
    board.setPhones([]);
    board.setBrowsers([]);
    expect(reports).toEqual([[speaker('phone', -20)], []]);
  });

  it('forgets at once who left, and says nothing when that one was silent', () => {
    board.setBrowsers([speaker('a', -20), speaker('b', -25)]);
    board.drop('a' as LegId);
    expect(reports.at(-1)).toEqual([speaker('b', -25)]);
    board.drop('c' as LegId);
    expect(reports).toHaveLength(2);
  });
});
