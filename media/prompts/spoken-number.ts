/** The words of a number, as names of recordings below `digits/`. Pure. */

/** Between tens and ones (31: trente **et** un, treinta **y** uno). */
const LINKS: Readonly<Record<string, (tens: number, ones: number) => string | undefined>> = {
  fr: (tens, ones) => (ones === 1 && tens < 80 ? 'et' : undefined),
  es: (tens) => (tens > 20 ? 'and' : undefined),
};

/** French counts on in twenties from 60 and from 80. */
const TWENTIES: Readonly<Record<string, readonly number[]>> = { fr: [60, 80] };

/**
 * `has` tells which recordings there are: a number with one of its own is that word. A number out of
 * 0 … 999 is spoken digit by digit.
 */
export function spokenNumber(
  value: number,
  language: string,
  has: (word: string) => boolean,
): string[] {
  const words = compose(value, language, has);

  return words ?? [...String(value)].filter((digit) => /[0-9]/.test(digit));
}

function compose(
  value: number,
  language: string,
  has: (word: string) => boolean,
): string[] | undefined {
  if (!Number.isInteger(value) || value < 0 || value > 999) return undefined;
  if (has(String(value))) return [String(value)];
  if (value >= 100) return hundreds(value, language, has);
  const base = TWENTIES[language]?.findLast((start) => value > start && value < start + 20);
  const tens = base ?? value - (value % 10);
  const ones = value - tens;
  if (tens === 0 || !has(String(tens)) || !has(String(ones))) return undefined;
  const link = LINKS[language]?.(tens, base === undefined ? ones : ones % 10);

  return [String(tens), ...(link !== undefined && has(link) ? [link] : []), String(ones)];
}

function hundreds(
  value: number,
  language: string,
  has: (word: string) => boolean,
): string[] | undefined {
  const count = Math.floor(value / 100);
  const whole = String(count * 100);
  const rest = value % 100;
  const ofRest = rest === 0 ? [] : compose(rest, language, has);
  if (ofRest === undefined) return undefined;
  if (has(whole)) return [whole, ...ofRest];
  const one = count > 1 || language === 'en' ? [String(count)] : [];
  // "Ciento", where the hundred has a word of its own before more.
  if (count === 1 && rest > 0 && has('100-and')) return ['100-and', ...ofRest];

  return has('hundred') ? [...one, 'hundred', ...ofRest] : undefined;
}
