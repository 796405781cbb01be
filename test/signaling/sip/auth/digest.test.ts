import { describe, expect, it } from '@jest/globals';
import {
  digestHash,
  digestResponse,
  formatDigest,
  hashA1,
  parseAlgorithm,
  parseDigest,
  type DigestAlgorithm,
} from '../../../../signaling/sip/auth/index.ts';

interface Vector {
  source: string;
  algorithm: DigestAlgorithm;
  username: string;
  realm: string;
  password: string;
  uri: string;
  nonce: string;
  cnonce: string;
  response: string;
}

const RFC_7616_NONCE = '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v';
const MUFASA = {
  username: 'Mufasa',
  realm: 'http-auth@example.org',
  password: 'Circle of Life',
  uri: '/dir/index.html',
  nonce: RFC_7616_NONCE,
  cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
};

const VECTORS: Vector[] = [
  {
    source: 'RFC 2617 3.5',
    algorithm: 'MD5',
    username: 'Mufasa',
    realm: 'testrealm@host.com',
    password: 'Circle Of Life',
    uri: '/dir/index.html',
    nonce: 'dcd98b7102dd2f0e8b11d0f600bfb0c093',
    cnonce: '0a4f113b',
    response: '6629fae49393a05397450978507c4ef1',
  },
  {
    source: 'RFC 7616 3.9.1',
    algorithm: 'MD5',
    ...MUFASA,
    response: '8ca523f5e9506fed4657c9700eebdbec',
  },
  {
    source: 'RFC 7616 3.9.1',
    algorithm: 'SHA-256',
    ...MUFASA,
    response: '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1',
  },
  {
    source: 'RFC 7616 3.9.2, with SHA-512/256 in place of the cut SHA-512 that is printed',
    algorithm: 'SHA-512-256',
    username: 'Jäsøn Doe',
    realm: 'api@example.org',
    password: 'Secret, or not?',
    uri: '/doe.json',
    nonce: '5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK',
    cnonce: 'NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v',
    response: '3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5',
  },
];

describe('7616-3.4-a the response', () => {
  it.each(VECTORS)('$source, $algorithm', (vector) => {
    const { algorithm, username, realm, password, uri, nonce, cnonce, response } = vector;
    const ha1 = hashA1(algorithm, username, realm, password);
    const qop = { value: 'auth', nc: '00000001', cnonce } as const;

    expect(digestResponse(ha1, { algorithm, method: 'GET', uri, nonce, qop })).toBe(response);
  });

  it('8760-2.6-7 auth-int without a body hashes the empty string', () => {
    const input = { algorithm: 'MD5', method: 'BYE', uri: 'sip:a@b', nonce: 'n' } as const;
    const qop = { value: 'auth-int', nc: '00000001', cnonce: 'c' } as const;
    const ha2 = digestHash('MD5', `BYE:sip:a@b:${digestHash('MD5', '')}`);
    const expected = digestHash('MD5', `h:n:00000001:c:auth-int:${ha2}`);

    expect(digestResponse('h', { ...input, qop })).toBe(expected);
    expect(digestResponse('h', { ...input, qop, body: new Uint8Array(0) })).toBe(expected);
  });
});

describe('the header', () => {
  it('is read with and without quotes, names in any case', () => {
    const params = parseDigest(
      'DIGEST Realm="a, b", nonce=x,ALGORITHM=SHA-256 , qop="auth,auth-int"',
    );

    expect(Object.fromEntries(params!)).toEqual({
      realm: 'a, b',
      nonce: 'x',
      algorithm: 'SHA-256',
      qop: 'auth,auth-int',
    });
  });

  it.each([
    'Basic dXNlcjpwYXNz',
    'Digest',
    'Digest realm="a',
    'Digest a=1, a=2',
    'Digest ="x"',
    '',
  ])('8760-2.6-a is not read: %s', (text) => {
    expect(parseDigest(text)).toBeUndefined();
  });

  it('8760-2.6-a quotes uri, and neither algorithm nor nc', () => {
    const params: [string, string][] = [
      ['username', 'a"b'],
      ['uri', 'sip:x'],
      ['algorithm', 'MD5'],
      ['nc', '00000001'],
      ['qop', 'auth'],
    ];
    expect(formatDigest(params, 'credentials')).toBe(
      'Digest username="a\\"b", uri="sip:x", algorithm=MD5, nc=00000001, qop=auth',
    );
    expect(formatDigest([['qop', 'auth']], 'challenge')).toBe('Digest qop="auth"');
  });

  it('without an algorithm means MD5; -sess and others are not known', () => {
    expect(parseAlgorithm(undefined)).toBe('MD5');
    expect(parseAlgorithm('sha-256')).toBe('SHA-256');
    expect(parseAlgorithm('MD5-sess')).toBeUndefined();
  });
});
