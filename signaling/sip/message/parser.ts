import { headerName } from './header-names.ts';
import { SipHeaders } from './headers.ts';
import { isToken, parseDigits } from './lexer.ts';
import { ParseError } from './parse-error.ts';
import { SipRequest, SipResponse, NO_BODY, type SipMessage } from './sip-message.ts';
import { parseUri, type Uri } from './uri.ts';
import { checkRequest, checkResponse } from './validation.ts';
import { parseVia } from './via.ts';

/** Bounds of what is taken from the network. */
export const MAX_MESSAGE_BYTES = 65_536;
export const MAX_HEADER_FIELDS = 256;
export const MAX_LINE_CHARS = 8_192;

const LF = 0x0a;
const CR = 0x0d;

export interface ParseOptions {
  /** RFC 3261 20.14: on a stream Content-Length is mandatory. */
  readonly stream?: boolean;
}

/** One message out of its bytes. Never throws; what follows the body is ignored (18.3). */
export function parseMessage(
  bytes: Uint8Array,
  options: ParseOptions = {},
): SipMessage | ParseError {
  if (bytes.length > MAX_MESSAGE_BYTES) return new ParseError('Message too large', 513);
  const start = skipEmptyLines(bytes, 0);
  if (start === bytes.length) return new ParseError('Empty message');
  const head = findHeadEnd(bytes, start);
  const headEnd = head?.headEnd ?? bytes.length;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, headEnd - start).toString(
    'utf8',
  );

  const lineEnd = text.indexOf('\n');
  const startLine = stripCr(lineEnd < 0 ? text : text.slice(0, lineEnd));
  const headers = new SipHeaders();
  const headerFault = lineEnd < 0 ? undefined : readHeaders(text, lineEnd + 1, headers);
  const fault = head === undefined ? 'No empty line after the header fields' : headerFault;
  const rest = head === undefined ? NO_BODY : bytes.subarray(head.bodyStart);
  if (startLine.slice(0, 4).toUpperCase() === 'SIP/') {
    return finishResponse(startLine, headers, rest, fault, options);
  }

  return finishRequest(startLine, headers, rest, fault, options);
}

/** RFC 3261 7.5: "Implementations … MUST ignore any CRLF appearing before the start-line". */
export function skipEmptyLines(bytes: Uint8Array, start: number): number {
  let at = start;
  while (at < bytes.length && (bytes[at] === CR || bytes[at] === LF)) at++;

  return at;
}

/** Where the header fields end and the body starts; LF alone is taken for CRLF. */
export function findHeadEnd(
  bytes: Uint8Array,
  start: number,
): { headEnd: number; bodyStart: number } | undefined {
  for (let at = bytes.indexOf(LF, start); at >= 0; at = bytes.indexOf(LF, at + 1)) {
    if (bytes[at + 1] === LF) return { headEnd: at + 1, bodyStart: at + 2 };
    if (bytes[at + 1] === CR && bytes[at + 2] === LF) {
      return { headEnd: at + 1, bodyStart: at + 3 };
    }
  }

  return undefined;
}

function stripCr(line: string): string {
  return line.charCodeAt(line.length - 1) === CR ? line.slice(0, -1) : line;
}

/** Fills `headers` as far as the text is well formed; the text of the first fault is returned. */
export function readHeaders(text: string, start: number, headers: SipHeaders): string | undefined {
  let fault: string | undefined;
  let fields = 0;
  let at = start;
  while (at < text.length) {
    const [line, next] = unfoldLine(text, at);
    at = next;
    if (line === '') continue;
    fields++;
    if (fields > MAX_HEADER_FIELDS) return 'Too many header fields';
    fault ??= readField(line, headers);
  }

  return fault;
}

