import { describe, expect, it } from '@jest/globals';
import { DigestClient, parseDigest } from '../../../../signaling/sip/auth/index.ts';
import {
  buildRequest,
  buildResponse,
  type SipRequest,
} from '../../../../signaling/sip/message/index.ts';
import { withCredentials } from '../../../../signaling/sip/ua/index.ts';

function register(): SipRequest {
  return buildRequest({
    method: 'REGISTER',
    uri: 'sip:example.com',
    from: '<sip:bob@example.com>;tag=1',
    to: '<sip:bob@example.com>',
    callId: 'c',
    cseq: 1,
  });
}

describe('the client of digest', () => {
  function answer(values: string[], header: 'WWW-Authenticate' | 'Proxy-Authenticate') {
    const client = new DigestClient({ username: 'bob', password: 'secret' }, () => 'cnonce');
    const status = header === 'WWW-Authenticate' ? 401 : 407;
    const headers = values.map((value): [string, string] => [header, value]);
    const isMended = client.challenged(register(), buildResponse(register(), status, { headers }));

    return { isMended, headers: client.headersFor(register()) };
  }

  it('8760-2.4-a uses the topmost challenge that it knows and ignores the rest', () => {
    const { headers } = answer(
      [
        'Digest realm="r", nonce="1", algorithm=AKAv1-MD5, qop="auth"',
        'Digest realm="r", nonce="2", algorithm=SHA-256, qop="auth"',
        'Digest realm="r", nonce="3", algorithm=MD5, qop="auth"',
      ],
      'Proxy-Authenticate',
    );
    expect(headers).toHaveLength(1);
    expect(headers[0]![0]).toBe('Proxy-Authorization');
    const params = parseDigest(headers[0]![1])!;
    expect(params.get('nonce')).toBe('2');
    expect(params.get('algorithm')).toBe('SHA-256');
    expect(params.get('nc')).toBe('00000001');
  });

  it('8760-2.6-8 answers with the qop and the algorithm that it was asked with', () => {
    for (const algorithm of ['MD5', 'SHA-256', 'SHA-512-256']) {
      const value = `Digest realm="r", nonce="1", algorithm=${algorithm}, qop="auth-int, auth"`;
      const { headers } = answer([value], 'WWW-Authenticate');
      const params = parseDigest(headers[0]![1])!;
      expect(params.get('algorithm')).toBe(algorithm);
      expect(params.get('qop')).toBe('auth');
      expect(params.get('cnonce')).toBe('cnonce');
      expect(params.get('nc')).toBe('00000001');
    }
  });

  it('8760-2.4-a answers each realm, and each by its topmost', () => {
    const { headers } = answer(
      [
        'Digest realm="a", nonce="1", algorithm=MD5, qop="auth"',
        'Digest realm="b", nonce="2", algorithm=SHA-256, qop="auth"',
        'Digest realm="b", nonce="3", algorithm=MD5, qop="auth"',
      ],
      'Proxy-Authenticate',
    );
    expect(headers.map(([, text]) => parseDigest(text)!.get('nonce'))).toEqual(['1', '2']);
  });

  it('echoes opaque, and the algorithm only where there was one', () => {
    const { headers } = answer(['Digest realm="r", nonce="1", opaque="o"'], 'WWW-Authenticate');
    const params = parseDigest(headers[0]![1])!;

    expect(params.has('cnonce')).toBe(false);
    expect(params.get('opaque')).toBe('o');
    expect(params.has('algorithm')).toBe(false);
    expect(params.has('qop')).toBe(false);
  });

  it('has no answer to Basic, or to a qop that it does not know', () => {
    expect(answer(['Basic realm="r"'], 'WWW-Authenticate').isMended).toBe(false);
    expect(answer(['Digest realm="r", nonce="1", qop="token"'], 'WWW-Authenticate').isMended).toBe(
      false,
    );
  });

  it('answers again where a nonce that was good before is refused without stale', () => {
    const client = new DigestClient({ username: 'bob', password: 'secret' });
    const challenge = (request: SipRequest, nonce: string): boolean => {
      const value = `Digest realm="r", nonce="${nonce}", qop="auth"`;
      const headers = [['WWW-Authenticate', value]] as const;

      return client.challenged(request, buildResponse(request, 401, { headers }));
    };
    expect(challenge(register(), 'one')).toBe(true);
    // Accepted, and used for the next one, which comes when the registrar has forgotten it.
    withCredentials(register(), client, 2);
    const refresh = withCredentials(register(), client, 3);
    expect(challenge(refresh, 'two')).toBe(true);
    const again = withCredentials(refresh, client, 4);
    expect(parseDigest(again.headers.get('Authorization')!)?.get('nonce')).toBe('two');
    // The first answer to a new nonce: now it is the password.
    expect(challenge(again, 'three')).toBe(false);
  });

  it('does not repeat an answer to the same nonce, however often it was good', () => {
    const client = new DigestClient({ username: 'bob', password: 'secret' });
    const value = 'Digest realm="r", nonce="one", qop="auth"';
    const headers = [['WWW-Authenticate', value]] as const;
    client.challenged(register(), buildResponse(register(), 401, { headers }));
    withCredentials(register(), client, 2);
    const second = withCredentials(register(), client, 3);
    expect(client.challenged(second, buildResponse(second, 401, { headers }))).toBe(false);
  });
});
