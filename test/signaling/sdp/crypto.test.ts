import { describe, expect, it } from '@jest/globals';
import {
  answerOffer,
  applyAnswer,
  createOffer,
  DEFAULT_AUDIO_CAPABILITIES,
  negotiateOffer,
  parseSdp,
  SdpError,
  writeSdp,
  type AnswerOutcome,
  type LocalMedia,
  type SdpSession,
  type SrtpMode,
} from '../../../signaling/sdp/index.ts';
import { maskSecrets } from '../../../signaling/sip/trace/index.ts';

const LOCAL: LocalMedia = { address: '192.0.2.1', rtpPort: 40_000, sessionId: '77' };
/** 30 octets: key and salt of the counter mode suites. */
const KEY = 'WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz';
const OTHER_KEY = 'd0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj';
/** 44 octets: AEAD_AES_256_GCM. */
const KEY_256 = Buffer.alloc(44, 7).toString('base64');

function capabilities(srtp: SrtpMode) {
  return { ...DEFAULT_AUDIO_CAPABILITIES, srtp };
}

function parsed(lines: string[]): SdpSession {
  const head = ['v=0', 'o=- 1 1 IN IP4 10.0.0.9', 's=-', 'c=IN IP4 10.0.0.9', 't=0 0'];
  const session = parseSdp([...head, ...lines, ''].join('\r\n'));
  if (session instanceof SdpError) throw session;

  return session;
}

function offer(protocol: string, ...crypto: string[]): SdpSession {
  return parsed([`m=audio 4000 ${protocol} 0`, ...crypto.map((value) => `a=crypto:${value}`)]);
}

function answer(session: SdpSession, srtp: SrtpMode = 'accept', local = LOCAL): AnswerOutcome {
  return answerOffer(session, capabilities(srtp), local);
}

function accepted(outcome: AnswerOutcome) {
  if ('reject' in outcome) throw new Error(outcome.reject.warning.text);
  const lines = writeSdp(outcome.answer).split('\r\n');

  return { ...outcome, crypto: lines.filter((line) => line.startsWith('a=crypto:')), lines };
}

function isRefused(outcome: AnswerOutcome): boolean {
  return 'reject' in outcome && outcome.reject.status === 488;
}

