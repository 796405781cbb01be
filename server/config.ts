/** Size: one short function for each section of the settings. */
import { readFileSync } from 'node:fs';
import { availableParallelism, networkInterfaces } from 'node:os';
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { LOG_LEVELS } from '../base/index.ts';
import type { LogLevel } from '../base/index.ts';
import type { MediaSettings } from '../media/index.ts';
import { dial } from './dial-plan.ts';
import { SettingReader } from './setting-reader.ts';
import { readSipTls, readTls } from './tls-settings.ts';
import type { SipTlsSettings, TlsFiles } from './tls-settings.ts';

export type { SipTlsSettings, TlsFiles } from './tls-settings.ts';

export type DigestAlgorithm = 'MD5' | 'SHA-256';
/** Whether calls are encrypted: never, when the far end can, or all of them. */
export type SrtpPolicy = 'off' | 'optional' | 'required';

export interface HttpSettings {
  host: string;
  /** 0: any free port. */
  port: number;
  tls?: TlsFiles;
}

export interface SipSettings {
  /** Addresses to listen on. */
  hosts: readonly string[];
  port: number;
  tlsPort: number;
  tls?: SipTlsSettings;
  /** Origins of other hosts' pages that may use SIP over WebSocket. */
  wsOrigins: readonly string[];
  /** The domain of addresses of record. */
  domain: string;
  publicAddress: string;
  /** Requests outside dialogs of one source, a second. */
  rateLimit: number;
  /** Between two OPTIONS to a trunk that ask whether it lives. */
  trunkProbeMs: number;
  /** RFC 3261 17.1.1.1. */
  t1Ms: number;
  /** How long the room's changes are gathered before they go to a phone as one re-INVITE; 0: each goes alone. */
  reinviteWindowMs: number;
  guests: boolean;
  /** In the order of the challenges. */
  digestAlgorithms: readonly DigestAlgorithm[];
  /** User part that makes a new room for whoever dials it. */
  conferenceFactory: string;
  srtp: SrtpSettings;
}

export interface SrtpSettings {
  /** Of whoever has no policy of its own. */
  policy: SrtpPolicy;
  /** Keys that signalling without TLS shows to everybody on the way (RFC 4568 8.3). */
  withoutTls: 'accept' | 'refuse';
}

export interface RoomsSettings {
  autoCreate: boolean;
  maxParticipants: number;
  /** How long a browser that lost its connection keeps its seat. */
  reconnectTimeoutMs: number;
}

/** What is spoken to phones. */
export interface PromptSettings {
  language: string;
}

/** Bounds of what calls out may cost. */
export interface DialOutSettings {
  perRoom: number;
  perAccount: number;
  trunkPerRoomAndHour: number;
}

export interface WebhookSettings {
  url: URL;
  secret: string;
}

export interface Config {
  http: HttpSettings;
  sip: SipSettings;
  media: MediaSettings;
  redis: { url?: string };
  cdrs: { retentionDays: number; maxRecords: number };
  rooms: RoomsSettings;
  dialOut: DialOutSettings;
  prompts: PromptSettings;
  log: { level: LogLevel };
  webhook?: WebhookSettings;
  dataDir: string;
  /** Unset: `loadApiKey` makes one. */
  apiKey?: string;
}

/** What the defaults depend on; tests bring their own. */
export interface ConfigSystem {
  cores(): number;
  /** The first IPv4 address that others can reach. */
  routableAddress(): string | undefined;
  readFile(path: string): Buffer;
}

const HOST_NAME = /^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/;
const DIGEST_ALGORITHMS: readonly DigestAlgorithm[] = ['MD5', 'SHA-256'];
export const SRTP_POLICIES: readonly SrtpPolicy[] = ['off', 'optional', 'required'];
const MAX_PORT = 65_535;

