import { describe, expect, it } from '@jest/globals';
import { keepLoudest } from '../../../media/mixer/talker-selection.ts';

function candidates(...levels: number[]): { level: number; talking: boolean }[] {
  return levels.map((level) => ({ level, talking: false }));
}

describe('keepLoudest', () => {
  it('leaves the loudest, loudest first', () => {
    const list = candidates(-50, -20, -40, -30, -10);
    keepLoudest(list, 3);

    expect(list.map(({ level }) => level)).toEqual([-10, -20, -30]);
  });

  it('leaves all of a short list', () => {
    const list = candidates(-50, -20);
    keepLoudest(list, 8);

    expect(list.map(({ level }) => level)).toEqual([-20, -50]);
  });

  it('keeps who talks already against somebody a little louder, not against much louder', () => {
    const list = candidates(-30, -26, -20);
    list[0]!.talking = true;
    keepLoudest(list, 2);

    expect(list.map(({ level }) => level)).toEqual([-20, -30]);
  });
});
