import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { drawName } from '../../../media/grid/name-plate.ts';
import { plateGlyphs } from '../../../media/grid/name-text.ts';

const written = (name: string): string =>
  plateGlyphs(name)
    .map(({ letter, marks }) => letter + marks.join(''))
    .join('')
    .normalize('NFC');

describe('what a name plate says', () => {
  it.each([
    ['Anna Müller', 'Anna Müller'],
    ['Łukasz Żółć', 'Łukasz Żółć'],
    ['Jürgen Groß', 'Jürgen Groß'],
    ['Чарли Жуков', 'Charli Zhukov'],
    ['Сергей', 'Sergey'],
    ['Ελένη', 'Eléni'],
    ['Æsa Þór', 'Aesa Thór'],
    ['“Bob”…', '"Bob"...'],
    ['ﬁona ①', 'fiona 1'],
  ])('%s is written %s', (name, plate) => {
    expect(written(name)).toBe(plate);
  });

  it('what cannot be written is a box for each character', () => {
    expect(written('山田 T')).toBe('\ufffd\ufffd T');
  });

  it('controls, directions and runs of blanks are not written', () => {
    expect(written('  a\u202e\u0007b \t c\u200d ')).toBe('ab c');
  });

  it('is of bounded length, and says that there was more', () => {
    expect(written('x'.repeat(25))).toBe(`${'x'.repeat(22)}..`);
    expect(written('x'.repeat(24))).toBe('x'.repeat(24));
  });

  it('marks are not heaped on a letter without an end', () => {
    expect(plateGlyphs(`a${'\u0301'.repeat(100)}`)[0]!.marks.length).toBeLessThanOrEqual(2);
  });

  it('any name is drawn within its width', () => {
    const width = fc.integer({ min: 8, max: 600 });
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), width, (name, maxWidth) => {
        const mask = drawName(name, 2, maxWidth);
        expect(mask.width).toBeLessThanOrEqual(maxWidth + 1);
        expect(mask.alpha).toHaveLength(mask.width * mask.height);
      }),
    );
  });

  it('every printable character of ASCII has a shape of its own', () => {
    const shapes = Array.from({ length: 94 }, (_, index) => String.fromCharCode(33 + index)).map(
      (character) => {
        const { width, height, alpha } = drawName(character, 4, 200);

        return `${width}x${height}:${Buffer.from(alpha).toString('base64')}`;
      },
    );
    // ^ and ~ aside, what is drawn the same reads the same.
    expect(new Set(shapes).size).toBe(94);
  });
});
