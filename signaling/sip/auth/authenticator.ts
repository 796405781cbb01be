import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Clock, Logger } from '../../../base/index.ts';
import type { SipRequest } from '../message/index.ts';
import { sourceOf } from '../transport/index.ts';
import { AttemptLimiter, type AttemptLimits } from './attempt-limiter.ts';
import {
  digestResponse,
  formatDigest,
  parseAlgorithm,
  parseDigest,
  type DigestAlgorithm,
  type DigestParams,
} from './digest.ts';
import { NonceBook } from './nonce-book.ts';

/** Where accounts are looked up. */
export interface CredentialSource {
  /** H(A1) in hex for our realm; undefined when the user is not known. Must not reject. */
  ha1(username: string, algorithm: DigestAlgorithm): Promise<string | undefined>;
  /** An account's own list of challenges. Must not reject. */
  algorithms(username: string): Promise<readonly DigestAlgorithm[] | undefined>;
}

export type AuthOutcome = 'accepted' | 'challenged' | 'stale' | 'refused' | 'limited';

export type AuthVerdict =
  | { readonly ok: true; readonly username: string }
  | {
      readonly ok: false;
      readonly status: number;
      readonly headers: readonly (readonly [string, string])[];
    };

export interface AuthenticatorOptions {
  readonly realm: string;
  /** In the order of the challenges. */
  readonly algorithms: readonly DigestAlgorithm[];
  readonly credentials: CredentialSource;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits?: AttemptLimits;
  readonly onOutcome?: (outcome: AuthOutcome) => void;
}

interface Secret {
  readonly algorithm: DigestAlgorithm;
  readonly ha1: string;
}

type Proof = 'right' | 'wrong' | 'stale' | 'unusable';

/** Longer names are nobody's. */
const MAX_USERNAME = 128;
const RETRY_AFTER = ['Retry-After', '60'] as const;

/** The server's side of digest for requests to us: 401 and WWW-Authenticate (RFC 3261 22.2). */
export class DigestAuthenticator {
  readonly #options: AuthenticatorOptions;
  readonly #nonces: NonceBook;
  readonly #limiter: AttemptLimiter;
  /** Makes the H(A1) of users that do not exist, so that they cost and answer the same. */
  readonly #decoyKey = randomBytes(32);

  constructor(options: AuthenticatorOptions) {
    this.#options = options;
    this.#nonces = new NonceBook({ clock: options.clock });
    this.#limiter = new AttemptLimiter(options.clock, options.limits);
  }

  get limiter(): AttemptLimiter {
    return this.#limiter;
  }

  /** `address` is where the request came from; never ask this for an ACK or a CANCEL. */
  async check(request: SipRequest, address: string): Promise<AuthVerdict> {
    const source = sourceOf(address);
    const params = this.#credentialsOf(request);
    const username = params?.get('username') ?? '';
    if (params === undefined || username === '' || username.length > MAX_USERNAME) {
      this.#options.onOutcome?.('challenged');

      return this.#challenge(request, false);
    }
    if (!this.#limiter.mayTry(source, username)) return this.#limited();
    const secret = await this.#lookUp(params, username);
    // Again, and nothing is waited for until the attempt is counted: of many that come at once none
    // slips past the limit while another is looked up.
    if (!this.#limiter.mayTry(source, username)) return this.#limited();
    const proof = this.#prove(request, params, secret);
    if (proof === 'right') {
      this.#limiter.succeeded(source, username);
      this.#options.onOutcome?.('accepted');

      return { ok: true, username };
    }
    if (proof === 'wrong') {
      this.#limiter.failed(source, username);
      this.#options.logger.info({ source, username }, 'wrong SIP password or unknown account');
    }
    this.#options.onOutcome?.(proof === 'stale' ? 'stale' : 'refused');

    return this.#challenge(request, proof === 'stale', username);
  }

  #limited(): AuthVerdict {
    this.#options.onOutcome?.('limited');

    return { ok: false, status: 403, headers: [RETRY_AFTER] };
  }

  /** Several Authorization fields may stand in a request, one a realm (RFC 3261 22.3). */
  #credentialsOf(request: SipRequest): DigestParams | undefined {
    for (const value of request.headers.getAll('Authorization')) {
      const params = parseDigest(value);
      if (params?.get('realm') === this.#options.realm) return params;
    }

    return undefined;
  }

  /** What the answer is to be made with; undefined for an algorithm that is not ours. */
  async #lookUp(params: DigestParams, username: string): Promise<Secret | undefined> {
    const algorithm = parseAlgorithm(params.get('algorithm'));
    if (algorithm === undefined) return undefined;
    const { credentials } = this.#options;
    const offered = (await credentials.algorithms(username)) ?? this.#options.algorithms;
    // An algorithm that was not offered would let a peer choose the weakest.
    if (!offered.includes(algorithm)) return undefined;
    const ha1 = (await credentials.ha1(username, algorithm)) ?? this.#decoy(username);

    return { algorithm, ha1 };
  }

