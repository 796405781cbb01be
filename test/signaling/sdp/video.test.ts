import { describe, expect, it } from '@jest/globals';
import {
  answerOffer,
  DEFAULT_AUDIO_CAPABILITIES as AUDIO,
  DEFAULT_VIDEO_CAPABILITIES as VIDEO,
  servesVideo,
  type AudioCapabilities,
  type LocalVideos,
  type NegotiatedMedia,
  type SdpSession,
} from '../../../signaling/sdp/index.ts';
import { BOTH, linesOf, LOCAL, MAIN, sdp } from './video-fixture.ts';

const H264 = ['a=rtpmap:97 H264/90000', 'a=fmtp:97 packetization-mode=1;profile-level-id=42e01f'];

function answerTo(
  lines: readonly string[],
  videos: LocalVideos = MAIN,
  audio: AudioCapabilities = AUDIO,
): NegotiatedMedia & { lines: string[][]; answer: SdpSession } {
  const outcome = answerOffer(sdp(...lines), audio, { ...LOCAL, videos });
  if ('reject' in outcome) throw new Error(outcome.reject.warning.text);

  return { ...outcome, lines: outcome.answer.media.map(linesOf) };
}

describe('an offer of video', () => {
  it('is answered in one stable order, with the numbers of the offer', () => {
    const { lines, videos } = answerTo([
      'm=video 4002 RTP/AVPF 97 98',
      ...H264,
      'a=rtpmap:98 rtx/90000',
      'a=fmtp:98 apt=97',
      'a=rtcp-fb:* nack',
      'a=rtcp-fb:97 nack pli',
      'a=rtcp-fb:97 ccm fir',
      'a=rtcp-fb:97 goog-remb',
      'b=AS:768',
    ]);
    expect(lines[1]).toEqual([
      'm=video 40002 RTP/AVPF 97 98',
      'b=AS:2100',
      'b=TIAS:2000000',
      'a=rtpmap:97 H264/90000',
      'a=rtpmap:98 rtx/90000',
      'a=fmtp:97 packetization-mode=1;profile-level-id=42e01f',
      'a=fmtp:98 apt=97',
      'a=sendrecv',
      'a=rtcp-fb:97 nack',
      'a=rtcp-fb:97 nack pli',
      'a=rtcp-fb:97 ccm fir',
    ]);
    expect(videos).toEqual({
      main: {
        content: 'main',
        codec: 'H264',
        sendPayloadType: 97,
        receivePayloadType: 97,
        h264: {
          packetizationMode: 1,
          sendLevel: 31,
          parameters: 'packetization-mode=1;profile-level-id=42e01f',
        },
        rtx: { sendPayloadType: 98, receivePayloadType: 98 },
        feedback: { nack: true, pli: true, fir: true, tmmbr: false },
        maxSendBitrate: 768_000,
        remoteAddress: '10.0.0.9',
        remoteRtpPort: 4002,
        remoteRtcpAddress: '10.0.0.9',
        remoteRtcpPort: 4003,
        rtcpMux: false,
        localDirection: 'sendrecv',
        onHold: false,
      },
    });
  });

  it('is refused without a place for it', () => {
    const { lines, videos } = answerTo(['m=video 4002 RTP/AVP 97', ...H264], {});
    expect(lines[1]).toEqual(['m=video 0 RTP/AVP 97']);
    expect(videos).toEqual({});
  });

  it('is refused with a codec that nobody here speaks, and the call goes on', () => {
    const { lines, audio } = answerTo([
      'm=video 4002 RTP/AVP 31 34',
      'a=rtpmap:31 H261/90000',
      'a=rtpmap:34 H263/90000',
    ]);
    expect(lines[1]).toEqual(['m=video 0 RTP/AVP 31']);
    expect(audio.codec.name).toBe('PCMU');
  });

  it.each([
    ['VP8 goes before H.264, whatever the order', ['97', '100'], 100],
    ['fragments before single units', ['99', '97'], 97],
    ['single units alone', ['99'], 99],
  ])('with several codecs: %s', (_rule, formats, expected) => {
    const { videos } = answerTo([
      `m=video 4002 RTP/AVP ${formats.join(' ')}`,
      ...H264,
      'a=rtpmap:99 H264/90000',
      'a=fmtp:99 profile-level-id=42800c;packetization-mode=0',
      'a=rtpmap:100 VP8/90000',
    ]);
    expect(videos.main?.sendPayloadType).toBe(expected);
  });

  it('names a profile that is spoken under another of its numbers', () => {
    const { videos } = answerTo([
      'm=video 4002 RTP/AVP 120 121',
      'a=rtpmap:120 H264/90000',
      'a=fmtp:120 packetization-mode=1;profile-level-id=640028',
      'a=rtpmap:121 H264/90000',
      'a=fmtp:121 packetization-mode=1;profile-level-id=428028',
    ]);
    expect(videos.main?.sendPayloadType).toBe(121);
  });

  it('4585-4.2-a gets no feedback lines that it had not, nor an RTX without NACK', () => {
    const { lines, videos } = answerTo([
      'm=video 4002 RTP/AVP 97 98',
      ...H264,
      'a=rtpmap:98 rtx/90000',
      'a=fmtp:98 apt=97',
    ]);
    expect(lines[1]!.filter((line) => /rtcp-fb|rtx/.test(line))).toEqual([]);
    expect(videos.main?.feedback).toEqual({ nack: false, pli: false, fir: false, tmmbr: false });
    expect(videos.main?.rtx).toBeUndefined();
  });

  it('4588-8.6 takes the RTX of the codec that it takes', () => {
    const { videos } = answerTo([
      'm=video 4002 RTP/AVPF 97 98 100 101',
      ...H264,
      'a=rtpmap:98 rtx/90000',
      'a=fmtp:98 apt=97',
      'a=rtpmap:100 VP8/90000',
      'a=rtpmap:101 rtx/90000',
      'a=fmtp:101 rtx-time=1000; apt=100',
      'a=rtcp-fb:* nack',
      'a=rtcp-fb:* ccm tmmbr smaxpr=120',
    ]);
    expect(videos.main?.rtx).toEqual({ sendPayloadType: 101, receivePayloadType: 101 });
    expect(videos.main?.feedback).toMatchObject({ nack: true, pli: false, tmmbr: true });
  });

  it.each([
    ['TIAS is exact', ['b=AS:900', 'b=TIAS:800000'], [], 800_000],
    ['AS counts kilobits', ['b=AS:384'], [], 384_000],
    ['a limit of the session leaves the audio its part', [], ['b=AS:512'], 448_000],
    ['none is none', [], [], undefined],
    ['zero is none', ['b=AS:0'], [], undefined],
    ['one that leaves nothing is not believed', ['b=AS:1'], [], 32_000],
  ])('has a bandwidth: %s', (_rule, own, whole, expected) => {
    const offer = sdp('m=video 4002 RTP/AVP 97', ...own, ...H264);
    const bandwidths = whole.map((line) => ({ type: 'AS', limit: Number(line.slice(5)) }));
    const outcome = answerOffer({ ...offer, bandwidths }, AUDIO, { ...LOCAL, videos: MAIN });
    expect('videos' in outcome && outcome.videos.main?.maxSendBitrate).toBe(expected);
  });

  it.each([
    ['sendrecv', 'sendrecv', false],
    ['sendonly', 'recvonly', true],
    ['recvonly', 'sendonly', false],
    ['inactive', 'inactive', true],
  ])('3264-6.1 %s is answered %s', (theirs, ours, onHold) => {
    const { videos, lines } = answerTo(['m=video 4002 RTP/AVP 97', ...H264, `a=${theirs}`]);
    expect(videos.main).toMatchObject({ localDirection: ours, onHold });
    expect(lines[1]).toContain(`a=${ours}`);
  });
});

