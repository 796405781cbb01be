import { randomBytes } from 'node:crypto';
import { toError, type Clock, type Logger } from '../../../base/index.ts';
import type { AccountSettings, Binding } from '../../../server/index.ts';
import type { DigestAuthenticator } from '../auth/index.ts';
import {
  buildResponse,
  formatNameAddr,
  isSipUri,
  parseUri,
  type ExtraHeaders,
  type SipRequest,
} from '../message/index.ts';
import type { ServerTransaction } from '../transaction/index.ts';
import type { RemoteFlow } from '../transport/index.ts';
import {
  applyRegister,
  DEFAULT_REGISTER_LIMITS,
  type RegisterLimits,
  type RegisterOutcome,
} from './register-rules.ts';

/** Where accounts and their bindings are; the account book is it. */
export interface RegistrarStore {
  find(username: string): Promise<AccountSettings | undefined>;
  bindings(username: string): Promise<Binding[]>;
  saveBindings(username: string, bindings: Binding[]): Promise<void>;
}

export interface RegistrarOptions {
  readonly store: RegistrarStore;
  readonly authenticator: Pick<DigestAuthenticator, 'check'>;
  /** Hosts, lower case, that are ours in a Request-URI or an address of record. */
  readonly isOurHost: (host: string) => boolean;
  readonly product: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits?: Partial<RegisterLimits>;
}

/** Names this run of the server in bindings: connections of an earlier one are gone. */
export const PROCESS_ID = randomBytes(9).toString('base64url');

/** Option tags that a REGISTER may require of us. */
const SUPPORTED = new Set(['path', 'outbound']);

/** RFC 3261 10.3: takes registrations. Requests of one account are served one after the other. */
export class Registrar {
  readonly #options: RegistrarOptions;
  readonly #limits: RegisterLimits;
  readonly #queues = new Map<string, Promise<void>>();

  constructor(options: RegistrarOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_REGISTER_LIMITS, ...options.limits };
  }

  /** Answers a REGISTER. */
  receive(transaction: ServerTransaction): void {
    void this.#register(transaction).catch((error: unknown) => {
      this.#options.logger.error({ err: toError(error) }, 'a REGISTER failed');
      this.#answer(transaction, 500);
    });
  }

  /** Rules 1 to 5 of section 10.3, in its order. */
  async #register(transaction: ServerTransaction): Promise<void> {
    const { request, info } = transaction;
    const { isOurHost, authenticator, store } = this.#options;
    if (!isSipUri(request.uri)) return this.#answer(transaction, 416);
    if (!isOurHost(request.uri.host)) return this.#answer(transaction, 403, [], 'Not Our Domain');
    const required = request.headers.list('Require');
    const unknown = required.filter((tag) => !SUPPORTED.has(tag.toLowerCase()));
    if (unknown.length > 0) {
      return this.#answer(transaction, 420, [['Unsupported', unknown.join(', ')]]);
    }
    const aor = request.to.uri;
    if (!isSipUri(aor) || aor.user === undefined) {
      return this.#answer(transaction, 400, [], 'To Is Not A SIP Address Of Record');
    }
    const verdict = await authenticator.check(request, info.flow.remote.address);
    if (!verdict.ok) return this.#answer(transaction, verdict.status, verdict.headers);
    // "the registrar MUST determine if the authenticated user is authorized to modify registrations
    // for this address-of-record": its own only.
    if (!isOurHost(aor.host)) return this.#answer(transaction, 404);
    if (aor.user !== verdict.username) {
      const exists = (await store.find(aor.user)) !== undefined;

      return this.#answer(transaction, exists ? 403 : 404);
    }
    await this.#inTurn(aor.user, () => this.#update(transaction, verdict.username));
  }

  async #update(transaction: ServerTransaction, username: string): Promise<void> {
    const { request, info } = transaction;
    const { store, clock, logger } = this.#options;
    const current = await store.bindings(username);
    const outcome = applyRegister(request, {
      current,
      flow: toBindingFlow(info.flow),
      now: clock.wallTime(),
      limits: this.#limits,
    });
    if ('status' in outcome) {
      const { status, headers, reason } = outcome;

      return this.#answer(transaction, status, headers, reason);
    }
    if (outcome.bindings !== undefined) {
      await store.saveBindings(username, outcome.bindings);
      logger.info({ username, bindings: outcome.bindings.length }, 'registered');
    }
    this.#answer(transaction, 200, this.#successHeaders(request, outcome, current));
  }

  #successHeaders(
    request: SipRequest,
    outcome: Exclude<RegisterOutcome, { status: number }>,
    current: readonly Binding[],
  ): [string, string][] {
    const now = this.#options.clock.wallTime();
    const headers = (outcome.bindings ?? current).map((binding): [string, string] => [
      'Contact',
      contactHeader(binding, now),
    ]);
    const supported = request.headers.list('Supported').map((tag) => tag.toLowerCase());
    // RFC 3327 5.3: "The registrar SHOULD copy the Path … into the 200", for those who know it.
    if (supported.includes('path')) {
      for (const path of request.headers.getAll('Path')) headers.push(['Path', path]);
    }
    // RFC 5626 6: the registrar "MUST include the outbound option-tag in a Require header field".
    if (outcome.usesOutbound) headers.push(['Require', 'outbound']);
    headers.push(['Supported', [...SUPPORTED].join(', ')]);
    headers.push(['Date', new Date(now).toUTCString()]);

    return headers;
  }

  /** So that of two REGISTERs at once the second sees what the first has stored. */
  async #inTurn(username: string, work: () => Promise<void>): Promise<void> {
    const before = this.#queues.get(username) ?? Promise.resolve();
    const mine = before.then(work, work);
    const settled = mine.catch(() => undefined);
    this.#queues.set(username, settled);
    try {
      await mine;
    } finally {
      if (this.#queues.get(username) === settled) this.#queues.delete(username);
    }
  }

  #answer(
    transaction: ServerTransaction,
    status: number,
    headers: ExtraHeaders = [],
    reason?: string,
  ): void {
    if (!transaction.isPending) return;
    const all = [...headers, ['Server', this.#options.product] as const];
    transaction.respond(buildResponse(transaction.request, status, { reason, headers: all }));
  }
}

function toBindingFlow({ protocol, remote, local, connectionId }: RemoteFlow): Binding['flow'] {
  return {
    protocol,
    remote: { ...remote },
    local: { ...local },
    process: PROCESS_ID,
    ...(connectionId !== undefined && { connectionId }),
  };
}

/** With the parameters that came, and `expires` as the seconds that are left. */
function contactHeader({ contact, params, expiresAt }: Binding, now: number): string {
  const uri = parseUri(contact);
  if (uri === undefined) return `<${contact}>`;
  const left = Math.max(0, Math.ceil((expiresAt - now) / 1000));
  const all = params.map(([name, value]): [string, string | undefined] => [
    name,
    value ?? undefined,
  ]);

  return formatNameAddr({
    displayName: undefined,
    uri,
    params: new Map([...all, ['expires', String(left)]]),
  });
}
