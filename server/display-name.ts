export const MAX_NAME_LENGTH = 64;

/** A name as it may be shown: no control or text-direction characters, no runs of blanks, bounded, never empty. */
export function toDisplayName(name: string, fallback: string): string {
  const clean = name
    .slice(0, 4 * MAX_NAME_LENGTH)
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]+/gu, ' ')
    .replace(/\s+/gu, ' ')
    .trim();
  const bounded = [...clean].slice(0, MAX_NAME_LENGTH).join('').trim();

  return bounded === '' ? fallback : bounded;
}
