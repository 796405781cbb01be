import { isToken } from './lexer.ts';
import type { SipMessage } from './sip-message.ts';

/**
 * The message as bytes. Content-Length always is what the body has. A value with CR or LF in it would
 * let somebody write header fields of his own, so it throws: such a value must never get this far.
 */
export function serializeMessage(message: SipMessage): Uint8Array {
  let head: string;
  if (message.kind === 'request') {
    if (!isToken(message.method)) throw new TypeError('the method is no token');
    head = `${message.method} ${oneLine(message.uri.text)} SIP/2.0\r\n`;
  } else {
    head = `SIP/2.0 ${String(message.status)} ${oneLine(message.reason)}\r\n`;
  }
  for (const field of message.headers) {
    if (field.key !== 'content-length') head += `${field.name}: ${oneLine(field.value)}\r\n`;
  }
  const { body } = message;
  head += `Content-Length: ${String(body.length)}\r\n\r\n`;
  if (body.length === 0) return Buffer.from(head, 'utf8');
  const headLength = Buffer.byteLength(head, 'utf8');
  const bytes = Buffer.allocUnsafe(headLength + body.length);
  bytes.write(head, 0, 'utf8');
  bytes.set(body, headLength);

  return bytes;
}

function oneLine(value: string): string {
  if (value.includes('\r') || value.includes('\n')) {
    throw new TypeError(`line break in a SIP header: ${JSON.stringify(value.slice(0, 80))}`);
  }

  return value;
}
