/** Which call an INVITE wants to take the place of (RFC 3891), or to join (RFC 3911). */
import { parseHeaderParams, type SipRequest } from '../message/index.ts';
import type { DialogId, DialogLayer, InviteSession } from '../dialog/index.ts';
import type { Refusal } from './request-checks.ts';

interface Replaces extends DialogId {
  readonly earlyOnly: boolean;
}

/** Undefined: the INVITE replaces nothing. Whether it may is for the handler of calls to say. */
export function findReplaced(
  request: SipRequest,
  dialogs: DialogLayer,
): { readonly session: InviteSession } | { readonly refusal: Refusal } | undefined {
  const { headers } = request;
  if (!headers.has('Replaces')) return undefined;
  const replaces = parseReplaces(headers.get('Replaces') ?? '');
  // 3: "more than one Replaces header field … MUST reject the request with a 400", and with Join.
  if (headers.count('Replaces') > 1 || headers.has('Join') || replaces === undefined) {
    return { refusal: { status: 400 } };
  }
  const session = dialogs.findById(replaces);
  const status = session === undefined ? 481 : refusalOf(session, replaces);

  return session === undefined || status !== undefined
    ? { refusal: { status: status ?? 481 } }
    : { session };
}

/**
 * Join (RFC 3911 4), asked only where no conference is called: there "the UA … ignore[s]" it. "481" for
 * a dialog that is not there, "488" for one that we would have to mix another call into.
 */
export function joinRefusal({ headers }: SipRequest, dialogs: DialogLayer): Refusal | undefined {
  if (!headers.has('Join')) return undefined;
  const join = parseReplaces(headers.get('Join') ?? '');
  if (join === undefined || headers.count('Join') > 1) return { status: 400 };

  return { status: dialogs.findById(join) === undefined ? 481 : 488 };
}

function refusalOf(session: InviteSession, { earlyOnly }: Replaces): number | undefined {
  switch (session.state) {
    case 'accepted':
    case 'confirmed':
      return earlyOnly ? 486 : undefined;
    case 'leaving':
    case 'terminating':
    case 'terminated':
      return 603;
    default:
      // "matches an early dialog that was not initiated by this UA … 481"; our own early calls have
      // no place to be replaced in.
      return 481;
  }
}

/** "the to-tag parameter … compared to the local tag … and the from-tag to the remote tag" (3). */
function parseReplaces(value: string): Replaces | undefined {
  const semicolon = value.indexOf(';');
  const params = semicolon < 0 ? undefined : parseHeaderParams(value, semicolon);
  const localTag = params?.get('to-tag');
  const remoteTag = params?.get('from-tag');
  if (params === undefined || localTag === undefined || remoteTag === undefined) return undefined;
  const callId = value.slice(0, semicolon).trim();

  return { callId, localTag, remoteTag, earlyOnly: params.has('early-only') };
}