describe('a second stream of video', () => {
  const slides = ['m=video 4006 RTP/AVP 97', ...H264, 'a=content:slides', 'a=label:12'];

  it('4796-a is the slides, with a label of ours', () => {
    const { videos, lines } = answerTo(
      ['m=video 4002 RTP/AVP 97', ...H264, 'a=content:main', ...slides],
      BOTH,
    );
    expect(videos.slides).toMatchObject({ content: 'slides', remoteRtpPort: 4006 });
    expect(lines[1]).toEqual(expect.arrayContaining(['a=content:main', 'a=label:main-video']));
    expect(lines[2]![0]).toBe('m=video 40004 RTP/AVP 97');
    expect(lines[2]).toEqual(expect.arrayContaining(['a=content:slides', 'a=label:slides']));
  });

  it('is refused without a content: of one there is one', () => {
    const { lines } = answerTo(
      ['m=video 4002 RTP/AVP 97', ...H264, 'm=video 4006 RTP/AVP 97', ...H264],
      BOTH,
    );
    expect(lines.map(([first]) => first)).toEqual([
      'm=audio 40000 RTP/AVP 0',
      'm=video 40002 RTP/AVP 97',
      'm=video 0 RTP/AVP 97',
    ]);
  });

  it('may have more than one content (RFC 4796 5)', () => {
    const { videos } = answerTo(
      ['m=video 4002 RTP/AVP 97', ...H264, 'a=content:speaker,slides'],
      BOTH,
    );
    expect(Object.keys(videos)).toEqual(['slides']);
  });
});

