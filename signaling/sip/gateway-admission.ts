/** Whether a call may come in, and as whose: a trunk's, an account's or a guest's. */
import type { Logger, RoomNumber } from '../../base/index.ts';
import type { AccountBook, TrunkBook } from '../../server/index.ts';
import type { AuthVerdict, DigestAuthenticator } from './auth/index.ts';
import type { Gatekeeper, Refused } from './focus/index.ts';
import { isSipUri, type SipRequest, type SipUri, type Uri } from './message/index.ts';
import type { RemoteFlow } from './transport/index.ts';

export type Admission =
  | { readonly kind: 'guest' }
  | { readonly kind: 'account'; readonly username: string; readonly name: string }
  /** `room` is where the number that was called leads; undefined: it has no route. */
  | { readonly kind: 'trunk'; readonly trunk: string; readonly room: RoomNumber | undefined }
  | {
      readonly kind: 'refused';
      readonly status: number;
      readonly headers: Iterable<readonly [string, string]>;
    };

export interface CallAdmissionOptions {
  readonly accounts: Pick<AccountBook, 'find'>;
  readonly trunks: Pick<TrunkBook, 'ofAddress' | 'ofDid' | 'routeOf' | 'usernames'>;
  readonly guests: boolean;
  readonly isOurHost: (host: string) => boolean;
  readonly authenticator: Pick<DigestAuthenticator, 'check'>;
  readonly trunkAuthenticator: Pick<DigestAuthenticator, 'check'>;
  readonly logger: Logger;
}

/** For calls, and for what else is asked of us outside of them. */
export class CallAdmission implements Gatekeeper {
  readonly #options: CallAdmissionOptions;

  constructor(options: CallAdmissionOptions) {
    this.#options = options;
  }

  /** Never asked of ACK, CANCEL or a request inside a dialog (RFC 3261 22.1). */
  async admit(request: SipRequest, flow: RemoteFlow): Promise<Admission> {
    const { accounts, authenticator, guests, trunks } = this.#options;
    const source = flow.remote.address;
    const numbers = calledNumbers(request);
    const byAddress = trunks.ofAddress(source, numbers);
    if (byAddress !== undefined) return this.#trunkCall(byAddress, numbers);
    // A number of a trunk that proves itself by digest belongs to nobody else.
    const byDid = trunks.ofDid(numbers);
    if (byDid !== undefined) return this.#trunkByDigest(request, source, byDid, numbers);
    if (guests) return { kind: 'guest' };
    const verdict = await authenticator.check(request, source);
    if (!verdict.ok) return { kind: 'refused', status: verdict.status, headers: verdict.headers };
    const account = await accounts.find(verdict.username);

    const { username } = verdict;

    return { kind: 'account', username, name: account?.name ?? username };
  }

  /** For requests that are no calls. */
  async refusalOf(request: SipRequest, flow: RemoteFlow): Promise<Refused | undefined> {
    const admission = await this.admit(request, flow);
    if (admission.kind !== 'refused') return undefined;

    return { ok: false, status: admission.status, headers: [...admission.headers] };
  }

  /** Whose password the request shows, whether guests may call or not. */
  prove(request: SipRequest, flow: RemoteFlow): Promise<AuthVerdict> {
    return this.#options.authenticator.check(request, flow.remote.address);
  }

  async proofMissing(request: SipRequest, flow: RemoteFlow): Promise<Refused | undefined> {
    // Who is of another domain cannot answer, and a phone may hang up over a challenge that it fails. Of
    // ours all are asked, lest the answer tells which names are accounts.
    if (!this.#isOurs(request.from.uri)) return { ok: false, status: 403, headers: [] };
    const verdict = await this.prove(request, flow);

    return verdict.ok ? undefined : verdict;
  }

  /** The account of ours that a URI names. */
  async accountOf(uri: Uri): Promise<string | undefined> {
    return this.#isOurs(uri) ? (await this.#options.accounts.find(uri.user))?.username : undefined;
  }

  #isOurs(uri: Uri): uri is SipUri & { readonly user: string } {
    return isSipUri(uri) && uri.user !== undefined && this.#options.isOurHost(uri.host);
  }

  async #trunkByDigest(
    request: SipRequest,
    source: string,
    trunk: string,
    numbers: readonly string[],
  ): Promise<Admission> {
    const verdict = await this.#options.trunkAuthenticator.check(request, source);
    if (!verdict.ok) return { kind: 'refused', status: verdict.status, headers: verdict.headers };
    if (!this.#options.trunks.usernames(trunk).includes(verdict.username)) {
      return { kind: 'refused', status: 403, headers: [] };
    }

    return this.#trunkCall(trunk, numbers);
  }

  #trunkCall(trunk: string, numbers: readonly string[]): Admission {
    const room = this.#options.trunks.routeOf(trunk, numbers);
    if (room === undefined) this.#options.logger.info({ trunk, numbers }, 'no route for a number');

    return { kind: 'trunk', trunk, room };
  }
}

/** Providers put the number into the Request-URI, or the registered user there and the number into To. */
function calledNumbers(request: SipRequest): string[] {
  return [request.uri, request.to.uri].flatMap((uri) => userOf(uri) ?? []);
}

function userOf(uri: Uri): string | undefined {
  if (isSipUri(uri)) return uri.user;

  return uri.scheme === 'tel' ? uri.number : undefined;
}
