import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import {
  acceptMedia,
  answerSetup,
  bundledMids,
  isIceRestart,
  isRejected,
  isSamePeer,
  isWebRtcOffer,
  parseSdp,
  peerDtls,
  readTransport,
  SdpError,
  type PeerTransport,
  type SdpSession,
} from '../../../signaling/sdp/index.ts';
import { ROUTER } from '../../support/router-capabilities.ts';
import { projectPath } from '../../support/scratch.ts';

function fixture(name: string): string {
  return readFileSync(projectPath('test/fixtures/webrtc', `${name}.sdp`), 'utf8');
}

function parsed(text: string): SdpSession {
  const session = parseSdp(text);
  if (session instanceof SdpError) throw session;

  return session;
}

function transportOf(text: string): PeerTransport {
  const session = parsed(text);
  const transport = readTransport(session, session.media[0]!);
  if (transport instanceof SdpError) throw transport;

  return transport;
}

describe.each(['jssip-audio', 'jssip-video', 'sip.js-video'])('the offer of %s', (name) => {
  const session = parsed(fixture(name));

  it('is known for WebRTC, and its m-lines share one transport', () => {
    expect(isWebRtcOffer(session)).toBe(true);
    expect(bundledMids(session)).toEqual(session.media.map((_media, index) => String(index)));
  });

  it('5763-5-a: says actpass, and is answered passive', () => {
    const { setup, fingerprints } = transportOf(fixture(name));
    expect(setup).toBe('actpass');
    expect(answerSetup(setup)).toBe('passive');
    expect(fingerprints).toEqual([
      { algorithm: 'sha-256', value: expect.stringMatching(/^[0-9A-F]{2}(:[0-9A-F]{2}){31}$/) },
    ]);
  });

  it('sends audio under the SSRC that it names, with opus first', () => {
    const audio = acceptMedia(session, session.media[0]!, ROUTER)!;
    expect(audio.codecs.map(({ mimeType, payloadType }) => `${payloadType} ${mimeType}`)).toEqual([
      '111 audio/opus',
      '0 audio/PCMU',
      '110 audio/telephone-event',
      '126 audio/telephone-event',
    ]);
    expect(audio.codecs[0]?.parameters).toEqual({ minptime: 10, useinbandfec: 1 });
    const ssrc = Number(/^a=ssrc:(\d+)/m.exec(fixture(name))![1]);
    expect(audio.producer).toMatchObject({ encodings: [{ ssrc }] });
    expect(audio.producer?.rtcp?.cname).toBe(/ cname:(\S+)/.exec(fixture(name))![1]);
  });

  it('4585-4.2-a: gets no feedback that it did not offer, nor any that we do not know', () => {
    const feedback = session.media.flatMap((media) =>
      acceptMedia(session, media, ROUTER)!.codecs.flatMap(({ rtcpFeedback }) => rtcpFeedback ?? []),
    );
    expect(feedback).toContainEqual({ type: 'transport-cc', parameter: '' });
    expect(feedback.map(({ type }) => type)).not.toContain('goog-remb');
  });
});

describe('a camera', () => {
  const session = parsed(fixture('jssip-video'));
  const camera = acceptMedia(session, session.media[1]!, ROUTER)!;

  it('is one codec, with what repeats it and under both SSRCs', () => {
    expect(camera.codecs.map(({ mimeType }) => mimeType)).toEqual(['video/VP8', 'video/rtx']);
    const [, first, second] = /FID (\d+) (\d+)/.exec(fixture('jssip-video'))!;
    expect(camera.producer?.encodings).toEqual([
      { ssrc: Number(first), rtx: { ssrc: Number(second) } },
    ]);
  });

  it.each(['main', 'slides'])('4796-a: a=content:%s is kept', (content) => {
    const text = fixture('jssip-video').replace(
      /^m=video.*$/m,
      (line) => `${line.trimEnd()}\r\na=content:${content}`,
    );
    const session = parsed(text.replace(/\r?\n/g, '\r\n'));
    const video = session.media.find(({ type }) => type === 'video')!;
    expect(acceptMedia(session, video, ROUTER)?.content).toBe(content);
  });

  it('has no mid in its packets where SSRCs tell m-lines apart', () => {
    const uris = camera.extensions.map(({ uri }) => uri);
    expect(uris.some((uri) => uri.includes('sdes'))).toBe(false);
    expect(uris.some((uri) => uri.includes('transport-wide-cc'))).toBe(true);
  });

  it('8853: in several sizes is known by the rids, in their order', () => {
    const text = fixture('jssip-video')
      .replace(/a=ssrc-group[^]*$/, '')
      .concat('a=rid:h send\r\na=rid:l send\r\na=simulcast:send h;~l\r\n');
    const offer = parsed(text);
    const several = acceptMedia(offer, offer.media[1]!, ROUTER)!;
    expect(several.rids).toEqual([
      { rid: 'h', paused: false },
      { rid: 'l', paused: true },
    ]);
    expect(several.producer).toMatchObject({ encodings: [{ rid: 'h' }, { rid: 'l' }] });
  });

  it('8285-4.2: in several sizes has no mid in its packets, as its id is another extension of ours', () => {
    const offer = parsed(
      fixture('jssip-video')
        .replace(/a=ssrc-group[^]*$/, '')
        .concat('a=rid:h send\r\na=rid:l send\r\na=simulcast:send h;l\r\n'),
    );
    const several = acceptMedia(offer, offer.media[1]!, ROUTER)!;
    const naming = several.extensions.filter(({ uri }) => uri.includes(':sdes:'));
    expect(naming.map(({ id, uri }) => [id, uri.slice(uri.lastIndexOf(':') + 1)])).toEqual([
      [10, 'rtp-stream-id'],
      [11, 'repaired-rtp-stream-id'],
    ]);
    expect(several.producer?.mid).toBeUndefined();
    expect(several.producer?.headerExtensions).toEqual(several.extensions);
  });

  it('without SSRCs is known by its mid', () => {
    const offer = parsed(fixture('jssip-video').replaceAll(/a=ssrc.*\r\n/g, ''));
    const producer = acceptMedia(offer, offer.media[1]!, ROUTER)!.producer;
    expect(producer).toMatchObject({ mid: '1', encodings: [{}] });
    expect(producer?.headerExtensions?.map(({ uri }) => uri)).toContain(
      'urn:ietf:params:rtp-hdrext:sdes:mid',
    );
  });

  it('of another H.264 profile or packetization mode is none that we know', () => {
    const only = (format: number): unknown => {
      const offer = parsed(
        fixture('jssip-video').replace(/^m=video (\d+) (\S+) .*$/m, `m=video $1 $2 ${format}`),
      );

      return acceptMedia(offer, offer.media[1]!, ROUTER);
    };
    expect(only(108)).toBeDefined();
    expect(only(102)).toBeUndefined();
    expect(only(114)).toBeUndefined();
    expect(only(116)).toBeUndefined();
  });

  it('5761-5.1.1-a: needs rtcp-mux, as our transport has one port', () => {
    const offer = parsed(fixture('jssip-video').replaceAll('a=rtcp-mux\r\n', ''));
    expect(acceptMedia(offer, offer.media[1]!, ROUTER)).toBeUndefined();
  });
});

