/**
 * Bodies of several parts (RFC 2046 5.1, RFC 5621): a gateway of the telephone network sends ISUP beside
 * its SDP, a call to an emergency number its location.
 */
import { SipHeaders } from './headers.ts';
import { parseMediaType } from './media-type.ts';
import { findHeadEnd, readHeaders } from './parser.ts';
import type { SipMessage } from './sip-message.ts';

export interface BodyPart {
  /** In lower case; "text/plain" of a part that does not say. */
  readonly type: string;
  readonly disposition: string | undefined;
  readonly encoding: string | undefined;
  readonly content: Uint8Array;
}

const MAX_PARTS = 16;
const CR = 0x0d;
const LF = 0x0a;

/** "Unrecognized subtypes … treated as … multipart/mixed" (RFC 2046 5.1.7). */
export function isMultipart(message: SipMessage): boolean {
  return message.contentType?.type.startsWith('multipart/') === true;
}

/** Undefined for a body that is no multipart, or a malformed one. */
export function bodyParts(message: SipMessage): readonly BodyPart[] | undefined {
  const boundary = isMultipart(message) ? message.contentType?.params.get('boundary') : undefined;
  if (boundary === undefined || boundary === '') return undefined;
  const { buffer, byteOffset, byteLength } = message.body;
  const bytes = Buffer.from(buffer, byteOffset, byteLength);
  // One character an octet, so that places are the same in both.
  const text = bytes.toString('latin1');
  const delimiter = `--${boundary}`;
  const parts: BodyPart[] = [];
  let at = findDelimiter(text, delimiter, 0);
  while (at >= 0 && parts.length <= MAX_PARTS) {
    if (text.startsWith('--', at + delimiter.length)) return parts;
    const lineEnd = text.indexOf('\n', at);
    const next = lineEnd < 0 ? -1 : findDelimiter(text, delimiter, lineEnd);
    const part = next < 0 ? undefined : readPart(bytes.subarray(lineEnd + 1, next));
    if (part === undefined) return undefined;
    parts.push(part);
    at = next;
  }

  return undefined;
}

/** At the beginning of a line. */
function findDelimiter(text: string, delimiter: string, from: number): number {
  if (from === 0 && text.startsWith(delimiter)) return 0;
  const at = text.indexOf(`\n${delimiter}`, from);

  return at < 0 ? -1 : at + 1;
}

/** With the line end that belongs to the next delimiter. */
function readPart(bytes: Buffer): BodyPart | undefined {
  const isBare = bytes[0] === LF || (bytes[0] === CR && bytes[1] === LF);
  const head = isBare ? { headEnd: 0, bodyStart: bytes[0] === CR ? 2 : 1 } : findHeadEnd(bytes, 0);
  if (head === undefined) return undefined;
  const headers = new SipHeaders();
  if (readHeaders(bytes.toString('utf8', 0, head.headEnd), 0, headers) !== undefined) {
    return undefined;
  }
  const type = parseMediaType(headers.get('Content-Type') ?? 'text/plain')?.type;
  if (type === undefined) return undefined;
  const lineEnd = bytes.at(-2) === CR ? 2 : 1;

  return {
    type,
    disposition: headers.get('Content-Disposition'),
    encoding: headers.get('Content-Transfer-Encoding')?.toLowerCase(),
    content: bytes.subarray(head.bodyStart, Math.max(head.bodyStart, bytes.length - lineEnd)),
  };
}
