import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseSdp, SDP_LIMITS, SdpError, writeSdp } from '../../../signaling/sdp/index.ts';
import type { SdpSession } from '../../../signaling/sdp/index.ts';

const CORPUS = join(__dirname, '../../fixtures/rfc-sdp');

interface CorpusEntry {
  file: string;
  mandatoryLinesPresent: boolean;
  foldedInRfc: boolean;
  elided: boolean;
}

/** Written wrongly in the RFCs themselves: i= before o=, a port of 66544, `$PORT` for a number. */
const WRONG_IN_RFC = new Set([
  'rfc6465/002-s5-answer.sdp',
  'rfc6465/003-s5-offer.sdp',
  'rfc6465/004-s5-answer.sdp',
  'rfc6871/003-s3_3_1-sdp.sdp',
  'rfc8839/004-s12_2-answer.sdp',
]);

const corpus = JSON.parse(readFileSync(join(CORPUS, 'index.json'), 'utf8')) as CorpusEntry[];

function corpusText({ file }: CorpusEntry): string {
  return readFileSync(join(CORPUS, file), 'utf8');
}

function parsed(text: string): SdpSession {
  const session = parseSdp(text);
  if (session instanceof SdpError) throw session;

  return session;
}

const HEAD = ['v=0', 'o=- 1 1 IN IP4 10.0.0.1', 's=-', 'c=IN IP4 10.0.0.1', 't=0 0'];
const AUDIO = 'm=audio 4000 RTP/AVP 0';

function text(...lines: string[]): string {
  return [...lines, ''].join('\r\n');
}

describe('the descriptions printed in the RFCs', () => {
  const whole = corpus.filter(
    (entry) =>
      entry.mandatoryLinesPresent &&
      !entry.foldedInRfc &&
      !entry.elided &&
      !WRONG_IN_RFC.has(entry.file),
  );

  it.each(whole.map((entry) => [entry.file, entry] as const))('%s is read', (_file, entry) => {
    expect(parseSdp(corpusText(entry))).not.toBeInstanceOf(SdpError);
  });

  it('8866-5-a those without v=, o=, s= or t= are refused', () => {
    const partial = corpus.filter((entry) => !entry.mandatoryLinesPresent);
    expect(partial.length).toBeGreaterThan(20);
    for (const entry of partial) expect(parseSdp(corpusText(entry))).toBeInstanceOf(SdpError);
  });

  it('what is written is read back as the same', () => {
    for (const entry of corpus) {
      const session = parseSdp(corpusText(entry));
      if (!(session instanceof SdpError)) expect(parsed(writeSdp(session))).toEqual(session);
    }
  });
});