/** Every setting, checked and frozen; throws ConfigError that names all bad ones at once. */
export function parseConfig(
  env: Readonly<Record<string, string | undefined>>,
  system: ConfigSystem = realSystem,
): Config {
  const reader = new SettingReader(env);
  const tls = readTls(reader, system);
  const publicAddress = reader.parsed(
    'PUBLIC_ADDRESS',
    system.routableAddress() ?? '127.0.0.1',
    'an IPv4 or IPv6 address',
    (text) => (isIP(text) === 0 ? undefined : text),
  );
  const webhook = readWebhook(reader);
  const redisUrl = readRedisUrl(reader);
  const apiKey = readApiKey(reader);
  const config: Config = {
    http: {
      host: readHost(reader, 'HTTP_HOST'),
      port: reader.integer('HTTP_PORT', 3000, 0, MAX_PORT),
      ...(tls !== undefined && { tls }),
    },
    sip: readSip(reader, publicAddress, readSipTls(reader, system, tls)),
    media: readMedia(reader, publicAddress, system),
    redis: { ...(redisUrl !== undefined && { url: redisUrl }) },
    cdrs: {
      retentionDays: reader.integer('CDR_RETENTION_DAYS', 90, 0, 36_500),
      maxRecords: reader.integer('CDR_MAX_RECORDS', 100_000, 1, 10_000_000),
    },
    rooms: {
      autoCreate: reader.boolean('ROOM_AUTO_CREATE', true),
      maxParticipants: reader.integer('MAX_ROOM_PARTICIPANTS', 500, 1, 100_000),
      reconnectTimeoutMs: reader.integer('RECONNECT_TIMEOUT_S', 15, 1, 3600) * 1000,
    },
    dialOut: {
      perRoom: reader.integer('DIAL_OUT_PER_ROOM', 20, 0, 100_000),
      perAccount: reader.integer('DIAL_OUT_PER_ACCOUNT', 5, 0, 1000),
      trunkPerRoomAndHour: reader.integer('DIAL_OUT_TRUNK_PER_HOUR', 60, 0, 1_000_000),
    },
    prompts: {
      language: reader.parsed(
        'PROMPT_LANGUAGE',
        'en',
        'a language of two or three small letters',
        (text) => (/^[a-z]{2,3}$/.test(text) ? text : undefined),
      ),
    },
    log: { level: reader.oneOf('LOG_LEVEL', 'info', LOG_LEVELS) },
    dataDir: resolve(reader.text('DATA_DIR') ?? './data'),
    ...(webhook !== undefined && { webhook }),
    ...(apiKey !== undefined && { apiKey }),
  };
  checkPorts(reader, config);
  reader.finish();

  return freeze(config);
}

function readHost(reader: SettingReader, variable: string): string {
  return reader.parsed(variable, '0.0.0.0', 'an IPv4 or IPv6 address or a host name', parseHost);
}

function parseHost(text: string): string | undefined {
  const bare = text.replace(/^\[(.*)\]$/, '$1');

  return isIP(bare) !== 0 || HOST_NAME.test(bare) ? bare : undefined;
}

function parseHosts(text: string): string[] | undefined {
  const list = text.split(',').map((part) => parseHost(part.trim()));
  const known = list.filter((host) => host !== undefined);

  return known.length === list.length && new Set(known).size === known.length ? known : undefined;
}

function readSip(
  reader: SettingReader,
  publicAddress: string,
  tls: SipTlsSettings | undefined,
): SipSettings {
  return {
    hosts: reader.parsed(
      'SIP_HOST',
      ['0.0.0.0'] as const,
      'IPv4 or IPv6 addresses or host names, comma-separated and without doubles',
      parseHosts,
    ),
    port: reader.integer('SIP_PORT', 5060, 1, MAX_PORT),
    tlsPort: reader.integer('SIP_TLS_PORT', 5061, 1, MAX_PORT),
    ...(tls !== undefined && { tls }),
    wsOrigins: reader.parsed('SIP_WS_ORIGINS', [] as const, '* or https://host, …', parseOrigins),
    domain: reader.parsed('SIP_DOMAIN', publicAddress, 'a host name or an IP address', (text) =>
      HOST_NAME.test(text) || isIP(text) !== 0 ? text : undefined,
    ),
    publicAddress,
    rateLimit: reader.integer('SIP_RATE_LIMIT', 200, 1, 1_000_000),
    trunkProbeMs: reader.integer('TRUNK_PROBE_S', 30, 1, 3600) * 1000,
    t1Ms: reader.integer('SIP_T1_MS', 500, 10, 10_000),
    reinviteWindowMs: reader.integer('REINVITE_WINDOW_MS', 250, 0, 10_000),
    guests: reader.boolean('SIP_GUESTS', true),
    digestAlgorithms: reader.parsed(
      'SIP_DIGEST_ALGORITHMS',
      ['MD5'] as const,
      `a list, comma-separated and without doubles, of ${DIGEST_ALGORITHMS.join(', ')}`,
      parseDigestAlgorithms,
    ),
    conferenceFactory: reader.parsed(
      'SIP_CONFERENCE_FACTORY',
      'conference',
      'a room name of letters, digits and hyphens',
      (text) => {
        const target = dial(text);

        return target.ok && target.pin === undefined ? target.room : undefined;
      },
    ),
    srtp: {
      policy: reader.oneOf('SRTP_POLICY', 'optional', SRTP_POLICIES),
      withoutTls: reader.oneOf('SRTP_WITHOUT_TLS', 'accept', ['accept', 'refuse']),
    },
  };
}

function parseDigestAlgorithms(text: string): DigestAlgorithm[] | undefined {
  const list = text.split(',').map((entry) => {
    const name = entry.trim().toUpperCase();

    return DIGEST_ALGORITHMS.find((algorithm) => algorithm === name);
  });
  const known = list.filter((algorithm) => algorithm !== undefined);

  return known.length === list.length && new Set(known).size === known.length ? known : undefined;
}

