/** Who a certificate says its holder is, in SIP (RFC 5922); pure. */
import { isIP } from 'node:net';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';

/**
 * RFC 5922 7.1: the SIP domains that a certificate proves. A DNS name counts "if and only if no other
 * identity is found that matches the "sip" URI type", the common name "if and only if the subjectAltName
 * does not appear in the certificate".
 */
export function certificateDomains(certificate: PeerCertificate): string[] {
  const names = splitAlternativeNames(certificate.subjectaltname ?? '');
  const uris = names
    .filter(([kind]) => kind === 'URI')
    .map(([, value]) => /^sip:([a-z0-9.-]+)$/i.exec(value)?.[1]?.toLowerCase())
    .filter((domain) => domain !== undefined);
  if (uris.length > 0) return uris;
  if (names.length > 0) {
    return names.filter(([kind]) => kind === 'DNS').map(([, value]) => value.toLowerCase());
  }
  const { CN: common } = certificate.subject ?? {};

  return typeof common === 'string' && common !== '' ? [common.toLowerCase()] : [];
}

/**
 * RFC 5922 7.2: the domain must be one of them, whole: "Implementations MUST NOT match any form of
 * wildcard". A peer that is named by its address is held to the addresses of its certificate, as HTTPS
 * does.
 */
export function checkSipIdentity(domain: string, certificate: PeerCertificate): Error | undefined {
  if (isIP(domain) !== 0) return checkServerIdentity(domain, certificate);
  const domains = certificateDomains(certificate);
  if (domains.includes(domain.toLowerCase())) return undefined;

  return new Error(`the certificate is of ${domains.join(', ') || 'nobody'}, not of ${domain}`);
}

/** "DNS:a.example, URI:sip:example.com, IP Address:192.0.2.1"; values that need it are in JSON quotes. */
function splitAlternativeNames(text: string): [kind: string, value: string][] {
  const names: [string, string][] = [];
  for (const match of text.matchAll(/(?:^|, )([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,]*)/g)) {
    const value = match[2] ?? '';
    names.push([match[1] ?? '', value.startsWith('"') ? unquoteJson(value) : value]);
  }

  return names;
}

function unquoteJson(text: string): string {
  try {
    return String(JSON.parse(text));
  } catch {
    return '';
  }
}
