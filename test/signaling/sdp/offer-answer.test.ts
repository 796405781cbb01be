import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import {
  answerOffer,
  DEFAULT_AUDIO_CAPABILITIES as CAPABILITIES,
  negotiateOffer,
  parseSdp,
  SdpError,
  writeSdp,
  type AnswerOutcome,
  type LocalMedia,
  type NegotiatedAudio,
  type SdpSession,
} from '../../../signaling/sdp/index.ts';

const LOCAL: LocalMedia = { address: '192.0.2.1', rtpPort: 40_000, sessionId: '77' };

function parsed(text: string): SdpSession {
  const session = parseSdp(text);
  if (session instanceof SdpError) throw session;

  return session;
}

function offer(...lines: string[]): SdpSession {
  const head = ['v=0', 'o=- 1 1 IN IP4 10.0.0.9', 's=-', 'c=IN IP4 10.0.0.9', 't=0 0'];

  return parsed([...head, ...lines, ''].join('\r\n'));
}

function accepted(outcome: AnswerOutcome): { answer: SdpSession; audio: NegotiatedAudio } {
  if ('reject' in outcome) throw new Error(outcome.reject.warning.text);

  return outcome;
}

function answerTo(...lines: string[]): {
  answer: SdpSession;
  audio: NegotiatedAudio;
  lines: string[];
} {
  const { answer, audio } = accepted(answerOffer(offer(...lines), CAPABILITIES, LOCAL));

  return { answer, audio, lines: writeSdp(answer).trimEnd().split('\r\n') };
}

function rfcSdp(file: string): SdpSession {
  return parsed(readFileSync(join(__dirname, '../../fixtures/rfc-sdp', file), 'utf8'));
}

describe('an answer', () => {
  it('is written in one stable order', () => {
    const { lines } = answerTo(
      'm=audio 4000 RTP/AVP 96 0 101',
      'a=rtpmap:96 opus/48000/2',
      'a=rtpmap:101 telephone-event/48000',
    );
    expect(lines).toEqual([
      'v=0',
      'o=- 77 1 IN IP4 192.0.2.1',
      's=-',
      'c=IN IP4 192.0.2.1',
      't=0 0',
      'm=audio 40000 RTP/AVP 96 101',
      'a=rtpmap:96 opus/48000/2',
      'a=rtpmap:101 telephone-event/48000',
      'a=fmtp:96 useinbandfec=1',
      'a=fmtp:101 0-15',
      'a=ptime:20',
      'a=sendrecv',
    ]);
  });

  it.each([
    ['opus first', 'm=audio 4000 RTP/AVP 107 8 0', 'opus', 107],
    ['PCMA first', 'm=audio 4000 RTP/AVP 8 107 0', 'PCMA', 8],
    ['an unknown one first', 'm=audio 4000 RTP/AVP 18 3 0 8', 'PCMU', 0],
  ])(
    '3264-6.1-a takes the offerer’s first codec that we have: %s',
    (_name, media, codec, number) => {
      const { audio } = answerTo(media, 'a=rtpmap:107 OPUS/48000/2');
      expect([audio.codec.name, audio.sendPayloadType]).toEqual([codec, number]);
      expect(audio.receivePayloadTypes.get(number)?.name).toBe(codec);
    },
  );

  it('8866-5.14-b knows static numbers without rtpmap, unless a map says otherwise', () => {
    expect(answerTo('m=audio 4000 RTP/AVP 0').audio.codec.name).toBe('PCMU');
    expect(answerTo('m=audio 4000 RTP/AVP 0', 'a=rtpmap:0 PCMA/8000').audio.codec.name).toBe(
      'PCMA',
    );
  });

  it('3264-6-a has the m-lines of the offer in order, all but the first usable audio refused', () => {
    const { lines, audio } = answerTo(
      'm=video 5000 RTP/AVP 96',
      'm=audio 4000 RTP/SAVP 0',
      'm=audio 4002 RTP/AVP 18',
      'm=audio 4004 RTP/AVPF 0',
      'm=audio 4006 RTP/AVP 0',
      'm=application 9 UDP/BFCP *',
    );
    expect(lines.filter((line) => line.startsWith('m='))).toEqual([
      'm=video 0 RTP/AVP 96',
      'm=audio 0 RTP/SAVP 0',
      'm=audio 0 RTP/AVP 18',
      'm=audio 40000 RTP/AVPF 0',
      'm=audio 0 RTP/AVP 0',
      'm=application 0 UDP/BFCP *',
    ]);
    expect(audio.remoteRtpPort).toBe(4004);
  });

  it('3264-5-b leaves a stream of port 0 at port 0', () => {
    const { lines } = answerTo('m=audio 0 RTP/AVP 0', 'm=audio 4000 RTP/AVP 0');
    expect(lines).toContain('m=audio 0 RTP/AVP 0');
  });

  it('has the t= of the offer (RFC 3264 6)', () => {
    const session: SdpSession = {
      ...offer('m=audio 4000 RTP/AVP 0'),
      timing: { start: 5, stop: 9 },
    };
    const { answer } = accepted(answerOffer(session, CAPABILITIES, LOCAL));
    expect(answer.timing).toEqual({ start: 5, stop: 9 });
  });

  it.each([
    ['no common codec', 'm=audio 4000 RTP/AVP 18', 305],
    ['SRTP', 'm=audio 4000 RTP/SAVP 0', 302],
    ['DTLS-SRTP', 'm=audio 4000 UDP/TLS/RTP/SAVPF 0', 302],
    ['no audio', 'm=video 4000 RTP/AVP 96', 304],
    ['nothing but port 0', 'm=audio 0 RTP/AVP 0', 304],
  ])('is 488 with a Warning for %s', (_name, media, code) => {
    expect(negotiateOffer(offer(media), CAPABILITIES)).toMatchObject({
      reject: { status: 488, warning: { code } },
    });
  });

  it.each(['224.0.0.1', '255.255.255.255'])('never sends media to %s', (address) => {
    const session = offer('m=audio 4000 RTP/AVP 0', `c=IN IP4 ${address}`);
    expect(negotiateOffer(session, CAPABILITIES)).toMatchObject({
      reject: { warning: { code: 301 } },
    });
  });

  it('refuses the address family that media cannot be sent with', () => {
    const session = offer('m=audio 4000 RTP/AVP 0', 'c=IN IP6 2001:db8::9');
    expect(negotiateOffer(session, CAPABILITIES)).toMatchObject({
      audio: { remoteAddress: '2001:db8::9' },
    });
    expect(negotiateOffer(session, { ...CAPABILITIES, families: [4] })).toHaveProperty('reject');
  });
});

