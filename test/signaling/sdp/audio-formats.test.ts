import { describe, expect, it } from '@jest/globals';
import {
  answerOffer,
  DEFAULT_AUDIO_CAPABILITIES,
  parseSdp,
  SdpError,
  writeSdp,
  type NegotiatedAudio,
} from '../../../signaling/sdp/index.ts';

const LOCAL = { address: '192.0.2.1', rtpPort: 40_000, sessionId: '77' };
const HEAD = ['v=0', 'o=- 1 1 IN IP4 10.0.0.9', 's=-', 'c=IN IP4 10.0.0.9', 't=0 0'];

function answerTo(...lines: string[]): { audio: NegotiatedAudio; lines: string[] } {
  const offer = parseSdp([...HEAD, ...lines, ''].join('\r\n'));
  if (offer instanceof SdpError) throw offer;
  const outcome = answerOffer(offer, DEFAULT_AUDIO_CAPABILITIES, LOCAL);
  if ('reject' in outcome) throw new Error(outcome.reject.warning.text);

  return { audio: outcome.audio, lines: writeSdp(outcome.answer).trimEnd().split('\r\n') };
}

describe('formats and packet times of an answer', () => {
  it('answers G.722 under its number, with the clock that RFC 3551 4.5.2 gives it', () => {
    const { audio, lines } = answerTo('m=audio 4000 RTP/AVP 9 0', 'a=rtpmap:9 G722/8000');
    expect(audio.codec).toMatchObject({ name: 'G722', clockRate: 8000, sampleRate: 16_000 });
    expect(lines).toContain('a=rtpmap:9 G722/8000');
  });

  it.each([
    ['CN after PCMU', 'm=audio 4000 RTP/AVP 0 13', true],
    ['CN before PCMU', 'm=audio 4000 RTP/AVP 13 0', true],
    ['CN beside Opus, whose clock is another', 'm=audio 4000 RTP/AVP 107 13', false],
    ['no CN', 'm=audio 4000 RTP/AVP 0', false],
  ])('takes comfort noise (RFC 3389 4) with a codec of its clock: %s', (_name, media, taken) => {
    const { audio, lines } = answerTo(media, 'a=rtpmap:107 opus/48000/2');
    expect(audio.codec.name).not.toBe('CN');
    expect(audio.receivePayloadTypes.get(13)?.name).toBe(taken ? 'CN' : undefined);
    expect(lines.includes('a=rtpmap:13 CN/8000')).toBe(taken);
  });

  it.each([
    ['as it wishes', ['a=ptime:30'], 'PCMU', 30],
    ['60 ms', ['a=ptime:60'], 'G722', 60],
    ['the next shorter that Opus has', ['a=ptime:30'], 'opus', 20],
    ['the next shorter of an odd wish', ['a=ptime:25'], 'PCMU', 20],
    ['never above its maximum', ['a=ptime:40', 'a=maxptime:10'], 'PCMU', 10],
    ['the shortest there is below all', ['a=maxptime:5'], 'PCMU', 10],
    ['the longest there is above all', ['a=ptime:240', 'a=maxptime:240'], 'PCMA', 60],
    ['20 ms without a wish', ['a=maxptime:150'], 'opus', 20],
  ])('sends packets of the far end’s time: %s', (_name, attributes, name, ptime) => {
    const number = { opus: 107, G722: 9, PCMU: 0, PCMA: 8 }[name];
    const { audio, lines } = answerTo(
      `m=audio 4000 RTP/AVP ${number}`,
      'a=rtpmap:107 opus/48000/2',
      ...attributes,
    );
    expect(audio.ptime).toBe(ptime);
    expect(lines).toContain(`a=ptime:${ptime}`);
  });
});
