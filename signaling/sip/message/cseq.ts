import { isToken, parseDigits } from './lexer.ts';

export interface CSeq {
  readonly sequence: number;
  readonly method: string;
}

/** RFC 3261 8.1.1.5: "The sequence number value MUST be expressible as a 32-bit unsigned integer". */
const MAX_SEQUENCE = 2 ** 32 - 1;

export function parseCSeq(text: string): CSeq | undefined {
  const value = text.trim();
  const space = value.search(/[ \t]/);
  if (space < 0) return undefined;
  const sequence = parseDigits(value.slice(0, space), MAX_SEQUENCE);
  const method = value.slice(space + 1).trimStart();
  if (sequence === undefined || !isToken(method)) return undefined;

  return { sequence, method };
}

export function formatCSeq(cseq: CSeq): string {
  return `${String(cseq.sequence)} ${cseq.method}`;
}