describe('key presses', () => {
  const events = ['a=rtpmap:96 telephone-event/8000', 'a=rtpmap:98 telephone-event/48000'];

  it.each([
    ['m=audio 4000 RTP/AVP 0 96 98', 96, 8000],
    ['m=audio 4000 RTP/AVP 111 96 98', 98, 48_000],
    ['m=audio 4000 RTP/AVP 111 96', 96, 8000],
  ])('4733-2.4.1-a take the clock of the audio, else 8000: %s', (media, number, clockRate) => {
    const { audio } = answerTo(media, 'a=rtpmap:111 opus/48000/2', ...events);
    expect(audio.telephoneEvent).toEqual({
      sendPayloadType: number,
      receivePayloadType: number,
      clockRate,
    });
    expect(audio.receivePayloadTypes.get(number)?.name).toBe('telephone-event');
  });

  it('are absent when not offered', () => {
    expect(answerTo('m=audio 4000 RTP/AVP 0').audio.telephoneEvent).toBeUndefined();
  });
});

describe('hold and directions', () => {
  it.each([
    ['sendrecv', 'sendrecv', false],
    ['sendonly', 'recvonly', true],
    ['recvonly', 'sendonly', false],
    ['inactive', 'inactive', true],
  ])('3264-6.1-b %s is answered %s', (theirs, ours, onHold) => {
    const { lines, audio } = answerTo('m=audio 4000 RTP/AVP 0', `a=${theirs}`);
    expect(lines.at(-1)).toBe(`a=${ours}`);
    expect([audio.localDirection, audio.onHold]).toEqual([ours, onHold]);
  });

  it.each([
    ['', 'recvonly'],
    ['a=inactive', 'inactive'],
    ['a=recvonly', 'inactive'],
  ])('3264-8.4-a c=0.0.0.0 is hold: %p is answered %s', (direction, ours) => {
    const lines = ['m=audio 4000 RTP/AVP 0', 'c=IN IP4 0.0.0.0', direction].filter(Boolean);
    const { audio } = answerTo(...lines);
    expect([audio.localDirection, audio.onHold]).toEqual([ours, true]);
  });

  it('a direction of the session holds for its streams', () => {
    const session: SdpSession = { ...offer('m=audio 4000 RTP/AVP 0'), direction: 'sendonly' };
    expect(negotiateOffer(session, CAPABILITIES)).toMatchObject({ audio: { onHold: true } });
  });

  it.each([
    [undefined, 'sendonly', 'sendonly'],
    ['sendrecv', 'recvonly', 'recvonly'],
    ['sendrecv', 'inactive', 'inactive'],
    ['sendonly', 'recvonly', 'recvonly'],
    ['sendonly', 'sendonly', 'inactive'],
    ['sendonly', 'inactive', 'inactive'],
    ['recvonly', 'sendonly', 'sendonly'],
    ['recvonly', 'recvonly', 'inactive'],
    ['recvonly', 'inactive', 'inactive'],
    ['inactive', 'sendonly', 'inactive'],
  ] as const)('3264-6.1-b %s where we want %s is answered %s', (theirs, wanted, answered) => {
    const lines = ['m=audio 4000 RTP/AVP 0', ...(theirs === undefined ? [] : [`a=${theirs}`])];
    const local: LocalMedia = { ...LOCAL, direction: wanted };
    const { answer, audio } = accepted(answerOffer(offer(...lines), CAPABILITIES, local));
    expect(audio.localDirection).toBe(answered);
    expect(answer.media[0]?.direction).toBe(answered);
  });
});

