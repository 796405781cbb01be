import { describe, expect, it } from '@jest/globals';
import { silentLogger } from '../../../../base/index.ts';
import {
  DigestAuthenticator,
  DigestClient,
  hashA1,
  parseDigest,
  type AuthOutcome,
  type AuthVerdict,
  type DigestAlgorithm,
} from '../../../../signaling/sip/auth/index.ts';
import {
  buildRequest,
  buildResponse,
  type SipRequest,
} from '../../../../signaling/sip/message/index.ts';
import { withCredentials } from '../../../../signaling/sip/ua/index.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

const REALM = 'example.com';
const SOURCE = '192.0.2.1';

function setUp(algorithms: DigestAlgorithm[] = ['MD5'], own?: DigestAlgorithm[]) {
  const clock = new FakeClock();
  const outcomes: AuthOutcome[] = [];
  const authenticator = new DigestAuthenticator({
    realm: REALM,
    algorithms,
    credentials: {
      ha1: (user, algorithm) =>
        Promise.resolve(user === 'bob' ? hashA1(algorithm, user, REALM, 'secret') : undefined),
      algorithms: (user) => Promise.resolve(user === 'bob' ? own : undefined),
    },
    clock,
    logger: silentLogger,
    limits: { perPair: 3, perSource: 100, perAccount: 100, windowMs: 60_000 },
    onOutcome: (outcome) => outcomes.push(outcome),
  });

  return { clock, outcomes, authenticator };
}

function register(user = 'bob', authorization?: string): SipRequest {
  return buildRequest({
    method: 'REGISTER',
    uri: 'sip:example.com',
    from: `<sip:${user}@example.com>;tag=1`,
    to: `<sip:${user}@example.com>`,
    callId: 'c',
    cseq: 1,
    headers: [
      ['Via', 'SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1'],
      ...(authorization === undefined ? [] : ([['Authorization', authorization]] as const)),
    ],
  });
}

function challenges(verdict: AuthVerdict): ReadonlyMap<string, string>[] {
  if (verdict.ok) throw new Error('accepted');

  return [...verdict.headers].map(([, value]) => parseDigest(value)!);
}

/** Both sides of ours: the client answers the server's challenge. */
async function login(
  authenticator: DigestAuthenticator,
  { user = 'bob', password = 'secret' } = {},
): Promise<{ verdict: AuthVerdict; request: SipRequest; client: DigestClient }> {
  const first = register(user);
  const client = new DigestClient({ username: user, password });
  const challenge = await authenticator.check(first, SOURCE);
  if (challenge.ok) throw new Error('not challenged');
  const response = buildResponse(first, challenge.status, { headers: challenge.headers });
  if (!client.challenged(first, response)) throw new Error('the client gave up');
  const request = withCredentials(first, client, 2);

  return { verdict: await authenticator.check(request, SOURCE), request, client };
}

