import type { AuthVerdict } from '../auth/index.ts';
import type { SipRequest } from '../message/index.ts';
import type { RemoteFlow } from '../transport/index.ts';

export type Refused = Extract<AuthVerdict, { ok: false }>;

/** Who may ask anything of us beside a call; undefined: this one may. */
export interface Gatekeeper {
  /** As for an INVITE of the same sender. */
  refusalOf(request: SipRequest, flow: RemoteFlow): Promise<Refused | undefined>;
  /** Only with the password of the account that From names, whoever may call. */
  proofMissing(request: SipRequest, flow: RemoteFlow): Promise<Refused | undefined>;
}
