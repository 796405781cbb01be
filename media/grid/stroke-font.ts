/**
 * The letters of name plates, as lines on a grid: two digits are a point (x 0 … 4, y 0 … 8 with the
 * capital's top at 0, the small letters' at 2 and the base line at 6), points that follow one
 * another a stroke, and a stroke of one point a dot. An own font, so that the plates need neither a
 * font file nor a library that reads one, and look the same on every machine.
 */

const STROKES: Readonly<Record<string, string>> = {
  A: '06-20-46 14-34',
  B: '00-06-36-45-44-33-03 33-42-41-30-00',
  C: '41-30-10-01-05-16-36-45',
  D: '00-06-26-44-42-20-00',
  E: '40-00-06-46 03-33',
  F: '40-00-06 03-33',
  G: '41-30-10-01-05-16-36-45-43-23',
  H: '00-06 40-46 03-43',
  I: '10-30 20-26 16-36',
  J: '40-45-36-16-05',
  K: '00-06 40-03-46',
  L: '00-06-46',
  M: '06-00-23-40-46',
  N: '06-00-46-40',
  O: '10-01-05-16-36-45-41-30-10',
  P: '06-00-30-41-42-33-03',
  Q: '10-01-05-16-36-45-41-30-10 24-46',
  R: '06-00-30-41-42-33-03 23-46',
  S: '41-30-10-01-02-13-33-44-45-36-16-05',
  T: '00-40 20-26',
  U: '00-05-16-36-45-40',
  V: '00-26-40',
  W: '00-16-23-36-40',
  X: '00-46 40-06',
  Y: '00-23-40 23-26',
  Z: '00-40-06-46',
  a: '12-32-43-46 44-14-05-16-36-45',
  b: '00-06 03-12-32-43-45-36-16-05',
  c: '43-32-12-03-05-16-36-45',
  d: '40-46 43-32-12-03-05-16-36-45',
  e: '04-44-43-32-12-03-05-16-36-45',
  f: '30-20-11-16 02-32',
  g: '43-32-12-03-05-16-36-45 42-47-38-18-07',
  h: '00-06 03-12-32-43-46',
  i: '22-26 20',
  j: '32-37-28-18 30',
  k: '00-06 32-04-36',
  l: '20-26',
  m: '02-06 03-12-23-26 23-32-43-46',
  n: '02-06 03-12-32-43-46',
  o: '12-03-05-16-36-45-43-32-12',
  p: '02-08 03-12-32-43-45-36-16-05',
  q: '42-48 43-32-12-03-05-16-36-45',
  r: '02-06 04-13-22-32',
  s: '42-12-03-14-34-45-36-06',
  t: '10-15-26-36 02-32',
  u: '02-05-16-36-45 42-46',
  v: '02-26-42',
  w: '02-16-23-36-42',
  x: '02-46 42-06',
  y: '02-26 42-08',
  z: '02-42-06-46',
  '0': '10-01-05-16-36-45-41-30-10 14-32',
  '1': '11-20-26 16-36',
  '2': '01-10-30-41-42-06-46',
  '3': '01-10-30-41-42-33-44-45-36-16-05 13-33',
  '4': '36-30-04-44',
  '5': '40-00-02-32-43-45-36-06',
  '6': '40-10-01-05-16-36-45-44-33-13-04',
  '7': '00-40-16',
  '8': '10-01-02-13-33-42-41-30-10 13-04-05-16-36-45-44-33',
  '9': '42-33-13-02-01-10-30-41-45-36-06',
  '.': '26',
  ',': '25-17',
  '-': '13-33',
  _: '07-47',
  "'": '20-21',
  '"': '10-11 30-31',
  '!': '20-24 26',
  '?': '01-10-30-41-42-23-24 26',
  '(': '30-12-14-36',
  ')': '10-32-34-16',
  ':': '23 26',
  ';': '23 26-17',
  '/': '40-06',
  '\\': '00-46',
  '&': '46-12-11-20-31-04-05-16-26-44',
  '@': '34-14-12-32-34-44-41-30-10-01-05-16-46',
  '+': '21-25 03-43',
  '=': '02-42 04-44',
  '*': '21-25 02-44 42-04',
  '#': '10-16 30-36 02-42 04-44',
  $: '41-30-10-01-02-13-33-44-45-36-16-05 20-26',
  '%': '40-06 00-10-11-01-00 35-45-46-36-35',
  '<': '40-03-46',
  '>': '00-43-06',
  '[': '30-10-16-36',
  ']': '10-30-36-16',
  '{': '30-21-22-13-24-25-36',
  '}': '10-21-22-33-24-25-16',
  '|': '20-27',
  '^': '02-20-42',
  '~': '03-12-34-43',
  '`': '10-21',
  ß: '06-01-10-30-31-22-33-44-45-36-26',
  Ø: '10-01-05-16-36-45-41-30-10 40-06',
  ø: '12-03-05-16-36-45-43-32-12 42-06',
  Ł: '00-06-46 04-22',
  ł: '20-26 14-32',
  Đ: '00-06-26-44-42-20-00 03-23',
  đ: '40-46 43-32-12-03-05-16-36-45 21-41',
  ı: '22-26',
  ȷ: '32-37-28-18',
  /** For what has no letter here. */
  '\ufffd': '00-40-46-06-00',
};

/** Combining marks, as they stand over a small letter. */
const MARKS_ABOVE: Readonly<Record<string, string>> = {
  '\u0300': '10-21',
  '\u0301': '30-21',
  '\u0302': '11-20-31',
  '\u0303': '01-10-31-40',
  '\u0304': '10-30',
  '\u0306': '10-21-30',
  '\u0307': '20',
  '\u0308': '10 30',
  '\u030a': '20-30-31-21-20',
  '\u030b': '20-11 40-31',
  '\u030c': '10-21-30',
};
const MARKS_BELOW: Readonly<Record<string, string>> = {
  '\u0323': '28',
  '\u0326': '27-18',
  '\u0327': '26-27-18',
  '\u0328': '36-27-38',
};

const SMALL = /^[acegijmnopqrsuvwxyzıȷø]$/;

/** From x0/y0 to x1/y1; the two may be the same. */
export type Segment = readonly [x0: number, y0: number, x1: number, y1: number];

export function hasGlyph(letter: string): boolean {
  return letter in STROKES;
}

export function hasMark(mark: string): boolean {
  return mark in MARKS_ABOVE || mark in MARKS_BELOW;
}

/** The lines of a letter with its combining marks; y goes from −2 to 8. */
export function glyphSegments(letter: string, marks: readonly string[]): Segment[] {
  const above = marks.some((mark) => mark in MARKS_ABOVE);
  const shape = above && letter === 'i' ? 'ı' : above && letter === 'j' ? 'ȷ' : letter;
  const lift = SMALL.test(shape) ? 0 : -2;

  return [
    ...segments(STROKES[shape] ?? '', 0),
    ...marks.flatMap((mark) => segments(MARKS_ABOVE[mark] ?? '', lift)),
    ...marks.flatMap((mark) => segments(MARKS_BELOW[mark] ?? '', 0)),
  ];
}

function segments(strokes: string, lift: number): Segment[] {
  return strokes
    .split(' ')
    .filter((stroke) => stroke !== '')
    .flatMap((stroke) => {
      const points = stroke.split('-').map((point) => [Number(point[0]), Number(point[1]) + lift]);

      return points.slice(points.length > 1 ? 1 : 0).map((to, index): Segment => {
        const from = points[index]!;

        return [from[0]!, from[1]!, to[0]!, to[1]!];
      });
    });
}
