import type { SipMessage, SipRequest, SipResponse } from './sip-message.ts';
import { parseCSeq } from './cseq.ts';
import { parseNameAddr } from './name-addr.ts';
import { parseVia } from './via.ts';

/** Headers that every message has exactly once (RFC 3261 8.1.1). */
const ONCE = ['from', 'to', 'call-id', 'cseq'] as const;
/** Headers that may come once at most. */
const AT_MOST_ONCE = ['max-forwards', 'content-type', 'expires', 'event'] as const;
const NAME_ADDR_LISTS = ['route', 'record-route'] as const;

/** What makes this request one to answer with 400, in words. */
export function checkRequest(request: SipRequest): string | undefined {
  const common = checkCommon(request);
  if (common !== undefined) return common;
  // RFC 3261 8.1.1.5: "The method MUST match that of the request."
  if (request.cseq.method !== request.method) return 'CSeq method differs from the request';
  for (const key of AT_MOST_ONCE) {
    if (request.headers.count(key) > 1) return `More than one ${key}`;
  }
  if (request.headers.has('max-forwards') && request.maxForwards === undefined) {
    return 'Malformed Max-Forwards';
  }
  if (request.headers.has('content-type') && request.contentType === undefined) {
    return 'Malformed Content-Type';
  }
  for (const key of NAME_ADDR_LISTS) {
    if (request.headers.typedList(key, parseNameAddr) === undefined) return `Malformed ${key}`;
  }

  return checkContact(request);
}

/**
 * Of a response only what matching and routing need is checked: it cannot be answered, and dropping
 * one for a header that nobody asks for would lose the call.
 */
export function checkResponse(response: SipResponse): string | undefined {
  return checkCommon(response);
}

function checkCommon(message: SipMessage): string | undefined {
  const { headers } = message;
  for (const key of ONCE) {
    const count = headers.count(key);
    if (count !== 1) return count === 0 ? `No ${key}` : `More than one ${key}`;
  }
  const vias = headers.typedList('via', parseVia);
  if (vias === undefined) return 'Malformed Via';
  if (vias.length === 0) return 'No Via';
  if (vias[0]!.version !== '2.0') return 'Unknown version in Via';
  if (headers.typed('from', parseNameAddr) === undefined) return 'Malformed From';
  if (headers.typed('to', parseNameAddr) === undefined) return 'Malformed To';
  if (headers.typed('cseq', parseCSeq) === undefined) return 'Malformed CSeq';
  if (!isTagOk(message.fromTag) || !isTagOk(message.toTag)) return 'Malformed tag';
  if (!isCallId(message.callId)) return 'Malformed Call-ID';

  return undefined;
}

function isTagOk(tag: string | undefined): boolean {
  return tag === undefined || tag.length > 0;
}

/** `callid = word [ "@" word ]`: nothing blank in it. */
function isCallId(text: string): boolean {
  if (text === '') return false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code <= 0x20 || code === 0x2c || code === 0x3b || code === 0x7f) return false;
  }

  return true;
}

function checkContact(request: SipRequest): string | undefined {
  if (!request.headers.has('contact')) return undefined;
  // 10.2.2: "*" only in a REGISTER; whether it stands alone the registrar decides.
  if (request.hasWildcardContact && request.method === 'REGISTER') return undefined;

  return request.headers.typedList('contact', parseNameAddr) === undefined
    ? 'Malformed Contact'
    : undefined;
}
