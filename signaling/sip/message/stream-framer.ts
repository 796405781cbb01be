import { findHeadEnd, MAX_MESSAGE_BYTES, skipEmptyLines } from './parser.ts';
import { parseDigits } from './lexer.ts';

/** What a stream yields. After `fault` nothing more can be read from it. */
export type Frame =
  | { readonly kind: 'message'; readonly bytes: Uint8Array }
  /** CRLF CRLF between messages: RFC 5626 4.4.1, answered with CRLF. */
  | { readonly kind: 'ping' }
  /** `bytes` has the head, if that much came, so that a request can still be answered. */
  | { readonly kind: 'fault'; readonly reason: string; readonly bytes: Uint8Array | undefined };

export const MAX_HEAD_BYTES = 32_768;

const INITIAL_BYTES = 2_048;

/** Cuts a TCP or TLS stream into messages by Content-Length (RFC 3261 18.3), in bounded memory. */
export class StreamFramer {
  #buffer = Buffer.allocUnsafe(INITIAL_BYTES);
  #end = 0;
  /** Up to here the head has no end. */
  #scanned = 0;
  #needed: number | undefined;
  #failed = false;

  /** Bytes of a message that is not complete. */
  get pendingBytes(): number {
    return this.#end;
  }

  push(chunk: Uint8Array): Frame[] {
    const frames: Frame[] = [];
    // A large segment is taken in parts, so that the buffer never outgrows one message.
    for (let at = 0; at < chunk.length && !this.#failed; at += MAX_MESSAGE_BYTES) {
      this.#append(chunk.subarray(at, at + MAX_MESSAGE_BYTES));
      this.#drain(frames);
    }

    return frames;
  }

  #append(chunk: Uint8Array): void {
    const needed = this.#end + chunk.length;
    if (needed > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
      larger.set(this.#buffer.subarray(0, this.#end));
      this.#buffer = larger;
    }
    this.#buffer.set(chunk, this.#end);
    this.#end = needed;
  }

  #drain(frames: Frame[]): void {
    let start = 0;
    while (start < this.#end && !this.#failed) {
      const next = this.#needed === undefined ? this.#readHead(start, frames) : start;
      if (next === undefined) break;
      start = next;
      if (this.#needed === undefined || this.#end - start < this.#needed) break;
      const bytes = Uint8Array.prototype.slice.call(this.#buffer, start, start + this.#needed);
      frames.push({ kind: 'message', bytes });
      start += this.#needed;
      this.#needed = undefined;
      this.#scanned = start;
    }
    this.#discard(start);
  }

  /** Sets the length of the message at the returned index; undefined when there is none to read. */
  #readHead(start: number, frames: Frame[]): number | undefined {
    const view = this.#buffer.subarray(0, this.#end);
    const first = this.#skipKeepAlives(view, start, frames);
    if (first === this.#end) return first;
    const head = findHeadEnd(view, Math.max(first, this.#scanned - 3));
    if (head === undefined) {
      this.#scanned = this.#end;
      if (this.#end - first > MAX_HEAD_BYTES) this.#fail(frames, 'Head too large', undefined);

      return first;
    }
    const bytes = view.subarray(first, head.bodyStart);
    if (bytes.length > MAX_HEAD_BYTES) return this.#fail(frames, 'Head too large', undefined);
    const length = contentLength(bytes);
    if (typeof length === 'string') {
      return this.#fail(frames, length, Uint8Array.prototype.slice.call(bytes));
    }
    this.#needed = bytes.length + length;

    return first;
  }

  #skipKeepAlives(view: Uint8Array, start: number, frames: Frame[]): number {
    const first = skipEmptyLines(view, start);
    let lines = 0;
    for (let at = start; at < first; at++) if (view[at] === 0x0a) lines++;
    if (lines >= 2) frames.push({ kind: 'ping' });
    // A lone CRLF at the end may be the first half of a ping.
    if (first === view.length && lines === 1 && first - start <= 3) return start;
    if (first > this.#scanned) this.#scanned = first;

    return first;
  }

  #fail(frames: Frame[], reason: string, bytes: Uint8Array | undefined): undefined {
    this.#failed = true;
    frames.push({ kind: 'fault', reason, bytes });
  }

  #discard(start: number): void {
    if (start === 0) return;
    this.#buffer.copyWithin(0, start, this.#end);
    this.#end -= start;
    this.#scanned = Math.max(0, this.#scanned - start);
    if (this.#end === 0 && this.#buffer.length > MAX_MESSAGE_BYTES) {
      this.#buffer = Buffer.allocUnsafe(INITIAL_BYTES);
    }
  }
}

/** The one Content-Length of a head, or what is wrong with it. */
function contentLength(head: Uint8Array): number | string {
  const text = Buffer.from(head.buffer, head.byteOffset, head.length).toString('latin1');
  let found: string | undefined;
  for (const match of text.matchAll(/\n(?:content-length|l)[ \t]*:([^\n]*(?:\n[ \t][^\n]*)*)/gi)) {
    const value = match[1]!.trim();
    if (found !== undefined && found !== value) return 'Conflicting Content-Length';
    found = value;
  }
  if (found === undefined) return 'No Content-Length on a stream';
  const length = parseDigits(found, MAX_MESSAGE_BYTES);
  if (length === undefined) return 'Malformed Content-Length';

  return head.length + length > MAX_MESSAGE_BYTES ? 'Message too large' : length;
}