describe('an answer to an offer with keys (RFC 4568)', () => {
  it('has exactly one line, with tag and suite of the offer and a key of its own (4568-5.1.2-a)', () => {
    const { crypto, audio, lines } = accepted(
      answer(
        offer(
          'RTP/SAVP',
          '4 F8_128_HMAC_SHA1_80 inline:' + KEY,
          `7 AES_CM_128_HMAC_SHA1_32 inline:${KEY}|2^20|1:4`,
          `8 AES_CM_128_HMAC_SHA1_80 inline:${OTHER_KEY}`,
        ),
      ),
    );
    expect(lines).toContain('m=audio 40000 RTP/SAVP 0');
    expect(crypto).toHaveLength(1);
    expect(crypto[0]).toMatch(/^a=crypto:7 AES_CM_128_HMAC_SHA1_32 inline:[A-Za-z0-9+/]{40}$/);
    expect(crypto[0]).not.toContain(KEY);
    expect(audio.srtp?.receive.keyAndSalt).toEqual(Buffer.from(KEY, 'base64'));
    expect(audio.srtp?.receive.mki).toEqual(Uint8Array.of(0, 0, 0, 1));
    expect(crypto[0]).toContain(Buffer.from(audio.srtp!.send.keyAndSalt).toString('base64'));
  });

  it('takes keys for GCM, and with RTP/AVP as RFC 8643 has it', () => {
    const line = `1 AEAD_AES_256_GCM inline:${KEY_256}`;
    const { lines, audio } = accepted(answer(offer('RTP/AVP', line)));
    expect(lines).toContain('m=audio 40000 RTP/AVP 0');
    expect(audio.srtp?.send.keyAndSalt).toHaveLength(44);
  });

  it('takes the encrypted one of two streams', () => {
    const { lines } = accepted(
      answer(
        parsed([
          'm=audio 4000 RTP/AVP 0',
          'm=audio 4002 RTP/SAVP 0',
          `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}`,
        ]),
      ),
    );
    expect(lines).toContain('m=audio 0 RTP/AVP 0');
    expect(lines).toContain('m=audio 40000 RTP/SAVP 0');
  });

  it.each([
    ['a short key', `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY.slice(4)}`],
    ['a long key', `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY_256}`],
    ['no base64', '1 AES_CM_128_HMAC_SHA1_80 inline:*' + KEY.slice(1)],
    ['no key', '1 AES_CM_128_HMAC_SHA1_80'],
    ['another method', `1 AES_CM_128_HMAC_SHA1_80 uri:${KEY}`],
    ['an unknown suite', `1 AES_CM_128_HMAC_MD5_80 inline:${KEY}`],
    ['a lifetime that is none', `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}|2^`],
    ['a lifetime above what SRTP has', `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}|2^49`],
    ['a master key identifier of 129 octets', `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}|1:129`],
    [
      'an identifier that is too long for its length',
      `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}|256:1`,
    ],
  ])('refuses a stream that has only %s (4568-6.1-a)', (_what, line) => {
    expect(isRefused(answer(offer('RTP/SAVP', line)))).toBe(true);
  });

  it.each([
    [[`01 AES_CM_128_HMAC_SHA1_80 inline:${KEY}`]],
    [[`1234567890 AES_CM_128_HMAC_SHA1_80 inline:${KEY}`]],
    [[`x AES_CM_128_HMAC_SHA1_80 inline:${KEY}`]],
    [[`1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}`, `1 AES_CM_128_HMAC_SHA1_32 inline:${OTHER_KEY}`]],
  ])('refuses tags that are none or stand twice: %j', (lines) => {
    expect(isRefused(answer(offer('RTP/SAVP', ...lines)))).toBe(true);
  });

  it('passes over a line with a session parameter that it does not know or cannot do (C17)', () => {
    const line = (tag: number, parameter: string): string =>
      `${tag} AES_CM_128_HMAC_SHA1_80 inline:${KEY}${parameter}`;
    for (const parameter of [' KDR=3', ' UNENCRYPTED_SRTP', ' UNAUTHENTICATED_SRTP', ' NEW=1']) {
      const { crypto } = accepted(answer(offer('RTP/SAVP', line(1, parameter), line(2, ''))));
      expect(crypto[0]).toMatch(/^a=crypto:2 /);
      expect(isRefused(answer(offer('RTP/SAVP', line(1, parameter))))).toBe(true);
    }
    for (const parameter of [' WSH=64', ' -NEW=1', ' KDR=0']) {
      expect(accepted(answer(offer('RTP/SAVP', line(1, parameter)))).crypto).toHaveLength(1);
    }
  });

  it('refuses SAVP without a key, and DTLS-SRTP, which is another thing', () => {
    expect(isRefused(answer(offer('RTP/SAVP')))).toBe(true);
    expect(isRefused(answer(offer('UDP/TLS/RTP/SAVP')))).toBe(true);
  });

  it('follows the policy of the call (4568-5.1.1-a)', () => {
    const line = `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}`;
    const outcome = (protocol: string, mode: SrtpMode, ...lines: string[]) => {
      const result = answer(offer(protocol, ...lines), mode);

      return 'reject' in result ? 'refused' : result.audio.srtp === undefined ? 'plain' : 'srtp';
    };
    expect(outcome('RTP/SAVP', 'off', line)).toBe('refused');
    expect(outcome('RTP/AVP', 'off', line)).toBe('plain');
    expect(outcome('RTP/AVP', 'accept')).toBe('plain');
    expect(outcome('RTP/AVP', 'offer', line)).toBe('srtp');
    expect(outcome('RTP/AVP', 'required')).toBe('refused');
    expect(outcome('RTP/AVP', 'required', line)).toBe('srtp');
    expect(outcome('RTP/SAVPF', 'required', line)).toBe('srtp');
    expect(outcome('RTP/SAVP', 'impossible', line)).toBe('refused');
    expect(outcome('RTP/AVP', 'impossible')).toBe('refused');
    const early = negotiateOffer(offer('RTP/SAVP', line), capabilities('required'));
    expect('audio' in early && early.audio.srtp).toBeUndefined();
  });
});

