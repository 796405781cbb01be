import { randomBytes } from 'node:crypto';
import type { SipRequest, SipResponse } from '../message/index.ts';
import {
  digestResponse,
  formatDigest,
  hashA1,
  parseAlgorithm,
  parseDigest,
  type DigestAlgorithm,
  type DigestParams,
} from './digest.ts';

export interface ClientCredentials {
  readonly username: string;
  readonly password: string;
}

interface Session {
  readonly header: 'Authorization' | 'Proxy-Authorization';
  readonly challenge: DigestParams;
  readonly algorithm: DigestAlgorithm;
  readonly realm: string;
  readonly nonce: string;
  count: number;
}

/** The client's side of digest for one peer: answers its challenges, and repeats the answer while it is good. */
export class DigestClient {
  readonly #credentials: ClientCredentials;
  readonly #newCnonce: () => string;
  readonly #sessions = new Map<string, Session>();

  constructor(
    credentials: ClientCredentials,
    newCnonce = () => randomBytes(12).toString('base64url'),
  ) {
    this.#credentials = credentials;
    this.#newCnonce = newCnonce;
  }

  /**
   * Takes a 401 or 407. False when there is nothing to answer, or when the answer that it refuses was
   * already given to this very challenge: asking again would only repeat a wrong password.
   */
  challenged(request: SipRequest, response: SipResponse): boolean {
    const isProxy = response.status === 407;
    const header = isProxy ? 'Proxy-Authorization' : 'Authorization';
    const values = response.headers.getAll(isProxy ? 'Proxy-Authenticate' : 'WWW-Authenticate');
    // RFC 8760 2.4: "the UAC MUST … use the topmost header field that it supports", one a realm.
    const answered = new Set<string>();
    let usable = false;
    for (const value of values) {
      const challenge = parseDigest(value);
      const algorithm = parseAlgorithm(challenge?.get('algorithm'));
      const realm = challenge?.get('realm');
      const nonce = challenge?.get('nonce');
      if (challenge === undefined || algorithm === undefined) continue;
      if (realm === undefined || nonce === undefined || answered.has(realm)) continue;
      if (!offersKnownQop(challenge)) continue;
      answered.add(realm);
      const isStale =
        challenge.get('stale')?.toLowerCase() === 'true' ||
        this.#wasReused(request, header, realm, nonce);
      if (hasAnswerFor(request, header, realm) && !isStale) return false;
      const session = { header, challenge, algorithm, realm, nonce, count: 0 } as const;
      this.#sessions.set(`${header} ${realm}`, { ...session });
      usable = true;
    }

    return usable;
  }

  /**
   * Many a registrar forgets nonces and does not say `stale`. A password is refused when the first answer
   * to a nonce is; of one that was right before, the nonce has grown old.
   */
  #wasReused(request: SipRequest, header: string, realm: string, nonce: string): boolean {
    const session = this.#sessions.get(`${header} ${realm}`);
    if (session === undefined || session.nonce === nonce || session.count < 2) return false;

    return request.headers
      .getAll(header)
      .map(parseDigest)
      .some((own) => own?.get('realm') === realm && own.get('nonce') === session.nonce);
  }

  /** The headers for a request, by all challenges seen so far; none before the first. */
  headersFor(request: Pick<SipRequest, 'method' | 'uri' | 'body'>): [string, string][] {
    return [...this.#sessions.values()].map((session) => [
      session.header,
      this.#answer(session, request),
    ]);
  }

  #answer(
    session: Session,
    { method, uri, body }: Pick<SipRequest, 'method' | 'uri' | 'body'>,
  ): string {
    const { algorithm, challenge, realm, nonce } = session;
    const { username, password } = this.#credentials;
    const qop = qopFor(challenge);
    session.count += 1;
    const nc = session.count.toString(16).padStart(8, '0');
    const cnonce = this.#newCnonce();
    const response = digestResponse(hashA1(algorithm, username, realm, password), {
      algorithm,
      method,
      uri: uri.text,
      nonce,
      body,
      ...(qop !== undefined && { qop: { value: qop, nc, cnonce } }),
    });
    const params: [string, string][] = [
      ['username', username],
      ['realm', realm],
      ['nonce', nonce],
      ['uri', uri.text],
      ['response', response],
    ];
    // "algorithm … opaque: returned unchanged", and only when they were there.
    for (const name of ['algorithm', 'opaque']) {
      const value = challenge.get(name);
      if (value !== undefined) params.push([name, value]);
    }
    if (qop !== undefined) params.push(['qop', qop], ['nc', nc], ['cnonce', cnonce]);

    return formatDigest(params, 'credentials');
  }
}

function qopsOf(challenge: DigestParams): string[] | undefined {
  return challenge
    .get('qop')
    ?.split(',')
    .map((value) => value.trim().toLowerCase());
}

function offersKnownQop(challenge: DigestParams): boolean {
  return challenge.get('qop') === undefined || qopFor(challenge) !== undefined;
}

function qopFor(challenge: DigestParams): 'auth' | 'auth-int' | undefined {
  const offered = qopsOf(challenge);
  if (offered?.includes('auth') === true) return 'auth';

  return offered?.includes('auth-int') === true ? 'auth-int' : undefined;
}

function hasAnswerFor(request: SipRequest, header: string, realm: string): boolean {
  return request.headers.getAll(header).some((value) => parseDigest(value)?.get('realm') === realm);
}
