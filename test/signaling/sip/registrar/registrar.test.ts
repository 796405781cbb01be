import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { silentLogger } from '../../../../base/index.ts';
import { DigestAuthenticator, DigestClient } from '../../../../signaling/sip/auth/index.ts';
import {
  buildRequest,
  type ExtraHeaders,
  type SipRequest,
  type SipResponse,
} from '../../../../signaling/sip/message/index.ts';
import { Registrar } from '../../../../signaling/sip/registrar/index.ts';
import type { ServerTransaction } from '../../../../signaling/sip/transaction/index.ts';
import { withCredentials } from '../../../../signaling/sip/ua/index.ts';
import { Books } from '../../../server/account-harness.ts';

const REMOTE = { address: '192.0.2.1', port: 5070 };

let books: Books;
let registrar: Registrar;

beforeEach(async () => {
  books = new Books();
  const { accounts, clock } = books;
  await accounts.create({ username: 'bob', password: 'secret' });
  await accounts.create({ username: 'carol', password: 'other' });
  registrar = new Registrar({
    store: accounts,
    authenticator: new DigestAuthenticator({
      realm: accounts.realm,
      algorithms: ['MD5'],
      credentials: accounts,
      clock,
      logger: silentLogger,
    }),
    isOurHost: (host) => host === 'example.com',
    product: 'Parley/test',
    clock,
    logger: silentLogger,
  });
});

interface Parts {
  uri?: string;
  to?: string;
  contact?: string;
  headers?: ExtraHeaders;
  cseq?: number;
}

function register(parts: Parts = {}): SipRequest {
  const { uri = 'sip:example.com', to = 'sip:bob@example.com', contact, cseq = 1 } = parts;

  return buildRequest({
    method: 'REGISTER',
    uri,
    from: '<sip:bob@example.com>;tag=1',
    to: `<${to}>`,
    callId: 'c',
    cseq,
    contact,
    headers: [['Via', 'SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK1'], ...(parts.headers ?? [])],
  });
}

function send(request: SipRequest): Promise<SipResponse> {
  return new Promise((resolve) => {
    const flow = {
      protocol: 'UDP',
      remote: REMOTE,
      local: REMOTE,
      connectionId: undefined,
    } as const;
    const transaction: ServerTransaction = {
      request,
      info: { flow },
      user: undefined,
      isPending: true,
      respond: resolve,
    };
    registrar.receive(transaction);
  });
}

/** Sends it, answers the challenge. */
async function login(parts: Parts = {}, password = 'secret'): Promise<SipResponse> {
  const first = register(parts);
  const client = new DigestClient({ username: 'bob', password });
  const challenge = await send(first);
  expect(challenge.status).toBe(401);
  expect(client.challenged(first, challenge)).toBe(true);

  return send(withCredentials(first, client, (parts.cseq ?? 1) + 1));
}

describe('3261-10.3-1 who may register what', () => {
  it.each<[string, Parts, number]>([
    ['a domain that is not ours', { uri: 'sip:example.org' }, 403],
    ['an address of record that is no SIP URI', { to: 'nobodyknows:bob' }, 400],
    ['a Request-URI that is no SIP URI', { uri: 'nobodyknows:x' }, 416],
  ])('%s is refused before any challenge', async (_, parts, status) => {
    expect((await send(register(parts))).status).toBe(status);
  });

  it('Require of what we do not have is 420', async () => {
    const response = await send(register({ headers: [['Require', 'path, gruu']] }));
    expect(response.status).toBe(420);
    expect(response.headers.get('Unsupported')).toBe('gruu');
  });

  it('another account is 403, an unknown one 404, a wrong password 401', async () => {
    const contact = '<sip:bob@192.0.2.1:5070>';
    expect((await login({ to: 'sip:carol@example.com', contact })).status).toBe(403);
    expect((await login({ to: 'sip:nobody@example.com', contact })).status).toBe(404);
    expect((await login({ contact }, 'wrong')).status).toBe(401);
    expect(await books.accounts.bindings('carol')).toEqual([]);
  });
});

describe('3261-10.3-5 a store that fails', () => {
  it('is 500, and the bindings are as they were', async () => {
    const { accounts } = books;
    await login({ contact: '<sip:bob@192.0.2.1:5070>' });
    const before = await accounts.bindings('bob');
    const save = jest.spyOn(accounts, 'saveBindings').mockRejectedValueOnce(new Error('no store'));
    const contact = '<sip:bob@192.0.2.2:5070>, <sip:bob@192.0.2.3:5070>';
    expect((await login({ cseq: 10, contact })).status).toBe(500);
    expect(save).toHaveBeenCalledTimes(1);
    expect(await accounts.bindings('bob')).toEqual(before);
    // The next one is served.
    expect((await login({ cseq: 20, contact })).status).toBe(200);
    expect(await accounts.bindings('bob')).toHaveLength(3);
  });
});

describe('3261-10.3-6 the 200', () => {
  it('lists every binding with its time left, and Date; a fetch changes nothing', async () => {
    await login({ contact: '<sip:bob@192.0.2.1:5070>;audio', headers: [['Expires', '600']] });
    books.clock.advance(100_000);
    const response = await login({ cseq: 10 });
    expect(response.status).toBe(200);
    expect(response.headers.getAll('Contact')).toEqual([
      '<sip:bob@192.0.2.1:5070>;audio;expires=500',
    ]);
    expect(response.headers.get('Date')).toBe('Thu, 01 Jan 2026 00:01:40 GMT');
    expect(await books.accounts.bindings('bob')).toHaveLength(1);
  });

  it('3261-10.3-3 too short is 423 and stores nothing', async () => {
    const response = await login({
      contact: '<sip:bob@192.0.2.1:5070>',
      headers: [['Expires', '5']],
    });
    expect(response.status).toBe(423);
    expect(response.headers.get('Min-Expires')).toBe('60');
    expect(await books.accounts.bindings('bob')).toEqual([]);
  });

  it('5626-6-a says Require: outbound, and gives Path back to those who know it', async () => {
    const response = await login({
      contact: '<sip:bob@192.0.2.1>;+sip.instance="<urn:uuid:1>";reg-id=1',
      headers: [
        ['Supported', 'path, outbound'],
        ['Path', '<sip:edge.example.com;lr;ob>'],
      ],
    });
    expect(response.headers.get('Require')).toBe('outbound');
    expect(response.headers.get('Path')).toBe('<sip:edge.example.com;lr;ob>');
  });
});
