/** Who may take another call's place (RFC 3891 3). */
import type { Admission, CallAdmission } from './gateway-admission.ts';
import { parseNameAddr, uriEquals } from './message/index.ts';
import type { RemoteFlow } from './transport/index.ts';
import { IncomingCall, type OutgoingCall } from './ua/index.ts';

export interface Replaced {
  readonly call: IncomingCall | OutgoingCall;
  /** Whose call it is, when that was proved. */
  readonly account: string | undefined;
}

export type ReplacesRefusal = {
  readonly status: number;
  readonly headers: Iterable<readonly [string, string]>;
};

/**
 * "the UA MUST verify that the initiator … is authorized": it comes the very way that the replaced call
 * came, or says that the replaced one sent it (Referred-By), or has the password of the account that is
 * replaced. From is anybody's to write.
 */
export async function replacesRefusal(
  call: IncomingCall,
  replaced: Replaced,
  admission: Admission,
  accounts: Pick<CallAdmission, 'prove' | 'accountOf'> | undefined,
): Promise<ReplacesRefusal | undefined> {
  const before = replaced.call instanceof IncomingCall ? replaced.call.flow : undefined;
  if (before !== undefined && isSameFlow(call.flow, before)) return undefined;
  const referredBy = parseNameAddr(call.request.headers.get('Referred-By') ?? '');
  if (referredBy !== undefined && uriEquals(referredBy.uri, replaced.call.remoteUri)) {
    return undefined;
  }
  const owner = replaced.account ?? (await accounts?.accountOf(replaced.call.remoteUri));
  if (owner === undefined || accounts === undefined) return { status: 403, headers: [] };
  if (admission.kind === 'account' && admission.username === owner) return undefined;
  const proof = await accounts.prove(call.request, call.flow);
  if (!proof.ok) return proof;

  return proof.username === owner ? undefined : { status: 403, headers: [] };
}

function isSameFlow(one: RemoteFlow, other: RemoteFlow): boolean {
  return (
    one.protocol === other.protocol &&
    one.remote.address === other.remote.address &&
    one.remote.port === other.remote.port
  );
}