/** One logical line: RFC 3261 7.3.1, a fold is one SP. */
function unfoldLine(text: string, start: number): [line: string, next: number] {
  let end = text.indexOf('\n', start);
  if (end < 0) end = text.length;
  let line = stripCr(text.slice(start, end));
  let next = end + 1;
  while (next < text.length && isBlank(text.charCodeAt(next))) {
    end = text.indexOf('\n', next);
    if (end < 0) end = text.length;
    const more = stripCr(text.slice(next, end)).trim();
    if (line.length <= MAX_LINE_CHARS) line = `${line.trimEnd()} ${more}`;
    next = end + 1;
  }

  return [line, next];
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

function readField(line: string, headers: SipHeaders): string | undefined {
  if (line.length > MAX_LINE_CHARS) return 'Header field too long';
  const colon = line.indexOf(':');
  if (colon < 0) return 'Header field without a colon';
  const name = headerName(line.slice(0, colon).trimEnd());
  if (name === undefined) return 'Malformed header field name';
  const value = line.slice(colon + 1).trim();
  if (value.includes('\r')) return `CR within ${name.name}`;
  headers.appendField(name, value);

  return undefined;
}

function finishResponse(
  startLine: string,
  headers: SipHeaders,
  rest: Uint8Array,
  fault: string | undefined,
  options: ParseOptions,
): SipResponse | ParseError {
  // Status-Line = SIP-Version SP Status-Code SP Reason-Phrase CRLF; some leave the last SP out.
  const match = /^SIP\/2\.0 ([1-6][0-9]{2})(?: ([^\r]*))?$/i.exec(startLine);
  if (match === null) return new ParseError('Malformed status line');
  if (fault !== undefined) return new ParseError(fault);
  const response = new SipResponse(Number(match[1]), match[2] ?? '', headers);
  const wrong = checkResponse(response) ?? takeBody(response, rest, options);

  return wrong === undefined ? response : new ParseError(wrong);
}

function finishRequest(
  startLine: string,
  headers: SipHeaders,
  rest: Uint8Array,
  fault: string | undefined,
  options: ParseOptions,
): SipRequest | ParseError {
  const line = readRequestLine(startLine);
  if (line === undefined) return new ParseError('Malformed request line');
  const request = new SipRequest(line.method, line.uri, headers);
  const problem =
    line.problem ??
    asProblem(fault) ??
    asProblem(checkRequest(request)) ??
    asProblem(takeBody(request, rest, options));
  if (problem === undefined) return request;

  return new ParseError(problem.reason, problem.status, answerable(request));
}

interface Problem {
  readonly reason: string;
  readonly status: number;
}

function asProblem(reason: string | undefined): Problem | undefined {
  return reason === undefined ? undefined : { reason, status: 400 };
}

interface RequestLine {
  readonly method: string;
  readonly uri: Uri;
  readonly problem: Problem | undefined;
}

/** Request-Line = Method SP Request-URI SP SIP-Version; undefined when nothing can be made of it. */
function readRequestLine(line: string): RequestLine | undefined {
  const first = line.indexOf(' ');
  const trimmed = line.trimEnd();
  const last = trimmed.lastIndexOf(' ');
  if (first <= 0 || last <= first || line.length > MAX_LINE_CHARS) return undefined;
  const version = trimmed.slice(last + 1).toUpperCase();
  if (!/^SIP\/[0-9]+\.[0-9]+$/.test(version)) return undefined;
  const method = line.slice(0, first);
  if (!isToken(method)) return undefined;
  const text = line.slice(first + 1, last);
  const uri = parseUri(text);

  return {
    method,
    uri: uri ?? { scheme: 'other', schemeName: '', text },
    problem: requestLineProblem(uri, version, line.length !== trimmed.length),
  };
}

function requestLineProblem(
  uri: Uri | undefined,
  version: string,
  trailingSpace: boolean,
): Problem | undefined {
  if (version !== 'SIP/2.0') return { reason: 'Version Not Supported', status: 505 };
  if (uri === undefined) return { reason: 'Malformed Request-URI', status: 400 };
  if (trailingSpace) return { reason: 'Space after the SIP version', status: 400 };
  // RFC 3261 19.1.1: header fields are not allowed in a Request-URI.
  if ('headers' in uri && uri.headers !== undefined) {
    return { reason: 'Header fields in the Request-URI', status: 400 };
  }

  return undefined;
}

/** An answer needs a way back, be it out of a damaged Via, and may never go to an ACK. */
function answerable(request: SipRequest): SipRequest | undefined {
  if (request.method === 'ACK') return undefined;
  if (request.vias.length > 0) return request;
  const via = salvageVia(request.headers.get('via') ?? '');
  if (via === undefined) return undefined;
  const headers = request.headers.clone().set('Via', via);

  return new SipRequest(request.method, request.uri, headers);
}

/** The protocol, sent-by and branch of a Via whose rest cannot be read. */
function salvageVia(text: string): string | undefined {
  const sentBy = /^[^;,]*/.exec(text)![0];
  if (parseVia(sentBy) === undefined) return undefined;
  const branch = /;\s*branch=([A-Za-z0-9\-.!%*_+`'~]+)/i.exec(text)?.[1];

  return branch === undefined ? sentBy : `${sentBy};branch=${branch}`;
}

/** RFC 3261 18.3; returns what is wrong. */
function takeBody(
  message: SipRequest | SipResponse,
  rest: Uint8Array,
  options: ParseOptions,
): string | undefined {
  const text = message.headers.get('content-length');
  if (text === undefined) {
    if (options.stream === true) return 'No Content-Length on a stream';
    message.body = rest;

    return undefined;
  }
  const length = parseDigits(text, MAX_MESSAGE_BYTES);
  if (length === undefined || message.headers.count('content-length') > 1) {
    return 'Malformed Content-Length';
  }
  if (length > rest.length) return 'Content-Length beyond the end of the message';
  message.body = length === rest.length ? rest : rest.subarray(0, length);

  return undefined;
}