describe('reading', () => {
  it('gives a typed model', () => {
    const session = parsed(
      text(
        'v=0',
        'o=alice 2890844526 18446744073709551615 IN IP6 2001:db8::1',
        's=call',
        't=0 0',
        'a=inactive',
        'm=audio 4000/2 RTP/AVP 0 111 101',
        'c=IN IP4 224.2.1.1/127',
        'b=AS:64',
        'a=rtpmap:111 opus/48000/2',
        'a=fmtp:111 useinbandfec=1; stereo=0',
        'a=rtcp:4009 IN IP4 10.0.0.2',
        'a=rtcp-mux',
        'a=ptime:20',
        'a=maxptime:60',
        'a=label:main',
      ),
    );
    expect(session.origin).toEqual({
      username: 'alice',
      sessionId: '2890844526',
      version: '18446744073709551615',
      family: 6,
      address: '2001:db8::1',
    });
    expect(session.direction).toBe('inactive');
    expect(session.media).toEqual([
      {
        type: 'audio',
        port: 4000,
        protocol: 'RTP/AVP',
        formats: ['0', '111', '101'],
        connection: { family: 4, address: '224.2.1.1' },
        bandwidths: [{ type: 'AS', limit: 64 }],
        rtpMaps: [{ payloadType: 111, encodingName: 'opus', clockRate: 48_000, channels: 2 }],
        formatParameters: [{ payloadType: 111, parameters: 'useinbandfec=1; stereo=0' }],
        rtcp: { port: 4009, connection: { family: 4, address: '10.0.0.2' } },
        rtcpMux: true,
        ptime: 20,
        maxptime: 60,
        attributes: [{ name: 'label', value: 'main' }],
      },
    ]);
  });

  it('8866-5-a takes lines that end in LF alone', () => {
    expect(parsed([...HEAD, AUDIO, ''].join('\n')).media).toHaveLength(1);
  });

  it('8866-5-a passes over unknown and malformed attributes', () => {
    const session = parsed(
      text(...HEAD, AUDIO, 'a=', 'a=x', 'a=rtpmap:999 PCMU/8000', 'a=ptime:x'),
    );
    expect(session.media[0]?.attributes).toEqual([{ name: 'x' }]);
    expect(session.media[0]?.rtpMaps).toEqual([]);
    expect(session.media[0]?.ptime).toBeUndefined();
  });

  it('does not take rtcp-mux-only for rtcp-mux', () => {
    expect(parsed(text(...HEAD, AUDIO, 'a=rtcp-mux-only')).media[0]?.rtcpMux).toBe(false);
  });

  it('needs no c= for a stream that is refused', () => {
    const lines = HEAD.filter((line) => !line.startsWith('c='));
    expect(parsed(text(...lines, 'm=audio 0 RTP/AVP 0')).media[0]?.port).toBe(0);
  });

  it.each([
    ['nothing', ''],
    ['no v=', text(...HEAD.slice(1), AUDIO)],
    ['another version', text('v=1', ...HEAD.slice(1), AUDIO)],
    ['o= and s= exchanged', text(HEAD[0]!, HEAD[2]!, HEAD[1]!, HEAD[3]!, HEAD[4]!, AUDIO)],
    ['no t=', text(...HEAD.slice(0, 4), AUDIO)],
    ['no c= anywhere', text(...HEAD.filter((line) => !line.startsWith('c=')), AUDIO)],
    ['a session line in a media section', text(...HEAD, AUDIO, 's=again')],
    ['an unknown type letter', text(...HEAD, 'q=1', AUDIO)],
    ['a line without =', text(...HEAD, AUDIO, 'nonsense')],
    ['an empty line inside', text(...HEAD, '', AUDIO)],
    ['a NUL', text(...HEAD, AUDIO, 'a=x\0y')],
    ['a port out of range', text(...HEAD, 'm=audio 65536 RTP/AVP 0')],
    ['a port that is none', text(...HEAD, 'm=audio x RTP/AVP 0')],
    ['an o= with words for numbers', text('v=0', 'o=- a b IN IP4 h', ...HEAD.slice(2), AUDIO)],
    ['a c= of another network', text(...HEAD, AUDIO, 'c=ATM NSAP 47')],
  ])('8866-5-a refuses %s', (_name, description) => {
    expect(parseSdp(description)).toBeInstanceOf(SdpError);
  });

  it('is bounded in octets, sections, attributes and line length', () => {
    const many = (count: number, line: string): string[] => Array<string>(count).fill(line);
    const { mediaSections, attributesPerSection, lineLength, octets } = SDP_LIMITS;
    expect(parseSdp(text(...HEAD, ...many(mediaSections, AUDIO)))).not.toBeInstanceOf(SdpError);
    expect(parseSdp(text(...HEAD, ...many(mediaSections + 1, AUDIO)))).toBeInstanceOf(SdpError);
    expect(parseSdp(text(...HEAD, AUDIO, ...many(attributesPerSection, 'a=x')))).not.toBeInstanceOf(
      SdpError,
    );
    expect(parseSdp(text(...HEAD, AUDIO, ...many(attributesPerSection + 1, 'a=x')))).toBeInstanceOf(
      SdpError,
    );
    expect(parseSdp(text(...HEAD, AUDIO, `a=x:${'y'.repeat(lineLength)}`))).toBeInstanceOf(
      SdpError,
    );
    expect(parseSdp(text(...HEAD, ...many(400, `i=${'y'.repeat(octets / 400)}`)))).toBeInstanceOf(
      SdpError,
    );
  });

  it('any change of a valid text gives a model or an SdpError, never a throw', () => {
    const samples = corpus.map(corpusText).filter((sample) => sample.length < 2000);
    fc.assert(
      fc.property(
        fc.constantFrom(...samples),
        fc.nat(),
        fc.nat(40),
        fc.string({ unit: 'binary', maxLength: 12 }),
        (sample, at, removed, inserted) => {
          const start = at % sample.length;
          const changed = sample.slice(0, start) + inserted + sample.slice(start + removed);
          const session = parseSdp(changed);
          if (session instanceof SdpError) return;
          expect(parsed(writeSdp(session))).toEqual(session);
        },
      ),
      { numRuns: 2000 },
    );
  });
});