function readMedia(
  reader: SettingReader,
  publicAddress: string,
  system: ConfigSystem,
): Config['media'] {
  const cores = system.cores();

  return {
    publicAddress,
    rtpPortMin: reader.integer('RTP_PORT_MIN', 40_000, 1024, MAX_PORT),
    rtpPortMax: reader.integer('RTP_PORT_MAX', 49_999, 1024, MAX_PORT),
    webRtcPort: reader.integer('WEBRTC_PORT', 44_444, 1024, MAX_PORT),
    workers: reader.integer('MEDIA_WORKERS', cores, 1, 256),
    mixerThreads: reader.integer('MIXER_THREADS', Math.max(1, Math.floor(cores / 2)), 1, 256),
    mixerMoveFrom: reader.integer('MIXER_MOVE_PERCENT', 50, 0, 100) / 100,
    rtpTimeout: reader.integer('RTP_TIMEOUT_S', 30, 1, 86_400) * 1000,
    rtpDscp: reader.integer('RTP_DSCP', 46, 0, 63),
    grid: {
      rooms: reader.integer('GRID_ROOMS', 2, 0, 64),
      framesPerSecond: reader.integer('GRID_FPS', 25, 5, 30),
      cpuShare: reader.integer('GRID_CPU_PERCENT', 80, 5, 400) / 100,
      bitrate: reader.integer('GRID_BITRATE', 1_500_000, 300_000, 6_000_000),
    },
    autoGain: reader.boolean('PHONE_AUTO_GAIN', false),
    opus: {
      bitrate: reader.integer('OPUS_BITRATE', 80_000, 6000, 510_000),
      complexity: reader.integer('OPUS_COMPLEXITY', 5, 0, 10),
    },
  };
}

/** "*", or origins as browsers send them. */
function parseOrigins(text: string): string[] | undefined {
  const list = text.split(',').map((part) => part.trim());
  const isOrigin = (part: string): boolean =>
    part === '*' || (URL.canParse(part) && new URL(part).origin === part);

  return list.every(isOrigin) ? list : undefined;
}

function readWebhook(reader: SettingReader): WebhookSettings | undefined {
  const url = reader.parsed('WEBHOOK_URL', undefined, 'an http or https URL', (text) => {
    const parsed = URL.canParse(text) ? new URL(text) : undefined;

    return parsed?.protocol === 'http:' || parsed?.protocol === 'https:' ? parsed : undefined;
  });
  if (url === undefined) return undefined;
  const secret = reader.text('WEBHOOK_SECRET');
  if (secret === undefined) {
    reader.problem('WEBHOOK_SECRET', '(unset)', 'set when WEBHOOK_URL is: it signs what is sent');

    return undefined;
  }

  return { url, secret };
}

/** Hidden when it is bad, as it may hold a password. */
function readRedisUrl(reader: SettingReader): string | undefined {
  return reader.parsed(
    'REDIS_URL',
    undefined,
    'a redis:// or rediss:// URL',
    (text) => (/^rediss?:\/\//.test(text) && URL.canParse(text) ? text : undefined),
    true,
  );
}

function readApiKey(reader: SettingReader): string | undefined {
  return reader.parsed(
    'API_KEY',
    undefined,
    'at least 16 visible characters without blanks',
    (text) => (/^[\x21-\x7e]{16,512}$/.test(text) ? text : undefined),
    true,
  );
}

/** Each is right by itself; together they must leave every listener a port of its own. */
function checkPorts(reader: SettingReader, { http, sip, media }: Config): void {
  const { rtpPortMin, rtpPortMax, webRtcPort, workers } = media;
  if (rtpPortMax < rtpPortMin + 1) {
    reader.problem('RTP_PORT_MAX', String(rtpPortMax), `above RTP_PORT_MIN (${rtpPortMin})`);
  }
  if (webRtcPort + workers - 1 > MAX_PORT) {
    reader.problem('WEBRTC_PORT', String(webRtcPort), `at most ${MAX_PORT} with all MEDIA_WORKERS`);
  }
  const tcp: [string, number][] = [
    ['HTTP_PORT', http.port],
    ['SIP_PORT', sip.port],
    ...(sip.tls === undefined ? [] : ([['SIP_TLS_PORT', sip.tlsPort]] as [string, number][])),
  ];
  for (const [index, [variable, port]] of tcp.entries()) {
    const other = tcp.slice(0, index).find(([, taken]) => taken === port);
    if (other !== undefined) {
      reader.problem(variable, String(port), `another port than ${other[0]}`);
    }
    if (port >= webRtcPort && port < webRtcPort + workers) {
      reader.problem(variable, String(port), 'outside the ports of WEBRTC_PORT and MEDIA_WORKERS');
    }
  }
}

function freeze(config: Config): Config {
  for (const section of Object.values(config) as unknown[]) {
    const plain = typeof section === 'object' && section !== null && !(section instanceof URL);
    if (plain) Object.freeze(section);
  }

  return Object.freeze(config);
}

const realSystem: ConfigSystem = {
  cores: availableParallelism,
  routableAddress: () =>
    Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .find(
        ({ family, internal, address }) =>
          family === 'IPv4' && !internal && !address.startsWith('169.254.'),
      )?.address,
  readFile: (path) => readFileSync(path),
};
