/** Certificates and who is trusted, as settings. */
import type { SettingReader } from './setting-reader.ts';

export interface TlsFiles {
  cert: Buffer;
  key: Buffer;
}

export interface SipTlsSettings extends TlsFiles {
  /** Authorities trusted beside the well-known ones; of clients, these alone. */
  ca?: Buffer;
  requireClientCertificate: boolean;
}

interface FileReader {
  readFile(path: string): Buffer;
}

/** Both files or none. */
export function readTls(reader: SettingReader, system: FileReader): TlsFiles | undefined {
  const given = { TLS_CERT: reader.text('TLS_CERT'), TLS_KEY: reader.text('TLS_KEY') };
  if (given.TLS_CERT === undefined && given.TLS_KEY === undefined) return undefined;
  const read = (variable: 'TLS_CERT' | 'TLS_KEY'): Buffer | undefined => {
    if (given[variable] === undefined) {
      reader.problem(variable, '(unset)', 'set when the other one of TLS_CERT, TLS_KEY is');

      return undefined;
    }

    return readPem(reader, system, variable);
  };
  const cert = read('TLS_CERT');
  const key = read('TLS_KEY');

  return cert === undefined || key === undefined ? undefined : { cert, key };
}

function readPem(reader: SettingReader, system: FileReader, variable: string): Buffer | undefined {
  return reader.parsed(variable, undefined, 'a readable PEM file', (path) => {
    try {
      const bytes = system.readFile(path);

      return bytes.includes('-----BEGIN ') ? bytes : undefined;
    } catch {
      return undefined;
    }
  });
}

/** What of it concerns SIP alone. */
export function readSipTls(
  reader: SettingReader,
  system: FileReader,
  tls: TlsFiles | undefined,
): SipTlsSettings | undefined {
  const ca = readPem(reader, system, 'SIP_TLS_CA');
  const requireClientCertificate = reader.boolean('SIP_TLS_CLIENT_CERT', false);
  if (requireClientCertificate && (ca === undefined || tls === undefined)) {
    reader.problem('SIP_TLS_CLIENT_CERT', 'true', 'false unless SIP_TLS_CA and TLS_CERT are set');
  }

  return tls && { ...tls, requireClientCertificate, ...(ca !== undefined && { ca }) };
}
