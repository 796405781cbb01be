import { describe, expect, it } from '@jest/globals';
import {
  answerOffer,
  applyAnswer,
  createOffer,
  DEFAULT_AUDIO_CAPABILITIES as CAPABILITIES,
  parseSdp,
  SdpError,
  writeSdp,
  type LocalMedia,
  type NegotiatedAudio,
  type SdpSession,
} from '../../../signaling/sdp/index.ts';

const LOCAL: LocalMedia = { address: '192.0.2.1', rtpPort: 40_000, sessionId: '77' };

/** A description of the far end. */
function description(...lines: string[]): SdpSession {
  const head = ['v=0', 'o=- 1 1 IN IP4 10.0.0.9', 's=-', 'c=IN IP4 10.0.0.9', 't=0 0'];
  const session = parseSdp([...head, ...lines, ''].join('\r\n'));
  if (session instanceof SdpError) throw session;

  return session;
}

function ourAnswer(...lines: string[]): SdpSession {
  const outcome = answerOffer(description(...lines), CAPABILITIES, LOCAL);
  if ('reject' in outcome) throw new Error(outcome.reject.warning.text);

  return outcome.answer;
}

describe('our own offer', () => {
  it('lists all that we can, with both clocks of key presses', () => {
    const session = createOffer(CAPABILITIES, LOCAL);
    expect(session.media[0]?.formats).toEqual(['111', '9', '0', '8', '110', '101']);
    expect(writeSdp(session)).toContain('a=rtpmap:110 telephone-event/48000');
  });

  it('3264-8-a keeps the m-lines of the session and uses the slot of the audio', () => {
    const lines = ['m=video 5000 RTP/AVP 96', 'm=audio 4000 RTP/AVP 0', 'm=video 5002 RTP/AVP 96'];
    const previous = ourAnswer(...lines);
    const session = createOffer(CAPABILITIES, { ...LOCAL, previous });
    expect(session.media.map(({ type, port }) => [type, port])).toEqual([
      ['video', 0],
      ['audio', 40_000],
      ['video', 0],
    ]);
    expect(session.origin.version).toBe('2');
  });

  it('3264-6.1-a gives no number to another codec than it had in the session', () => {
    const previous = ourAnswer(
      'm=audio 4000 RTP/AVP 101 111',
      'a=rtpmap:101 opus/48000/2',
      'a=rtpmap:111 telephone-event/48000',
    );
    const [media] = createOffer(CAPABILITIES, { ...LOCAL, previous }).media;
    const numbers = new Map(
      media?.rtpMaps.map((map) => [
        `${map.encodingName}/${String(map.clockRate)}`,
        map.payloadType,
      ]),
    );
    expect(numbers.get('opus/48000')).toBe(101);
    expect(numbers.get('telephone-event/48000')).toBe(111);
    expect(new Set(numbers.values()).size).toBe(numbers.size);
  });

  it('is answered: we send their numbers and receive ours', () => {
    const session = createOffer(CAPABILITIES, LOCAL);
    const answer = description(
      'm=audio 4000 RTP/AVP 120 121',
      'a=rtpmap:120 opus/48000/2',
      'a=rtpmap:121 telephone-event/48000',
      'a=fmtp:120 maxplaybackrate=16000',
    );
    expect(applyAnswer(session, answer, CAPABILITIES)).toMatchObject({
      audio: {
        codec: { name: 'opus' },
        sendPayloadType: 120,
        receivePayloadTypes: new Map([
          [111, expect.objectContaining({ name: 'opus' })],
          [110, expect.objectContaining({ name: 'telephone-event' })],
        ]),
        telephoneEvent: { sendPayloadType: 121, receivePayloadType: 110, clockRate: 48_000 },
        remoteFormatParameters: 'maxplaybackrate=16000',
        localDirection: 'sendrecv',
      },
    });
  });

  it('may be answered with several codecs: all of them may come', () => {
    const session = createOffer(CAPABILITIES, LOCAL);
    const outcome = applyAnswer(session, description('m=audio 4000 RTP/AVP 8 0'), CAPABILITIES);
    expect(outcome).toMatchObject({ audio: { codec: { name: 'PCMA' }, sendPayloadType: 8 } });
    const { audio } = outcome as { audio: NegotiatedAudio };
    expect([...audio.receivePayloadTypes.keys()].sort()).toEqual([0, 8]);
  });

  it('4733-2.4.1-a may be answered with key presses of both clocks: both may come', () => {
    const session = createOffer(CAPABILITIES, LOCAL);
    const answer = description(
      'm=audio 4000 RTP/AVP 120 0 121 122',
      'a=rtpmap:120 opus/48000/2',
      'a=rtpmap:121 telephone-event/48000',
      'a=rtpmap:122 telephone-event/8000',
    );
    const { audio } = applyAnswer(session, answer, CAPABILITIES) as { audio: NegotiatedAudio };
    expect(audio.telephoneEvent?.sendPayloadType).toBe(121);
    expect(audio.receivePayloadTypes.get(110)?.clockRate).toBe(48_000);
    expect(audio.receivePayloadTypes.get(101)?.clockRate).toBe(8000);
  });

  it.each([
    ['another number of m-lines', ['m=audio 4000 RTP/AVP 0', 'm=video 0 RTP/AVP 96']],
    ['another kind of stream', ['m=video 4000 RTP/AVP 96']],
    ['the audio refused', ['m=audio 0 RTP/AVP 0']],
    ['no codec of ours', ['m=audio 4000 RTP/AVP 18']],
  ])('3261-13.2.1-a an answer with %s is an error', (_name, lines) => {
    const session = createOffer(CAPABILITIES, LOCAL);
    expect(applyAnswer(session, description(...lines), CAPABILITIES)).toBeInstanceOf(SdpError);
  });
});