describe('RTCP and packet times', () => {
  it('5761-5.1.1-a RTCP is on the next port, on a=rtcp, or muxed when offered', () => {
    expect(answerTo('m=audio 4000 RTP/AVP 0').audio).toMatchObject({
      remoteRtcpPort: 4001,
      rtcpMux: false,
    });
    expect(answerTo('m=audio 4000 RTP/AVP 0', 'a=rtcp:4100').audio.remoteRtcpPort).toBe(4100);
    const muxed = answerTo('m=audio 4000 RTP/AVP 0', 'a=rtcp-mux');
    expect(muxed.audio).toMatchObject({ remoteRtcpPort: 4000, rtcpMux: true });
    expect(muxed.lines).toContain('a=rtcp-mux');
    expect(answerTo('m=audio 4000 RTP/AVP 0').lines).not.toContain('a=rtcp-mux');
  });

  it('RTCP goes where a=rtcp says (RFC 3605 2.1), with VoIP metrics for who reads them', () => {
    const { audio } = answerTo('m=audio 4000 RTP/AVP 0', 'a=rtcp:4100 IN IP4 10.0.0.8');
    expect(audio).toMatchObject({ remoteRtcpAddress: '10.0.0.8', remoteRtcpPort: 4100 });
    expect(audio.remoteAddress).toBe('10.0.0.9');
    expect(audio.voipMetrics).toBeUndefined();
    const asks = (line: string) => answerTo('m=audio 4000 RTP/AVP 0', line).audio.voipMetrics;
    expect(asks('a=rtcp-xr:rcvr-rtt=all:10000 stat-summary=loss,dup voip-metrics')).toBe(true);
    expect(asks('a=rtcp-xr:stat-summary=loss,dup')).toBeUndefined();
    expect(asks('a=rtcp-xr')).toBeUndefined();
  });

  it('sends the packet time that is asked for when it can', () => {
    const capabilities = { ...CAPABILITIES, packetTimes: [20, 10, 40] };
    const ptime = (...lines: string[]): number =>
      accepted(answerOffer(offer('m=audio 4000 RTP/AVP 0', ...lines), capabilities, LOCAL)).audio
        .ptime;
    expect(ptime()).toBe(20);
    expect(ptime('a=ptime:40')).toBe(40);
    expect(ptime('a=ptime:30')).toBe(20);
    expect(ptime('a=ptime:40', 'a=maxptime:10')).toBe(10);
  });
});

describe('o= of our descriptions (3264-8-a)', () => {
  it('keeps its version while nothing changes, and adds one when something does', () => {
    const first = accepted(
      answerOffer(offer('m=audio 4000 RTP/AVP 0'), CAPABILITIES, LOCAL),
    ).answer;
    const again = { ...LOCAL, previous: first };
    const same = accepted(answerOffer(offer('m=audio 4000 RTP/AVP 0'), CAPABILITIES, again)).answer;
    expect(same.origin).toEqual(first.origin);
    const held = accepted(
      answerOffer(offer('m=audio 4000 RTP/AVP 0', 'a=sendonly'), CAPABILITIES, again),
    ).answer;
    expect(held.origin).toEqual({ ...first.origin, version: '2' });
  });
});

describe('the exchanges of RFC 4317 and RFC 3264', () => {
  it.each(['rfc4317/001-s2_1-offer.sdp', 'rfc4317/021-s2_8-offer.sdp'])(
    '%s: PCMU is taken, video refused',
    (file) => {
      const { answer, audio } = accepted(answerOffer(rfcSdp(file), CAPABILITIES, LOCAL));
      expect(audio.codec.name).toBe('PCMU');
      expect(answer.media.map(({ port }) => port)).toEqual([40_000, 0]);
    },
  );

  it('4317 2.6: audio and telephone-event in streams of their own: the first is taken', () => {
    const { answer } = accepted(
      answerOffer(rfcSdp('rfc4317/015-s2_6-offer.sdp'), CAPABILITIES, LOCAL),
    );
    expect(answer.media.map(({ port }) => port)).toEqual([40_000, 0]);
  });

  it('3264 10.2: inactive at first, then only codecs that we have not', () => {
    const first = answerOffer(rfcSdp('rfc3264/006-s10_2-offer.sdp'), CAPABILITIES, LOCAL);
    expect(first).toMatchObject({ audio: { localDirection: 'inactive', onHold: true } });
    const second = answerOffer(rfcSdp('rfc3264/008-s10_2-offer.sdp'), CAPABILITIES, LOCAL);
    expect(second).toMatchObject({ reject: { status: 488 } });
  });
});
