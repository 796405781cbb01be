import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { loadApiKey } from '../../server/api-key.ts';
import { parseConfig } from '../../server/config.ts';
import type { ConfigSystem } from '../../server/config.ts';
import { ConfigError } from '../../server/setting-reader.ts';

const system: ConfigSystem = {
  cores: () => 4,
  routableAddress: () => '192.0.2.7',
  readFile: (path) => {
    if (path.startsWith('/pem/')) return Buffer.from('-----BEGIN CERTIFICATE-----');
    throw new Error('no such file');
  },
};

function problems(env: Record<string, string>): Record<string, string> {
  try {
    parseConfig(env, system);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;

    return Object.fromEntries(error.problems.map(({ variable, value }) => [variable, value]));
  }

  return {};
}

describe('parseConfig', () => {
  it('gives every setting its default', () => {
    const config = parseConfig({}, system);

    expect(config).toMatchObject({
      http: { host: '0.0.0.0', port: 3000 },
      sip: {
        hosts: ['0.0.0.0'],
        port: 5060,
        tlsPort: 5061,
        domain: '192.0.2.7',
        publicAddress: '192.0.2.7',
        rateLimit: 200,
        trunkProbeMs: 30_000,
        t1Ms: 500,
        reinviteWindowMs: 250,
        guests: true,
        digestAlgorithms: ['MD5'],
      },
      media: {
        publicAddress: '192.0.2.7',
        rtpPortMin: 40_000,
        rtpPortMax: 49_999,
        webRtcPort: 44_444,
        workers: 4,
        mixerThreads: 2,
        mixerMoveFrom: 0.5,
        rtpTimeout: 30_000,
        rtpDscp: 46,
        grid: { rooms: 2, framesPerSecond: 25, cpuShare: 0.8, bitrate: 1_500_000 },
        autoGain: false,
        opus: { bitrate: 80_000, complexity: 5 },
      },
      redis: {},
      cdrs: { retentionDays: 90, maxRecords: 100_000 },
      rooms: { autoCreate: true, maxParticipants: 500, reconnectTimeoutMs: 15_000 },
      log: { level: 'info' },
    });
    expect(config.webhook).toBeUndefined();
    expect(config.apiKey).toBeUndefined();
    expect(config.dataDir).toBe(join(process.cwd(), 'data'));
  });

  it('falls back to loopback when the machine has no routable address', () => {
    const config = parseConfig({}, { ...system, routableAddress: () => undefined });

    expect(config.media.publicAddress).toBe('127.0.0.1');
  });

  it('takes an empty value for an unset one', () => {
    expect(parseConfig({ SIP_PORT: '', REDIS_URL: ' ' }, system).sip.port).toBe(5060);
  });

  it('freezes every section', () => {
    const config = parseConfig({}, system);

    expect(Object.isFrozen(config)).toBe(true);
    for (const section of [config.http, config.sip, config.media, config.rooms, config.log]) {
      expect(Object.isFrozen(section)).toBe(true);
    }
  });

  it('names every bad value at once', () => {
    expect(
      problems({
        HTTP_PORT: '70000',
        SIP_PORT: '50x',
        SIP_GUESTS: 'yes',
        SIP_DIGEST_ALGORITHMS: 'MD5,SHA-1',
        PUBLIC_ADDRESS: 'example.org',
        LOG_LEVEL: 'loud',
        WEBHOOK_URL: 'ftp://x',
      }),
    ).toEqual({
      HTTP_PORT: '"70000"',
      SIP_PORT: '"50x"',
      SIP_GUESTS: '"yes"',
      SIP_DIGEST_ALGORITHMS: '"MD5,SHA-1"',
      PUBLIC_ADDRESS: '"example.org"',
      LOG_LEVEL: '"loud"',
      WEBHOOK_URL: '"ftp://x"',
    });
  });

  it('says of a bad value its variable, what it was and what is allowed, in one line', () => {
    expect(() => parseConfig({ SIP_T1_MS: '5' }, system)).toThrow(
      'SIP_T1_MS="5": must be a whole number from 10 to 10000',
    );
  });

  it('shows no secret in a problem', () => {
    const env = { API_KEY: 'tooshort', REDIS_URL: 'http://user:hunter2@h' };

    expect(problems(env)).toEqual({ API_KEY: '(hidden)', REDIS_URL: '(hidden)' });
  });

  it('wants a secret for a webhook', () => {
    expect(problems({ WEBHOOK_URL: 'https://h/x' })).toHaveProperty('WEBHOOK_SECRET');
  });

  it('wants certificate and key together, and readable', () => {
    expect(problems({ TLS_CERT: '/pem/cert' })).toEqual({ TLS_KEY: '(unset)' });
    expect(problems({ TLS_CERT: '/pem/cert', TLS_KEY: '/no' })).toEqual({ TLS_KEY: '"/no"' });
    const config = parseConfig({ TLS_CERT: '/pem/cert', TLS_KEY: '/pem/key' }, system);
    expect(config.http.tls).toBeDefined();
    expect(config.sip.tls).toBeDefined();
  });

  it('reads the order of digest challenges', () => {
    const { sip } = parseConfig({ SIP_DIGEST_ALGORITHMS: 'sha-256, MD5' }, system);

    expect(sip.digestAlgorithms).toEqual(['SHA-256', 'MD5']);
  });

  it('takes IPv6 literals with and without brackets', () => {
    expect(parseConfig({ SIP_HOST: '[::]' }, system).sip.hosts).toEqual(['::']);
    expect(parseConfig({ SIP_HOST: '::1' }, system).sip.hosts).toEqual(['::1']);
  });

  it('refuses ports that would be taken twice', () => {
    expect(problems({ SIP_PORT: '3000' })).toHaveProperty('SIP_PORT');
    expect(problems({ SIP_PORT: '44446' })).toHaveProperty('SIP_PORT');
    expect(problems({ RTP_PORT_MIN: '45000', RTP_PORT_MAX: '44000' })).toHaveProperty(
      'RTP_PORT_MAX',
    );
    expect(problems({ WEBRTC_PORT: '65535' })).toHaveProperty('WEBRTC_PORT');
  });
});

describe('loadApiKey', () => {
  it('makes a key once, for the owner alone, and keeps it', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'parley-key-'));
    try {
      const keys = await Promise.all([loadApiKey(dir), loadApiKey(dir)]);
      const later = await loadApiKey(dir);

      expect(new Set([...keys, later]).size).toBe(1);
      expect(later.length).toBeGreaterThanOrEqual(40);
      expect((await stat(join(dir, 'api-key'))).mode & 0o777).toBe(0o600);
      expect((await readFile(join(dir, 'api-key'), 'utf8')).trim()).toBe(later);
    } finally {
      await rm(dir, { recursive: true });
    }
  });
});
