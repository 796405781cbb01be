/** What differs between SIP over TCP and over TLS. */
import { connect as connectTcp, createServer as createTcpServer, isIP } from 'node:net';
import type { Server, Socket } from 'node:net';
import { connect as connectTls, createServer as createTlsServer, rootCertificates } from 'node:tls';
import { checkSipIdentity } from './sip-identity.ts';
import type { SendTarget } from './transport.ts';

export interface StreamKind {
  readonly protocol: 'TCP' | 'TLS';
  /** What a server tells when a connection can be used. */
  readonly accepted: 'connection' | 'secureConnection';
  /** What a socket of ours tells then. */
  readonly connected: 'connect' | 'secureConnect';
  createServer(): Server;
  connect(target: SendTarget, localAddress: string | undefined): Socket;
}

export const TCP: StreamKind = {
  protocol: 'TCP',
  accepted: 'connection',
  connected: 'connect',
  createServer: () => createTcpServer(),
  connect: (target, localAddress) =>
    connectTcp({
      host: target.address,
      port: target.port,
      ...(localAddress !== undefined && { localAddress }),
    }),
};

export interface TlsSettings {
  /** PEM; shown to who calls us, and to servers that ask for one. */
  readonly cert: Buffer;
  readonly key: Buffer;
  /** PEM: who else's certificates are trusted than those of the well-known authorities. */
  readonly ca?: Buffer;
  /** Only peers with a certificate of `ca` may connect. */
  readonly requireClientCertificate?: boolean;
}

const HANDSHAKE_MS = 10_000;

export function tlsKind(settings: TlsSettings): StreamKind {
  const { cert, key, ca, requireClientCertificate = false } = settings;

  return {
    protocol: 'TLS',
    accepted: 'secureConnection',
    connected: 'secureConnect',
    createServer: () =>
      createTlsServer({
        cert,
        key,
        minVersion: 'TLSv1.2',
        handshakeTimeout: HANDSHAKE_MS,
        requestCert: requireClientCertificate,
        rejectUnauthorized: requireClientCertificate,
        ...(ca !== undefined && { ca }),
      }),
    connect: (target, localAddress) => {
      const domain = target.domain ?? target.address;

      return connectTls({
        host: target.address,
        port: target.port,
        cert,
        key,
        minVersion: 'TLSv1.2',
        ...(ca !== undefined && { ca: [...rootCertificates, ca] }),
        // RFC 6066 3: addresses are not permitted in server_name.
        ...(isIP(domain) === 0 && { servername: domain }),
        ...(localAddress !== undefined && { localAddress }),
        // RFC 5922 7.3: the SIP domain is checked, not the host that DNS led to.
        checkServerIdentity: (_host, certificate) => checkSipIdentity(domain, certificate),
      });
    },
  };
}
