/** Character classes and small scanners of RFC 3261 25.1, shared by the parsers of this folder. */

const TOKEN = 1;
const DIGIT = 2;
const classes = new Uint8Array(128);
for (const char of "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.!%*_+`'~") {
  classes[char.charCodeAt(0)]! |= TOKEN;
}
for (const char of '0123456789') classes[char.charCodeAt(0)]! |= DIGIT;

export function isTokenChar(code: number): boolean {
  return code < 128 && (classes[code]! & TOKEN) !== 0;
}

export function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

export function isToken(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (!isTokenChar(text.charCodeAt(i))) return false;

  return text !== '';
}

/** Digits alone, at most `max`: the number, else undefined. */
export function parseDigits(text: string, max: number): number | undefined {
  if (text === '' || text.length > 20) return undefined;
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (!isDigit(code)) return undefined;
    value = value * 10 + (code - 0x30);
  }

  return value <= max ? value : undefined;
}

/** The index after the quoted string that starts at `start`, -1 when it has no end. */
export function skipQuoted(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x5c) at++;
    else if (code === 0x22) return at + 1;
  }

  return -1;
}

/** The content of a quoted string, quoted-pairs resolved. */
export function unquote(quoted: string): string {
  const inner = quoted.slice(1, -1);
  if (!inner.includes('\\')) return inner;
  let text = '';
  for (let i = 0; i < inner.length; i++) {
    if (inner.charCodeAt(i) === 0x5c && i + 1 < inner.length) i++;
    text += inner[i]!;
  }

  return text;
}

export function quote(text: string): string {
  let quoted = '"';
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    quoted += char === '"' || char === '\\' ? `\\${char}` : char;
  }

  return `${quoted}"`;
}

/**
 * Splits a list header at its commas, not at those inside quotes or angle brackets. Elements are
 * trimmed; undefined when a quoted string has no end.
 */
export function splitList(text: string): string[] | undefined {
  if (!text.includes(',')) return [text.trim()];
  const parts: string[] = [];
  let start = 0;
  let inAngle = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22 && !inAngle) {
      const end = skipQuoted(text, at);
      if (end < 0) return undefined;
      at = end - 1;
    } else if (code === 0x3c) inAngle = true;
    else if (code === 0x3e) inAngle = false;
    else if (code === 0x2c && !inAngle) {
      parts.push(text.slice(start, at).trim());
      start = at + 1;
    }
  }
  parts.push(text.slice(start).trim());

  return parts;
}