describe('the transport', () => {
  const text = fixture('jssip-audio');
  const reason = (changed: string): string => {
    const session = parsed(changed);
    const transport = readTransport(session, session.media[0]!);

    return transport instanceof SdpError ? transport.message : 'accepted';
  };

  it('8839-4.4.1.1.1-a: another ufrag and password is an ICE restart, the same is none', () => {
    const before = transportOf(text);
    expect(isIceRestart(before, transportOf(text))).toBe(false);
    expect(
      isIceRestart(before, transportOf(text.replace(/ice-ufrag:..../, 'ice-ufrag:abcd'))),
    ).toBe(true);
  });

  it('8842-5.3-a: another certificate is another peer', () => {
    const other = text.replace(/sha-256 ..:..:/, 'sha-256 00:01:');
    expect(isSamePeer(transportOf(text), transportOf(text))).toBe(true);
    expect(isSamePeer(transportOf(text), transportOf(other))).toBe(false);
  });

  it('8842-5.3-a: a hash weaker than SHA-256 proves nothing', () => {
    const weak = text.replace(/fingerprint:sha-256 (.{59})\S*/, 'fingerprint:sha-1 $1');
    expect(reason(weak)).toMatch(/fingerprint/);
  });

  it.each([
    ['no ufrag', (sdp: string) => sdp.replace(/a=ice-ufrag.*\r\n/, ''), /ufrag/],
    ['no password', (sdp: string) => sdp.replace(/a=ice-pwd.*\r\n/, ''), /pwd/],
    ['holdconn', (sdp: string) => sdp.replace('setup:actpass', 'setup:holdconn'), /setup/],
    [
      '8839-4.2.5-a: a default address that is no candidate',
      (sdp: string) => sdp.replace('c=IN IP4 127.0.0.1', 'c=IN IP4 192.0.2.9'),
      /mismatch/,
    ],
  ])('is of no use with %s', (_name, change, expected) => {
    expect(reason(change(text))).toMatch(expected);
  });

  it('may begin nowhere, when candidates are to come (RFC 8840)', () => {
    const open = text
      .replace('c=IN IP4 127.0.0.1', 'c=IN IP4 0.0.0.0')
      .replace(/m=audio \d+/, 'm=audio 9');
    expect(reason(open)).toBe('accepted');
  });

  it('9143-7.3-a: port 0 refuses an m-line, unless it is only bundled', () => {
    const bare = parsed(text.replace(/m=audio \d+/, 'm=audio 0')).media[0]!;
    const bundled = parsed(
      text
        .replace(/m=audio \d+/, 'm=audio 0')
        .replace('a=rtcp-mux\r\n', 'a=rtcp-mux\r\na=bundle-only\r\n'),
    ).media[0]!;
    expect(isRejected(bare)).toBe(true);
    expect(isRejected(bundled)).toBe(false);
  });

  it.each([
    ['actpass', 'passive', 'client'],
    ['active', 'passive', 'client'],
    ['active', 'actpass', 'client'],
    ['passive', 'active', 'server'],
    ['passive', 'actpass', 'server'],
  ] as const)('a peer that is %s towards %s is the DTLS %s', (setup, ours, role) => {
    expect(peerDtls({ ...transportOf(text), setup }, ours).role).toBe(role);
  });
});
