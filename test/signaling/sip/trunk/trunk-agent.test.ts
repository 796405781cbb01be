import { beforeEach, describe, expect, it } from '@jest/globals';
import { silentLogger } from '../../../../base/index.ts';
import {
  buildResponse,
  parseNameAddr,
  type ExtraHeaders,
  type SipRequest,
} from '../../../../signaling/sip/message/index.ts';
import type { ClientTransactionUser } from '../../../../signaling/sip/transaction/index.ts';
import { TrunkAgent } from '../../../../signaling/sip/trunk/index.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

interface Sent {
  request: SipRequest;
  user: ClientTransactionUser;
}

const CHALLENGE = 'Digest realm="p", nonce="n", algorithm=MD5, qop="auth"';

let clock: FakeClock;
let sent: Sent[];
let statuses: object[];
let agent: TrunkAgent;

beforeEach(() => {
  clock = new FakeClock();
  sent = [];
  statuses = [];
  agent = new TrunkAgent(
    {
      name: 'provider',
      host: 'sip.example.net',
      transport: 'udp',
      username: 'office',
      password: 'secret',
      register: true,
      allowedAddresses: [],
      didRoutes: [],
      createdAt: 0,
    },
    {
      sender: {
        request: (request, _target, user) => {
          sent.push({ request, user });

          return { request, isProceeding: false, isPending: true };
        },
      },
      localAddressFor: () => ({ address: '192.0.2.1', port: 5060 }),
      product: 'Parley/test',
      probeMs: 30_000,
      clock,
      logger: silentLogger,
      random: () => 0,
      onStatus: (change) => statuses.push(change),
    },
  );
  agent.start();
});

/** The last request of a method, and an answer to it. */
function last(method: string): Sent {
  return sent.findLast(({ request }) => request.method === method)!;
}

function answer(method: string, status: number, headers: ExtraHeaders = []): void {
  const { request, user } = last(method);
  user.onResponse(buildResponse(request, status, { headers }));
}

function count(method: string): number {
  return sent.filter(({ request }) => request.method === method).length;
}

describe('the registration at a provider', () => {
  it('3261-22.1-a answers the challenge with the same Call-ID and a higher CSeq', () => {
    const first = last('REGISTER').request;
    expect(first.uri.text).toBe('sip:sip.example.net');
    expect(first.contact!.uri.text).toBe('sip:office@192.0.2.1:5060');
    answer('REGISTER', 401, [['WWW-Authenticate', CHALLENGE]]);
    const second = last('REGISTER').request;
    expect(second.callId).toBe(first.callId);
    expect(second.cseq.sequence).toBe(first.cseq.sequence + 1);
    expect(second.headers.get('Authorization')).toContain('username="office"');
    answer('REGISTER', 200, [['Expires', '120']]);
    expect(statuses).toEqual([{ registration: 'registered' }]);
  });

  it('is refreshed in time, by the expires of its own binding, with credentials at once', () => {
    answer('REGISTER', 401, [['WWW-Authenticate', CHALLENGE]]);
    answer('REGISTER', 200, [
      ['Contact', '<sip:office@192.0.2.7:5060>;expires=3000'],
      ['Contact', '<sip:office@192.0.2.1:5060>;expires=100'],
    ]);
    clock.advance(79_999);
    expect(count('REGISTER')).toBe(2);
    clock.advance(1);
    expect(count('REGISTER')).toBe(3);
    const { request } = last('REGISTER');
    expect(request.headers.get('Authorization')).toContain('nc=00000002');
    expect(request.cseq.sequence).toBe(3);
  });

  it('3261-10.3-3 asks for longer when the provider says so', () => {
    answer('REGISTER', 423, [['Min-Expires', '600']]);
    expect(last('REGISTER').request.headers.get('Expires')).toBe('600');
  });

  it('waits longer after each failure, as long as Retry-After asks, and tells why', () => {
    last('REGISTER').user.onFailure('timeout');
    expect(statuses).toEqual([{ registration: 'failed', reason: 'no answer' }]);
    clock.advance(15_000);
    expect(count('REGISTER')).toBe(2);
    answer('REGISTER', 403);
    expect(statuses.at(-1)).toEqual({ registration: 'failed', reason: '403 Forbidden' });
    clock.advance(29_999);
    expect(count('REGISTER')).toBe(2);
    clock.advance(1);
    expect(count('REGISTER')).toBe(3);
    answer('REGISTER', 503, [['Retry-After', '300 (later)']]);
    clock.advance(299_999);
    expect(count('REGISTER')).toBe(3);
    clock.advance(1);
    expect(count('REGISTER')).toBe(4);
  });

  it('a wrong password is not repeated', () => {
    answer('REGISTER', 401, [['WWW-Authenticate', CHALLENGE]]);
    answer('REGISTER', 401, [['WWW-Authenticate', CHALLENGE]]);
    expect(count('REGISTER')).toBe(2);
    expect(statuses).toEqual([{ registration: 'failed', reason: '401 Unauthorized' }]);
  });

  it('is taken back at the end, and nothing is left running', () => {
    answer('REGISTER', 200);
    agent.close();
    expect(last('REGISTER').request.headers.get('Expires')).toBe('0');
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('probing', () => {
  it('any answer means up, silence twice means down', () => {
    answer('OPTIONS', 404);
    expect(statuses).toEqual([{ state: 'up' }]);
    clock.advance(30_000);
    last('OPTIONS').user.onFailure('timeout');
    expect(statuses).toHaveLength(1);
    clock.advance(30_000);
    answer('OPTIONS', 503);
    expect(statuses.at(-1)).toEqual({ state: 'down', reason: '503 Service Unavailable' });
    clock.advance(30_000);
    answer('OPTIONS', 200);
    expect(statuses.at(-1)).toEqual({ state: 'up' });
  });

  it('who never answered is down at once', () => {
    last('OPTIONS').user.onFailure('transport-error');
    expect(statuses).toEqual([{ state: 'down', reason: 'not reachable' }]);
  });

  it('asks as the customer, with a dialog of its own each time', () => {
    const first = last('OPTIONS').request;
    expect(parseNameAddr(first.headers.get('From')!)!.uri.text).toBe('sip:office@sip.example.net');
    answer('OPTIONS', 200);
    clock.advance(30_000);
    expect(last('OPTIONS').request.callId).not.toBe(first.callId);
  });
});