describe('other streams', () => {
  it('BFCP, FECC and data are refused each in its place', () => {
    const { lines } = answerTo([
      'm=video 4002 RTP/AVP 97',
      ...H264,
      'm=application 5070 UDP/BFCP *',
      'a=floorctrl:c-s',
      'm=application 4010 RTP/AVP 107',
      'a=rtpmap:107 H224/4800',
    ]);
    expect(lines.slice(2)).toEqual([
      ['m=application 0 UDP/BFCP *'],
      ['m=application 0 RTP/AVP 107'],
    ]);
  });
});

describe('encrypted video', () => {
  const accept: AudioCapabilities = { ...AUDIO, srtp: 'accept' };
  const crypto =
    'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVoxMjM0';

  it('has keys of its own', () => {
    const { videos, audio, lines } = answerTo(
      ['m=video 4002 RTP/SAVPF 97', ...H264, crypto],
      MAIN,
      accept,
    );
    expect(audio.srtp).toBeUndefined();
    expect(videos.main?.srtp?.receive.suite).toBe('AES_CM_128_HMAC_SHA1_80');
    expect(lines[1]!.some((line) => line.startsWith('a=crypto:1 AES_CM_128_HMAC_SHA1_80'))).toBe(
      true,
    );
  });

  it('goes on with our key while theirs does', () => {
    const offered = ['m=video 4002 RTP/SAVP 97', ...H264, crypto];
    const first = answerTo(offered, MAIN, accept).videos.main!.srtp!;
    const kept = { main: { ...MAIN.main!, srtp: first } };
    expect(answerTo(offered, kept, accept).videos.main!.srtp!.send).toEqual(first.send);
  });

  it.each([
    ['SAVP without a key', 'RTP/SAVP', accept],
    ['AVP where keys are required', 'RTP/AVP', { ...AUDIO, srtp: 'required' as const }],
  ])('is refused: %s', (_rule, protocol, capabilities) => {
    const offer = sdp(`m=video 4002 ${protocol} 97`, ...H264);
    const video = offer.media[1]!;
    expect(servesVideo(offer, video, VIDEO, capabilities)).toBe(false);
    expect(servesVideo(offer, { ...video, port: 0 }, VIDEO, capabilities)).toBe(true);
  });
});