describe('keys while a call changes', () => {
  const line = `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}`;

  it('go on while the far end names its own again, which leaves the version alone', () => {
    const first = accepted(answer(offer('RTP/SAVP', line)));
    const local = { ...LOCAL, previous: first.answer, srtp: first.audio.srtp };
    const again = accepted(answer(offer('RTP/SAVP', line), 'accept', local));
    expect(again.audio.srtp).toEqual(first.audio.srtp);
    expect(again.answer.origin.version).toBe(first.answer.origin.version);
  });

  it('are new on both sides when the far end has a new one', () => {
    const first = accepted(answer(offer('RTP/SAVP', line)));
    const local = { ...LOCAL, previous: first.answer, srtp: first.audio.srtp };
    const changed = `1 AES_CM_128_HMAC_SHA1_80 inline:${OTHER_KEY}`;
    const next = accepted(answer(offer('RTP/SAVP', changed), 'accept', local));
    expect(next.audio.srtp?.receive.keyAndSalt).toEqual(Buffer.from(OTHER_KEY, 'base64'));
    expect(next.audio.srtp?.send.keyAndSalt).not.toEqual(first.audio.srtp?.send.keyAndSalt);
  });

  it('stay in an offer of ours inside the call', () => {
    const first = accepted(answer(offer('RTP/SAVP', line)));
    const local = { ...LOCAL, previous: first.answer, srtp: first.audio.srtp };
    const text = writeSdp(createOffer(capabilities('accept'), local));
    expect(text).toContain('RTP/SAVP 111');
    expect(text.match(/a=crypto:/g)).toHaveLength(1);
    expect(text).toContain(Buffer.from(first.audio.srtp!.send.keyAndSalt).toString('base64'));
  });
});

describe('an offer of ours', () => {
  function answered(
    mode: SrtpMode,
    protocol: string,
    ...lines: string[]
  ): ReturnType<typeof applyAnswer> {
    const ours = createOffer(capabilities(mode), LOCAL);

    return applyAnswer(ours, offer(protocol, ...lines), capabilities(mode));
  }

  it('lists every suite with a key of its own, as SAVP when encryption is required', () => {
    const text = writeSdp(createOffer(capabilities('required'), LOCAL));
    expect(text).toContain('RTP/SAVP ');
    const lines = text.match(/a=crypto:.*/g)!;
    expect(lines[0]).toContain('1 AES_CM_128_HMAC_SHA1_80 inline:');
    expect(new Set(lines.map((entry) => entry.split('inline:')[1])).size).toBe(4);
    expect(writeSdp(createOffer(capabilities('offer'), LOCAL))).toMatch(/RTP\/AVP [^]*a=crypto:1 /);
    expect(writeSdp(createOffer(capabilities('accept'), LOCAL))).not.toContain('crypto');
  });

  it('takes the key of the answer, and its own from the line with that tag', () => {
    const outcome = answered('offer', 'RTP/AVP', `4 AES_CM_128_HMAC_SHA1_32 inline:${KEY}`);
    if (outcome instanceof SdpError) throw outcome;
    expect(outcome.audio.srtp?.receive.keyAndSalt).toEqual(Buffer.from(KEY, 'base64'));
    expect(outcome.audio.srtp?.send.suite).toBe('AES_CM_128_HMAC_SHA1_32');
  });

  it('goes without keys when the far end has none, unless they are required', () => {
    expect(answered('offer', 'RTP/AVP')).not.toBeInstanceOf(SdpError);
    expect(answered('required', 'RTP/AVP')).toBeInstanceOf(SdpError);
    expect(answered('required', 'RTP/SAVP')).toBeInstanceOf(SdpError);
  });

  it('takes no answer with a tag, suite or number of lines that was not offered', () => {
    const line = (tag: number, suite: string): string => `${tag} ${suite} inline:${KEY}`;
    for (const lines of [
      [line(9, 'AES_CM_128_HMAC_SHA1_80')],
      [line(1, 'AES_CM_128_HMAC_SHA1_32')],
      [line(1, 'AES_CM_128_HMAC_SHA1_80'), line(4, 'AES_CM_128_HMAC_SHA1_32')],
    ]) {
      expect(answered('required', 'RTP/SAVP', ...lines)).toBeInstanceOf(SdpError);
    }
  });
});

describe('a trace of SIP messages', () => {
  it('shows no key, also of lines with several', () => {
    const text = `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}|2^20|1:4;inline:${OTHER_KEY}|2:4\r\n`;
    const masked = maskSecrets(text);
    expect(masked).not.toContain(KEY);
    expect(masked).not.toContain(OTHER_KEY);
    expect(masked).toContain('|2^20|1:4');
  });
});
