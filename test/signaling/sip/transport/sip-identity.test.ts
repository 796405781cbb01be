import { describe, expect, it } from '@jest/globals';
import type { PeerCertificate } from 'node:tls';
import {
  certificateDomains,
  checkSipIdentity,
} from '../../../../signaling/sip/transport/sip-identity.ts';

function certificate(subjectaltname: string | undefined, common?: string): PeerCertificate {
  return { subjectaltname, subject: { CN: common } } as unknown as PeerCertificate;
}

describe('5922-7.3-a the domains of a certificate: SIP URIs first, else DNS names', () => {
  it.each([
    ['URI:sip:example.com, DNS:other.example', ['example.com']],
    ['URI:SIP:Example.COM', ['example.com']],
    ['URI:sip:alice@example.com, DNS:example.com', ['example.com']],
    ['URI:https://example.com, DNS:b.example', ['b.example']],
    ['DNS:a.example, DNS:b.example, IP Address:192.0.2.1', ['a.example', 'b.example']],
    ['URI:"sip:a.example, DNS:evil.example"', []],
  ])('%s', (names, domains) => {
    expect(certificateDomains(certificate(names, 'cn.example'))).toEqual(domains);
  });

  it('takes the common name only where there is no alternative name', () => {
    expect(certificateDomains(certificate(undefined, 'cn.example'))).toEqual(['cn.example']);
    expect(certificateDomains(certificate('IP Address:192.0.2.1', 'cn.example'))).toEqual([]);
  });
});

describe('RFC 5922 7.2: comparing domains', () => {
  it('is case insensitive and of the whole name', () => {
    const own = certificate('URI:sip:example.com');
    expect(checkSipIdentity('EXAMPLE.com', own)).toBeUndefined();
    expect(checkSipIdentity('foo.example.com', own)).toBeInstanceOf(Error);
    expect(checkSipIdentity('com', own)).toBeInstanceOf(Error);
  });

  it('5922-7.2-a matches no wildcard', () => {
    const wild = certificate('DNS:*.example.com');
    expect(checkSipIdentity('foo.example.com', wild)).toBeInstanceOf(Error);
  });

  it('holds an address to the addresses of the certificate', () => {
    const own = certificate('DNS:example.com, IP Address:192.0.2.1');
    expect(checkSipIdentity('192.0.2.1', own)).toBeUndefined();
    expect(checkSipIdentity('192.0.2.2', own)?.message).toMatch(/192\.0\.2\.2/);
  });
});