describe('the server of digest', () => {
  it('8760-2.3-a challenges once an algorithm, in order, each with qop and the realm', async () => {
    const { authenticator } = setUp(['SHA-256', 'MD5']);
    const all = challenges(await authenticator.check(register(), SOURCE));

    expect(all.map((params) => params.get('algorithm'))).toEqual(['SHA-256', 'MD5']);
    for (const params of all) {
      expect(params.get('qop')).toBe('auth');
      expect(params.get('realm')).toBe(REALM);
      expect(params.has('stale')).toBe(false);
    }
  });

  it('follows the list of an account where it has its own', async () => {
    const { authenticator } = setUp(['MD5'], ['SHA-256']);
    const all = challenges(await authenticator.check(register(), SOURCE));

    expect(all.map((params) => params.get('algorithm'))).toEqual(['SHA-256']);
  });

  it.each<DigestAlgorithm>(['MD5', 'SHA-256'])('accepts the right password by %s', async (name) => {
    const { authenticator, outcomes } = setUp([name]);
    const { verdict } = await login(authenticator);

    expect(verdict).toEqual({ ok: true, username: 'bob' });
    expect(outcomes).toEqual(['challenged', 'accepted']);
  });

  it('3261-22.1-a neither offers nor accepts Basic', async () => {
    const { authenticator } = setUp();
    const verdict = await authenticator.check(register('bob', 'Basic Ym9iOnNlY3JldA=='), SOURCE);

    expect(verdict).toMatchObject({ ok: false, status: 401 });
  });

  it('3261-22.2-a a wrong password gets 401 without stale, then 403 for a while', async () => {
    const { authenticator, clock } = setUp();
    for (let i = 0; i < 3; i++) {
      const { verdict } = await login(authenticator, { password: 'wrong' });
      expect(verdict).toMatchObject({ ok: false, status: 401 });
      expect(challenges(verdict)[0]!.has('stale')).toBe(false);
    }
    expect((await login(authenticator)).verdict).toMatchObject({ ok: false, status: 403 });
    clock.advance(60_000);
    expect((await login(authenticator)).verdict.ok).toBe(true);
  });

  it('tells an unknown user what it tells a wrong password', async () => {
    const { authenticator, outcomes } = setUp();
    const strip = (verdict: AuthVerdict): object[] =>
      challenges(verdict).map((params) => ({ ...Object.fromEntries(params), nonce: '' }));
    const unknown = await login(authenticator, { user: 'nobody' });
    const wrong = await login(authenticator, { password: 'wrong' });

    expect(strip(unknown.verdict)).toEqual(strip(wrong.verdict));
    expect(outcomes.filter((outcome) => outcome === 'refused')).toHaveLength(2);
  });

  it('7616-5.5-a a replayed request gets stale=true, the next count is taken', async () => {
    const { authenticator } = setUp();
    const { request, client } = await login(authenticator);
    const replay = await authenticator.check(request, SOURCE);
    expect(challenges(replay)[0]!.get('stale')).toBe('true');
    const next = withCredentials(register(), client, 3);
    expect((await authenticator.check(next, SOURCE)).ok).toBe(true);
  });

  it('7616-5.5-a a nonce of a server before a restart gets stale=true when the rest is right', async () => {
    const { client } = await login(setUp().authenticator);
    const restarted = setUp();
    const verdict = await restarted.authenticator.check(
      withCredentials(register(), client, 3),
      SOURCE,
    );
    expect(challenges(verdict)[0]!.get('stale')).toBe('true');
    const { client: wrong } = await login(setUp().authenticator, { password: 'wrong' });
    const refused = await restarted.authenticator.check(
      withCredentials(register(), wrong, 3),
      SOURCE,
    );
    expect(challenges(refused)[0]!.has('stale')).toBe(false);
    expect(restarted.outcomes).toEqual(['stale', 'refused']);
  });

  it('3261-22.2-a a scan of many names from one source ends at 403, and others go on', async () => {
    const { authenticator, outcomes } = setUp();
    for (let i = 0; i < 100; i++) {
      const { verdict } = await login(authenticator, { user: `${100 + i}`, password: '1234' });
      expect(verdict).toMatchObject({ ok: false, status: 401 });
    }
    const { verdict, request } = await login(authenticator, { user: '999', password: '1234' });
    expect(verdict).toMatchObject({ ok: false, status: 403 });
    expect(outcomes.at(-1)).toBe('limited');
    expect(await authenticator.check(request, '192.0.2.99')).toMatchObject({ status: 401 });
  });

  it('3261-22.2-a a source that has a whole IPv6 network is one source', async () => {
    const { authenticator } = setUp();
    const { request } = await login(authenticator, { password: 'wrong' });
    const statuses: unknown[] = [];
    for (const host of ['1', '2', '3', '4']) {
      const verdict = await authenticator.check(request, `2001:db8:0:1::${host}`);
      statuses.push(verdict.ok || verdict.status);
    }
    expect(statuses).toEqual([401, 401, 401, 403]);
    expect(await authenticator.check(request, '2001:db8:0:2::1')).toMatchObject({ status: 401 });
  });

  it('8760-2.6-a takes the uri of the credentials, which a proxy may have made another one', async () => {
    const { authenticator } = setUp();
    const { client } = await login(authenticator);
    const request = withCredentials(register(), client, 3);
    const rewritten = buildRequest({
      method: 'REGISTER',
      uri: 'sip:registrar.example.com;transport=tcp',
      from: '<sip:bob@example.com>;tag=1',
      to: '<sip:bob@example.com>',
      callId: 'c',
      cseq: 3,
      headers: [['Authorization', request.headers.get('Authorization')!]],
    });
    expect(request.headers.get('Authorization')).toContain('uri="sip:example.com"');
    expect((await authenticator.check(rewritten, SOURCE)).ok).toBe(true);
  });

  it('3261-22.4-a an old nonce with good credentials gets stale=true, and the client goes on', async () => {
    const { authenticator, clock } = setUp();
    const { client } = await login(authenticator);
    clock.advance(300_001);
    const late = withCredentials(register(), client, 3);
    const verdict = await authenticator.check(late, SOURCE);
    expect(challenges(verdict)[0]!.get('stale')).toBe('true');
    if (verdict.ok) throw new Error('unreachable');
    const response = buildResponse(late, 401, { headers: verdict.headers });
    expect(client.challenged(late, response)).toBe(true);
    expect((await authenticator.check(withCredentials(late, client, 4), SOURCE)).ok).toBe(true);
  });

  it('8760-2.6-8 a client without qop is accepted, once a nonce', async () => {
    const { authenticator } = setUp();
    const [challenge] = challenges(await authenticator.check(register(), SOURCE));
    const withoutQop = new Map(challenge);
    withoutQop.delete('qop');
    const value = [...withoutQop].map(([name, text]) => `${name}="${text}"`).join(', ');
    const client = new DigestClient({ username: 'bob', password: 'secret' });
    const headers = [['WWW-Authenticate', `Digest ${value}`]] as const;
    client.challenged(register(), buildResponse(register(), 401, { headers }));
    const request = withCredentials(register(), client, 2);
    expect(request.headers.get('Authorization')).not.toContain('qop');
    expect((await authenticator.check(request, SOURCE)).ok).toBe(true);
    expect((await authenticator.check(request, SOURCE)).ok).toBe(false);
  });

  it('does not take an algorithm that it did not offer', async () => {
    const weak = setUp(['MD5']);
    const strong = setUp(['SHA-256']);
    const { request } = await login(weak.authenticator);

    expect((await strong.authenticator.check(request, SOURCE)).ok).toBe(false);
    expect(strong.outcomes).toEqual(['refused']);
  });

  it('3261-22.2-a guesses that come all at once are limited like those one after the other', async () => {
    const { authenticator, outcomes } = setUp();
    const { request } = await login(authenticator, { password: 'wrong' });
    await Promise.all(Array.from({ length: 20 }, () => authenticator.check(request, SOURCE)));
    expect(outcomes.filter((each) => each === 'refused')).toHaveLength(3);
    expect(outcomes.filter((each) => each === 'limited')).toHaveLength(18);
  });

  it('does not repeat a password that was refused', async () => {
    const { authenticator } = setUp();
    const { request, client, verdict } = await login(authenticator, { password: 'wrong' });
    if (verdict.ok) throw new Error('accepted');
    const again = buildResponse(request, 401, { headers: verdict.headers });

    expect(client.challenged(request, again)).toBe(false);
  });
});