  #prove(request: SipRequest, params: DigestParams, secret: Secret | undefined): Proof {
    const nonce = params.get('nonce') ?? '';
    const uri = params.get('uri');
    const given = params.get('response');
    const qop = parseQop(params);
    if (secret === undefined || uri === undefined || given === undefined) return 'unusable';
    if (qop === 'malformed') return 'unusable';
    const expected = digestResponse(secret.ha1, {
      algorithm: secret.algorithm,
      method: request.method,
      uri,
      nonce,
      body: request.body,
      ...(qop !== undefined && { qop }),
    });
    if (!sameText(expected, given.toLowerCase())) return 'wrong';
    // RFC 7616 3.3: stale only "if the request's nonce … was rejected but the digest is right".
    if (this.#nonces.judge(nonce) !== 'fresh') return 'stale';
    const count = qop === undefined ? undefined : parseInt(qop.nc, 16);

    return this.#nonces.use(nonce, count) ? 'right' : 'stale';
  }

  #decoy(username: string): string {
    return createHmac('sha256', this.#decoyKey).update(username).digest('hex');
  }

  /** One challenge an algorithm, "most preferred first" (RFC 8760 2.3), each with qop. */
  async #challenge(request: SipRequest, stale: boolean, username?: string): Promise<AuthVerdict> {
    const asked = username ?? userOfFrom(request);
    const own = asked === undefined ? undefined : await this.#options.credentials.algorithms(asked);
    const headers = (own ?? this.#options.algorithms).map((algorithm): [string, string] => {
      const params: [string, string][] = [
        ['realm', this.#options.realm],
        ['nonce', this.#nonces.issue()],
        ['algorithm', algorithm],
        ['qop', 'auth'],
      ];
      if (stale) params.push(['stale', 'true']);

      return ['WWW-Authenticate', formatDigest(params, 'challenge')];
    });

    return { ok: false, status: 401, headers };
  }
}

type Qop = { readonly value: 'auth' | 'auth-int'; readonly nc: string; readonly cnonce: string };

function parseQop(params: DigestParams): Qop | 'malformed' | undefined {
  const value = params.get('qop')?.toLowerCase();
  if (value === undefined) return undefined;
  const nc = params.get('nc') ?? '';
  const cnonce = params.get('cnonce');
  if (cnonce === undefined || !/^[0-9a-f]{8}$/i.test(nc)) return 'malformed';

  return value === 'auth' || value === 'auth-int' ? { value, nc, cnonce } : 'malformed';
}

function userOfFrom(request: SipRequest): string | undefined {
  const { uri } = request.from;

  return 'user' in uri ? uri.user?.slice(0, MAX_USERNAME) : undefined;
}

function sameText(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);

  return left.length === right.length && timingSafeEqual(left, right);
}
