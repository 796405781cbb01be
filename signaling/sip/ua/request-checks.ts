/** What every request must pass before anybody looks at its meaning (RFC 3261 8.2.1 to 8.2.3). */
import {
  bodyParts,
  isMultipart,
  isSipUri,
  type BodyPart,
  type ExtraHeaders,
  type SipRequest,
} from '../message/index.ts';
import {
  ACCEPT,
  ACCEPT_ENCODING,
  ALLOW,
  ALLOWED_METHODS,
  KNOWN_METHODS,
  SUPPORTED_OPTIONS,
} from './capabilities.ts';

export interface Refusal {
  readonly status: number;
  readonly headers?: ExtraHeaders;
}

/** Methods whose body is a session description. */
const SDP_METHODS: ReadonlySet<string> = new Set(['INVITE', 'UPDATE', 'PRACK']);

type Check = (request: SipRequest) => Refusal | undefined;

/** In the order of section 8.2, which decides between two faults of one request. */
const CHECKS: readonly Check[] = [
  checkMethod,
  checkScheme,
  checkRequire,
  checkContent,
  checkReplaces,
  checkAccept,
];

export function checkRequest(request: SipRequest): Refusal | undefined {
  for (const check of CHECKS) {
    const refusal = check(request);
    if (refusal !== undefined) return refusal;
  }

  return undefined;
}

function checkMethod({ method }: SipRequest): Refusal | undefined {
  if (ALLOWED_METHODS.has(method)) return undefined;

  return { status: KNOWN_METHODS.has(method) ? 405 : 501, headers: [ALLOW] };
}

/** "if the Request-URI uses a scheme not supported by the UAS, it SHOULD reject … with a 416". */
function checkScheme({ uri }: SipRequest): Refusal | undefined {
  return isSipUri(uri) || uri.scheme === 'tel' ? undefined : { status: 416 };
}

/** "the UAS MUST … list in Unsupported those options it does not understand" (8.2.2.3). */
function checkRequire({ method, headers }: SipRequest): Refusal | undefined {
  // The registrar has options of its own (path, outbound).
  if (method === 'REGISTER') return undefined;
  const unknown = headers
    .list('Require')
    .filter((option) => !SUPPORTED_OPTIONS.has(option.toLowerCase()));

  return unknown.length === 0
    ? undefined
    : { status: 420, headers: [['Unsupported', unknown.join(', ')]] };
}

/**
 * 8.2.3: a body that is not understood is refused unless it is optional. Only the methods whose body
 * means something here are held to it: a BYE with a quality report must still end the call.
 */
function checkContent(request: SipRequest): Refusal | undefined {
  const { method, headers, body, contentType } = request;
  if (
    !SDP_METHODS.has(method) ||
    body.length === 0 ||
    isOptional(headers.get('Content-Disposition'))
  ) {
    return undefined;
  }
  const encodings = headers.list('Content-Encoding');
  if (encodings.some((encoding) => encoding.toLowerCase() !== 'identity')) {
    return { status: 415, headers: [ACCEPT_ENCODING] };
  }
  if (contentType?.type === ACCEPT[1]) return undefined;
  const parts = bodyParts(request);
  if (isMultipart(request) && parts === undefined) return { status: 400 };

  return areUnderstood(parts ?? []) ? undefined : { status: 415, headers: [ACCEPT] };
}

/**
 * A description, or nothing that has to be understood. Gateways put ISUP and locations beside theirs and
 * mark them seldom: such a part is passed over unless it says that it must not be.
 */
function areUnderstood(parts: readonly BodyPart[]): boolean {
  const others = parts.filter(({ type }) => type !== ACCEPT[1]);
  const isForbidden = others.some(({ disposition }) => handlingOf(disposition) === 'required');
  const areOptional =
    others.length > 0 && others.every(({ disposition }) => isOptional(disposition));

  return !isForbidden && (parts.length > others.length || areOptional);
}

/** RFC 3891 3: "a Replaces header field in a request other than INVITE … 400"; PRACK, say, too. */
function checkReplaces({ method, headers }: SipRequest): Refusal | undefined {
  return method !== 'INVITE' && headers.has('Replaces') ? { status: 400 } : undefined;
}

/** RFC 4475 3.3.15: who takes no session description in the answer to an INVITE gets none. */
function checkAccept({ method, headers }: SipRequest): Refusal | undefined {
  const types = headers.list('Accept').filter((range) => range !== '');
  if (method !== 'INVITE' || types.length === 0) return undefined;
  const isTaken = types.some((range) => /^(\*\/\*|application\/(\*|sdp))\s*(;|$)/i.test(range));

  return isTaken ? undefined : { status: 406, headers: [ACCEPT] };
}

function isOptional(disposition: string | undefined): boolean {
  return handlingOf(disposition) === 'optional';
}

function handlingOf(disposition: string | undefined): string | undefined {
  return /;\s*handling\s*=\s*"?([a-z]+)/i.exec(disposition ?? '')?.[1]?.toLowerCase();
}
