import { describe, expect, it } from '@jest/globals';
import {
  answerOffer,
  applyAnswer,
  createOffer,
  DEFAULT_AUDIO_CAPABILITIES as AUDIO,
  SdpError,
  type LocalVideos,
  type NegotiatedMedia,
  type SdpSession,
} from '../../../signaling/sdp/index.ts';
import { BOTH, linesOf, LOCAL, MAIN, sdp } from './video-fixture.ts';

function ourOffer(videos: LocalVideos, previous?: SdpSession): SdpSession {
  return createOffer(AUDIO, { ...LOCAL, videos, previous });
}

function answered(offer: SdpSession, ...lines: string[]): NegotiatedMedia {
  const outcome = applyAnswer(offer, sdp(...lines), AUDIO);
  if (outcome instanceof SdpError) throw outcome;

  return outcome;
}

describe('our offer of video', () => {
  it('lists what we have, with repair and feedback', () => {
    expect(linesOf(ourOffer(MAIN).media[1]!)).toEqual([
      'm=video 40002 RTP/AVP 96 97 102 103 104 105',
      'b=AS:2100',
      'b=TIAS:2000000',
      'a=rtpmap:96 VP8/90000',
      'a=rtpmap:97 rtx/90000',
      'a=rtpmap:102 H264/90000',
      'a=rtpmap:103 rtx/90000',
      'a=rtpmap:104 H264/90000',
      'a=rtpmap:105 rtx/90000',
      'a=fmtp:97 apt=96',
      'a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f',
      'a=fmtp:103 apt=102',
      'a=fmtp:104 level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42e01f',
      'a=fmtp:105 apt=104',
      'a=sendrecv',
      'a=rtcp-mux',
      ...[96, 102, 104].flatMap((type) => [
        `a=rtcp-fb:${type} nack`,
        `a=rtcp-fb:${type} nack pli`,
        `a=rtcp-fb:${type} ccm fir`,
        `a=rtcp-fb:${type} ccm tmmbr`,
      ]),
    ]);
  });

  it('3264-8 goes into the m-line that carries it, and into one that is free again', () => {
    const first = ourOffer(BOTH);
    const without = ourOffer({}, first);
    expect(without.media.map(({ port }) => port)).toEqual([40_000, 0, 0]);
    const again = ourOffer(MAIN, without);
    expect(again.media.map(({ port }) => port)).toEqual([40_000, 40_002, 0]);
    const slidesAlone = ourOffer({ slides: BOTH.slides! }, first);
    expect(slidesAlone.media.map(({ port }) => port)).toEqual([40_000, 0, 40_004]);
  });

  it('3264-8.3.2 keeps the numbers and the profile of an answer of ours', () => {
    const theirs = sdp(
      'm=video 4002 RTP/AVPF 96',
      'a=rtpmap:96 H264/90000',
      'a=fmtp:96 packetization-mode=1;profile-level-id=42800c',
    );
    const outcome = answerOffer(theirs, AUDIO, { ...LOCAL, videos: MAIN });
    if ('reject' in outcome) throw new Error(outcome.reject.warning.text);
    const [, video] = ourOffer(MAIN, outcome.answer).media;
    expect(video?.protocol).toBe('RTP/AVPF');
    expect(video?.rtpMaps.find(({ payloadType }) => payloadType === 96)?.encodingName).toBe('H264');
    expect(video?.formatParameters).toContainEqual({
      payloadType: 96,
      parameters: 'packetization-mode=1;profile-level-id=42800c',
    });
    expect(new Set(video?.formats).size).toBe(video?.formats.length);
  });

  it('is answered with a codec under a number of theirs', () => {
    const { videos } = answered(
      ourOffer(MAIN),
      'm=video 4002 RTP/AVP 119 120',
      'a=rtpmap:119 H264/90000',
      'a=fmtp:119 profile-level-id=42801f; packetization-mode=1',
      'a=rtpmap:120 rtx/90000',
      'a=fmtp:120 apt=119',
      'a=rtcp-fb:119 nack',
      'b=TIAS:512000',
    );
    expect(videos.main).toMatchObject({
      codec: 'H264',
      sendPayloadType: 119,
      receivePayloadType: 102,
      rtx: { sendPayloadType: 120, receivePayloadType: 103 },
      maxSendBitrate: 512_000,
      h264: { packetizationMode: 1, sendLevel: 31 },
    });
  });

  it('may be refused', () => {
    expect(answered(ourOffer(MAIN), 'm=video 0 RTP/AVP 96').videos).toEqual({});
  });

  it.each([
    ['a codec that was not offered', 'a=rtpmap:96 H263/90000'],
    ['a profile that was not offered', 'a=rtpmap:96 H264/90000'],
  ])('is not answered with %s', (_rule, map) => {
    const answer = sdp(
      'm=video 4002 RTP/AVP 96',
      map,
      'a=fmtp:96 profile-level-id=64001f;packetization-mode=1',
    );
    expect(applyAnswer(ourOffer(MAIN), answer, AUDIO)).toBeInstanceOf(SdpError);
  });
});
