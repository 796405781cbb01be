/** What a REGISTER does to the bindings of its account: RFC 3261 10.3 and RFC 5626 6, pure. */
import type { Binding, BindingFlow } from '../../../server/index.ts';
import { isSipUri, parseUri, uriEquals, type NameAddr, type SipRequest } from '../message/index.ts';

export interface RegisterLimits {
  readonly defaultSeconds: number;
  readonly minSeconds: number;
  readonly maxSeconds: number;
  readonly maxBindings: number;
}

export const DEFAULT_REGISTER_LIMITS: RegisterLimits = {
  defaultSeconds: 3600,
  minSeconds: 60,
  maxSeconds: 7200,
  maxBindings: 20,
};

export type RegisterOutcome =
  /** The new bindings; `undefined`: a fetch, which changes nothing. */
  | { readonly bindings: Binding[] | undefined; readonly usesOutbound: boolean }
  | {
      readonly status: number;
      readonly reason?: string;
      readonly headers?: readonly (readonly [string, string])[];
    };

export interface RegisterContext {
  /** Those that have not expired. */
  readonly current: readonly Binding[];
  readonly flow: BindingFlow;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly limits: RegisterLimits;
}

const MAX_SECONDS = 2 ** 32 - 1;
const HOUR = 3600;

/** Rules 6 to 8 of section 10.3; the ones before are the registrar's. */
export function applyRegister(request: SipRequest, context: RegisterContext): RegisterOutcome {
  const expires = parseSeconds(request.headers.get('Expires'));
  const contactLines = request.headers.getAll('Contact');
  if (contactLines.length === 0) return { bindings: undefined, usesOutbound: false };
  if (contactLines.some((line) => line.trim() === '*')) {
    // "If the Contact header field contains a "*" and … an expiration time different from zero" or
    // "additional Contact fields … MUST return a 400".
    if (contactLines.length > 1 || expires !== 0) return { status: 400, reason: 'Bad Wildcard' };

    return removeAll(request, context.current);
  }
  const contacts = request.contacts;
  if (contacts.length === 0) return { status: 400, reason: 'Bad Contact' };
  let bindings = [...context.current];
  let usesOutbound = false;
  for (const contact of contacts) {
    const made = makeBinding(request, contact, expires, context);
    if ('status' in made) return made;
    const { binding, seconds } = made;
    const old = bindings.find((other) => isSameBinding(other, binding));
    // A Contact that comes twice in one request is no older than itself.
    const wasStored = old !== undefined && context.current.includes(old);
    if (wasStored && !isNewer(request, old)) return OUT_OF_ORDER;
    bindings = bindings.filter((other) => other !== old);
    if (seconds > 0) {
      // The device keeps the time of its first registration.
      bindings.push(old === undefined ? binding : { ...binding, registeredAt: old.registeredAt });
    }
    usesOutbound ||= binding.regId !== undefined;
  }
  if (bindings.length > context.limits.maxBindings) {
    return { status: 403, reason: 'Too Many Contacts' };
  }

  return { bindings, usesOutbound };
}

const OUT_OF_ORDER: RegisterOutcome = { status: 500, reason: 'CSeq Out Of Order' };

/** "the registrar … MUST remove the binding only if the CSeq is higher …, otherwise the update fails". */
function removeAll(request: SipRequest, current: readonly Binding[]): RegisterOutcome {
  const inOrder = current.every((binding) => isNewer(request, binding));

  return inOrder ? { bindings: [], usesOutbound: false } : OUT_OF_ORDER;
}

function isNewer(request: SipRequest, { callId, cseq }: Binding): boolean {
  return callId !== request.callId || request.cseq.sequence > cseq;
}

/** RFC 5626 6: with an instance and a reg-id they are the key, else the URI is (RFC 3261 19.1.4). */
function isSameBinding(a: Binding, b: Binding): boolean {
  if (a.regId !== undefined && b.regId !== undefined) {
    return a.instance === b.instance && a.regId === b.regId;
  }
  if (a.regId !== undefined || b.regId !== undefined) return false;
  const left = parseUri(a.contact);
  const right = parseUri(b.contact);

  return left !== undefined && right !== undefined && uriEquals(left, right);
}

type Made =
  | { readonly binding: Binding; readonly seconds: number }
  | Extract<RegisterOutcome, { status: number }>;

function makeBinding(
  request: SipRequest,
  contact: NameAddr,
  expires: number | undefined,
  { flow, now, limits }: RegisterContext,
): Made {
  if (!isSipUri(contact.uri)) return { status: 400, reason: 'Contact Is Not A SIP URI' };
  const asked = parseSeconds(contact.params.get('expires')) ?? expires ?? limits.defaultSeconds;
  if (asked > 0 && asked < limits.minSeconds && asked < HOUR) {
    return { status: 423, headers: [['Min-Expires', String(limits.minSeconds)]] };
  }
  const seconds = Math.min(asked, limits.maxSeconds);
  const outbound = outboundKey(request, contact);
  if (outbound === 'first-hop-lacks-outbound') return { status: 439 };
  const userAgent = request.headers.get('User-Agent')?.slice(0, 128);

  return {
    seconds,
    binding: {
      contact: contact.uri.text,
      params: [...contact.params]
        .filter(([name]) => name !== 'expires')
        .map(([name, value]): [string, string | null] => [name, value ?? null]),
      callId: request.callId,
      cseq: request.cseq.sequence,
      expiresAt: now + seconds * 1000,
      registeredAt: now,
      path: request.headers.list('Path'),
      flow,
      ...(outbound !== undefined && outbound),
      ...(userAgent !== undefined && { userAgent }),
    },
  };
}

/** The key of RFC 5626 6, for a device that asked for it and whose first hop can keep the flow. */
function outboundKey(
  request: SipRequest,
  contact: NameAddr,
): { instance: string; regId: number } | 'first-hop-lacks-outbound' | undefined {
  const instance = contact.params.get('+sip.instance');
  const regId = Number(contact.params.get('reg-id'));
  const isAsked = request.headers.list('Supported').some((tag) => tag.toLowerCase() === 'outbound');
  if (!isAsked || instance === undefined || !Number.isInteger(regId) || regId < 1) return undefined;
  if (request.vias.length === 1) return { instance, regId };
  // "If the request was not sent directly …, the registrar MUST examine the first URI in the Path …;
  // if it does not have an 'ob' URI parameter … MUST respond with a 439".
  const path = request.headers.list('Path').at(-1);
  const hasOb = path !== undefined && /;ob(?=[;>]|$)/i.test(path);

  return hasOb ? { instance, regId } : 'first-hop-lacks-outbound';
}

/** "malformed … SHOULD be treated as equivalent to 3600" (20.19): as if it were not there. */
function parseSeconds(text: string | undefined): number | undefined {
  const digits = /^\s*([0-9]{1,12})\s*$/.exec(text ?? '')?.[1];

  return digits === undefined ? undefined : Math.min(Number(digits), MAX_SECONDS);
}
