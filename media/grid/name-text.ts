/** What a name plate says: a name in the letters that can be drawn, of bounded length. */
import { hasGlyph, hasMark } from './stroke-font.ts';

/** A letter and what is written over and under it. */
export interface Glyph {
  letter: string;
  marks: string[];
}

/** Letters on a plate; a plate may be too narrow for as many. */
const MAX_GLYPHS = 24;
/** Of the name that is looked at: marks can be put over one letter without an end. */
const MAX_NAME = 256;
const MAX_MARKS = 2;

/** Letter by letter: what is not in it keeps its shape or has none. */
const ROMANISED: Readonly<Record<string, string>> = {
  ...pairs('а a б b в v г g д d е e ж zh з z и i к k л l м m н n о o п p р r с s т t у u ф f'),
  ...pairs('х kh ц ts ч ch ш sh щ shch ы y э e ю yu я ya і i є ye ґ g ђ dj ј j љ lj њ nj ћ c џ dz'),
  ...pairs('α a β v γ g δ d ε e ζ z η i θ th ι i κ k λ l μ m ν n ξ x ο o π p ρ r σ s ς s τ t υ y'),
  ...pairs('φ f χ ch ψ ps ω o æ ae œ oe þ th ð d'),
  ъ: '',
  ь: '',
  '…': '...',
  '–': '-',
  '—': '-',
  '‐': '-',
  '‘': "'",
  '’': "'",
  '“': '"',
  '”': '"',
  '„': '"',
};

/** Never empty when `name` says anything at all: what cannot be written becomes a box. */
export function plateGlyphs(name: string): Glyph[] {
  const glyphs: Glyph[] = [];
  for (const character of decompose(name)) {
    if (/^\p{M}$/u.test(character)) addMark(glyphs, character);
    else if (/^\s$/u.test(character)) addBlank(glyphs);
    // Joiners, controls and directions are not seen anywhere.
    else if (!/^\p{C}$/u.test(character)) glyphs.push(...lettersOf(character));
    if (glyphs.length > MAX_GLYPHS + 1) break;
  }
  while (glyphs.at(-1)?.letter === ' ') glyphs.pop();

  return shorten(glyphs, MAX_GLYPHS);
}

/** At most `count`, of which the last say that there was more. */
export function shorten(glyphs: readonly Glyph[], count: number): Glyph[] {
  if (glyphs.length <= count) return [...glyphs];
  const dots = Math.min(2, count);

  return [
    ...glyphs.slice(0, count - dots),
    ...Array.from({ length: dots }, () => ({ letter: '.', marks: [] })),
  ];
}

/** й and ї keep being what they are called, not и and і with a mark. */
function decompose(name: string): string {
  return name
    .slice(0, MAX_NAME)
    .normalize('NFC')
    .replace(/[йЙ]/gu, (letter) => (letter === 'й' ? 'y' : 'Y'))
    .replace(/[ёЁ]/gu, (letter) => (letter === 'ё' ? 'ë' : 'Ë'))
    .normalize('NFKD');
}

function addMark(glyphs: readonly Glyph[], mark: string): void {
  const last = glyphs.at(-1);
  if (last !== undefined && hasMark(mark) && last.marks.length < MAX_MARKS) last.marks.push(mark);
}

function addBlank(glyphs: Glyph[]): void {
  if (glyphs.length > 0 && glyphs.at(-1)?.letter !== ' ') glyphs.push({ letter: ' ', marks: [] });
}

function lettersOf(character: string): Glyph[] {
  if (hasGlyph(character)) return [{ letter: character, marks: [] }];
  const small = character.toLowerCase();
  const roman = ROMANISED[character] ?? ROMANISED[small];
  if (roman === undefined) return [{ letter: '\ufffd', marks: [] }];
  const text = character === small ? roman : roman.charAt(0).toUpperCase() + roman.slice(1);

  return [...text].map((letter) => ({ letter, marks: [] }));
}

function pairs(list: string): Record<string, string> {
  const words = list.split(' ');

  return Object.fromEntries(
    words.flatMap((word, index) => (index % 2 === 0 ? [[word, words[index + 1] ?? '']] : [])),
  );
}
