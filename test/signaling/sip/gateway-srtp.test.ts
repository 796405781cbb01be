import { describe, expect, it } from '@jest/globals';
import { createLogger } from '../../../base/index.ts';
import type { SrtpPolicy, SrtpSettings } from '../../../server/index.ts';
import { parseSdp, SdpError } from '../../../signaling/sdp/index.ts';
import { goesOverTls, srtpMode, SrtpRules } from '../../../signaling/sip/gateway-srtp.ts';
import { requireUri } from '../../../signaling/sip/message/index.ts';

type Caller = Parameters<SrtpRules['ofCaller']>[0];
type Rules = ConstructorParameters<typeof SrtpRules>[0];

const GUEST = { kind: 'guest' } as const;
const KEY = 'WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz';

function rules(settings: Partial<SrtpSettings> = {}) {
  const policies: Record<string, SrtpPolicy> = { alice: 'required', bob: 'off' };
  const lines: string[] = [];
  const write = (line: string): void => {
    lines.push(line);
  };
  const logger = createLogger({ level: 'warn', destination: { write } });
  const options = {
    settings: { policy: 'optional', withoutTls: 'accept', ...settings },
    accounts: { find: (name: string) => Promise.resolve({ srtp: policies[name] }) },
    trunks: { list: () => [{ name: 'carrier', srtp: 'required' }] },
    isOurHost: (host: string) => host === 'here.example',
    logger,
  };

  return { rules: new SrtpRules(options as unknown as Rules), lines };
}

function caller(user: string, protocol: string, host = 'here.example'): Caller {
  const offer = parseSdp(
    `v=0\r\no=- 1 1 IN IP4 10.0.0.9\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\n` +
      `m=audio 4000 RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}\r\n`,
  );
  if (offer instanceof SdpError) throw offer;
  const request = { from: { uri: requireUri(`sip:${user}@${host}`) }, callId: 'c1' };

  return { request, flow: { protocol }, offer } as unknown as Caller;
}

describe('what a call does about SRTP', () => {
  it.each([
    ['off', true, 'accept', 'off'],
    ['optional', true, 'accept', 'offer'],
    ['optional', false, 'accept', 'accept'],
    ['optional', false, 'refuse', 'off'],
    ['required', true, 'refuse', 'required'],
    ['required', false, 'accept', 'required'],
    ['required', false, 'refuse', 'impossible'],
  ] as const)('%s, TLS %s, keys without TLS %s: %s (RFC 4568 8.3)', (policy, safe, keys, mode) => {
    expect(srtpMode(policy, safe, keys)).toBe(mode);
  });

  it('knows from a URI whether a call goes over TLS', () => {
    expect(goesOverTls(requireUri('sips:a@b.example'))).toBe(true);
    expect(goesOverTls(requireUri('sip:a@b.example;transport=TLS'))).toBe(true);
    expect(goesOverTls(requireUri('sip:a@b.example;transport=tcp'))).toBe(false);
    expect(goesOverTls(requireUri('tel:+1'))).toBe(false);
  });

  it('logs keys that came without TLS, and not the keys', async () => {
    const { rules: some, lines } = rules();
    await some.ofCaller(caller('carol', 'TLS'), GUEST);
    expect(lines).toEqual([]);
    await some.ofCaller(caller('carol', 'UDP'), GUEST);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('without TLS');
    expect(lines[0]).not.toContain(KEY);
  });

  it('goes by account and trunk before the server', async () => {
    const { rules: some } = rules();
    const mode = async (...parts: Parameters<SrtpRules['ofCaller']>) =>
      (await some.ofCaller(...parts)).srtp;
    const trunk = { kind: 'trunk', trunk: 'carrier', room: undefined } as const;
    expect(await mode(caller('x', 'TLS'), trunk)).toBe('required');
    const bob = { kind: 'account', username: 'bob', name: 'Bob' } as const;
    expect(await mode(caller('x', 'TLS'), bob)).toBe('off');
    expect(await mode(caller('alice', 'TLS'), GUEST)).toBe('required');
    expect(await mode(caller('alice', 'TLS', 'elsewhere.example'), GUEST)).toBe('offer');
    expect((await some.ofAccount('alice', true)).srtp).toBe('required');
    expect(some.ofTrunk('carrier', false).srtp).toBe('required');
    expect((await some.ofAccount(undefined, false)).srtp).toBe('accept');
  });

  it('lets nobody out of encryption for a name that is only claimed', async () => {
    const { rules: strict } = rules({ policy: 'required' });
    expect((await strict.ofCaller(caller('bob', 'TLS'), GUEST)).srtp).toBe('required');
    const bob = { kind: 'account', username: 'bob', name: 'Bob' } as const;
    expect((await strict.ofCaller(caller('bob', 'TLS'), bob)).srtp).toBe('off');
  });
});
