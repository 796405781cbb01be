import { hash, randomBytes, randomFillSync } from 'node:crypto';
import { formatCSeq } from './cseq.ts';
import { formatNameAddr, type NameAddr } from './name-addr.ts';
import { NO_BODY, requireUri, SipRequest, SipResponse } from './sip-message.ts';
import { SipHeaders } from './headers.ts';
import { reasonPhrase } from './status-code.ts';
import type { Uri } from './uri.ts';
import { BRANCH_COOKIE } from './via.ts';

export type ExtraHeaders = Iterable<readonly [name: string, value: string]>;

export interface MessageBody {
  /** "application/sdp" */
  readonly type: string;
  readonly content: Uint8Array | string;
}

export interface RequestParts {
  readonly method: string;
  readonly uri: Uri | string;
  readonly from: NameAddr | string;
  readonly to: NameAddr | string;
  readonly callId: string;
  readonly cseq: number;
  readonly contact?: NameAddr | string | undefined;
  /** In the order they are written. */
  readonly routes?: readonly (NameAddr | string)[] | undefined;
  readonly maxForwards?: number | undefined;
  readonly headers?: ExtraHeaders | undefined;
  readonly body?: MessageBody | undefined;
}

/** A request without its Via, which the transaction and transport layers add. */
export function buildRequest(parts: RequestParts): SipRequest {
  const uri = typeof parts.uri === 'string' ? requireUri(parts.uri) : parts.uri;
  const headers = new SipHeaders();
  for (const route of parts.routes ?? []) headers.append('Route', nameAddrText(route));
  // RFC 3261 8.1.1.6: the value SHOULD be 70.
  headers.append('Max-Forwards', String(parts.maxForwards ?? 70));
  headers.append('From', nameAddrText(parts.from));
  headers.append('To', nameAddrText(parts.to));
  headers.append('Call-ID', parts.callId);
  headers.append('CSeq', formatCSeq({ sequence: parts.cseq, method: parts.method }));
  if (parts.contact !== undefined) headers.append('Contact', nameAddrText(parts.contact));
  for (const [name, value] of parts.headers ?? []) headers.append(name, value);

  return new SipRequest(parts.method, uri, headers, addBody(headers, parts.body));
}

export interface ResponseParts {
  readonly reason?: string | undefined;
  /** Put on To when the request has none; without it one is derived from the request. */
  readonly toTag?: string | undefined;
  readonly contact?: NameAddr | string | undefined;
  readonly headers?: ExtraHeaders | undefined;
  readonly body?: MessageBody | undefined;
}

/** Requests whose 101–2xx can create a dialog and so carry Record-Route back (12.1.1, RFC 6665, 3515). */
const DIALOG_METHODS: ReadonlySet<string> = new Set(['INVITE', 'SUBSCRIBE', 'REFER', 'NOTIFY']);

/** A response as RFC 3261 8.2.6 wants it: Via, From, To, Call-ID and CSeq come from the request. */
export function buildResponse(
  request: SipRequest,
  status: number,
  parts: ResponseParts = {},
): SipResponse {
  const headers = new SipHeaders();
  for (const via of request.headers.getAll('via')) headers.append('Via', via);
  const makesDialog = status > 100 && status < 300 && DIALOG_METHODS.has(request.method);
  if (makesDialog) {
    for (const route of request.headers.getAll('record-route')) {
      headers.append('Record-Route', route);
    }
  }
  copyField(request, headers, 'From');
  headers.append('To', toWithTag(request, status, parts.toTag));
  copyField(request, headers, 'Call-ID');
  copyField(request, headers, 'CSeq');
  // 8.2.6.1: "any Timestamp header field present in the request MUST be copied into this 100".
  if (status === 100) copyField(request, headers, 'Timestamp');
  if (parts.contact !== undefined) headers.append('Contact', nameAddrText(parts.contact));
  for (const [name, value] of parts.headers ?? []) headers.append(name, value);
  const body = addBody(headers, parts.body);

  return new SipResponse(status, parts.reason ?? reasonPhrase(status), headers, body);
}

function copyField(request: SipRequest, headers: SipHeaders, name: string): void {
  const value = request.headers.get(name);
  if (value !== undefined) headers.append(name, value);
}

function toWithTag(request: SipRequest, status: number, tag: string | undefined): string {
  const to = request.headers.get('to') ?? '';
  // A malformed To (answered with 400) is returned as it came.
  const parsed = to === '' ? undefined : safeToTag(request);
  if (status === 100 || parsed === undefined || parsed.tag !== undefined) return to;

  return `${to};tag=${tag ?? derivedToTag(request)}`;
}

function safeToTag(request: SipRequest): { tag: string | undefined } | undefined {
  try {
    return { tag: request.toTag };
  } catch {
    return undefined;
  }
}

const tagSecret = randomBytes(16).toString('hex');

/**
 * A To tag that is the same for every response to one request, retransmissions included, and to its CANCEL,
 * with nothing stored (RFC 3261 8.2.6.2, 8.2.7 and 9.2: "the same To tag").
 */
export function derivedToTag(request: SipRequest): string {
  const { headers } = request;
  const sequence = /^[0-9]*/.exec(headers.get('cseq') ?? '')![0];
  const parts = [
    tagSecret,
    headers.get('call-id'),
    headers.get('from'),
    sequence,
    headers.get('via'),
  ];

  return hash('sha256', parts.join('\n'), 'base64url').slice(0, 16);
}

function addBody(headers: SipHeaders, body: MessageBody | undefined): Uint8Array {
  if (body === undefined) return NO_BODY;
  headers.set('Content-Type', body.type);

  return typeof body.content === 'string' ? Buffer.from(body.content, 'utf8') : body.content;
}

function nameAddrText(value: NameAddr | string): string {
  return typeof value === 'string' ? value : formatNameAddr(value);
}

/** RFC 3261 19.3: "globally unique and cryptographically random with at least 32 bits". */
export function newTag(): string {
  return randomText(9);
}

export function newCallId(): string {
  return randomText(15);
}

export function newBranch(): string {
  return BRANCH_COOKIE + randomText(12);
}

/** Drawn in stock, as each draw of the system costs more than all else in making a tag. */
const stock = Buffer.alloc(4_096);
let used = stock.length;

function randomText(bytes: number): string {
  if (used + bytes > stock.length) {
    randomFillSync(stock);
    used = 0;
  }
  used += bytes;

  return stock.toString('base64url', used - bytes, used);
}
