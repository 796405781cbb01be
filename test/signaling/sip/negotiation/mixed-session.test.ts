import { beforeEach, describe, expect, it } from '@jest/globals';
import { silentLogger } from '../../../../base/index.ts';
import {
  findAttribute,
  parseSdp,
  SdpError,
  writeSdp,
  type SdpSession,
} from '../../../../signaling/sdp/index.ts';
import { MixedSession } from '../../../../signaling/sip/negotiation/index.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { FakeMediaEngine, FakePhoneLeg } from '../../../support/fake-media-engine.ts';

const PRINT = 'BB'.concat(':BB'.repeat(31));

interface OfferParts {
  formats?: string;
  lines?: string[];
  protocol?: string;
  ufrag?: string;
  print?: string;
  setup?: string;
  port?: number;
  more?: string[];
}

function description(parts: OfferParts = {}): SdpSession {
  const { formats = '96 0 97 101', protocol = 'UDP/TLS/RTP/SAVPF', ufrag = 'peer' } = parts;
  const text = [
    'v=0',
    'o=- 1 1 IN IP4 192.0.2.9',
    's=-',
    'c=IN IP4 192.0.2.9',
    't=0 0',
    `a=ice-ufrag:${ufrag}`,
    `a=ice-pwd:${'w'.repeat(24)}`,
    `a=fingerprint:SHA-256 ${parts.print ?? PRINT}`,
    `a=setup:${parts.setup ?? 'actpass'}`,
    `m=audio ${parts.port ?? 9000} ${protocol} ${formats}`,
    'a=rtpmap:96 opus/48000/2',
    'a=fmtp:96 stereo=1;useinbandfec=1',
    'a=rtpmap:97 telephone-event/48000',
    'a=rtpmap:101 telephone-event/8000',
    'a=ssrc:77 cname:peer',
    'a=rtcp-mux',
    'a=candidate:1 1 UDP 2130706303 192.0.2.9 9000 typ host',
    ...(parts.lines ?? []),
    ...(parts.more ?? []),
    '',
  ].join('\r\n');
  const session = parseSdp(text);
  if (session instanceof SdpError) throw session;

  return session;
}

describe('the session of a WebRTC call with one stream', () => {
  let engine: FakeMediaEngine;
  let leg: FakePhoneLeg;
  let clock: FakeClock;
  let session: MixedSession;

  beforeEach(() => {
    engine = new FakeMediaEngine();
    leg = new FakePhoneLeg(undefined, 41_000);
    clock = new FakeClock();
    session = new MixedSession({
      leg,
      createDoor: (...door) => engine.createDoor(...door),
      sessionId: '1',
      clock,
      logger: silentLogger,
    });
  });

  async function answerTo(offer: SdpSession): Promise<SdpSession> {
    const outcome = await session.answer(offer);
    if ('reject' in outcome) throw new Error(outcome.reject.warning?.text);

    return outcome.sdp;
  }

  it('3264-6.1: the numbers are those of the offer, and the leg speaks through the door', async () => {
    const { media } = await answerTo(description());
    const door = engine.doors[0]!;

    expect(media[0]).toMatchObject({ protocol: 'UDP/TLS/RTP/SAVPF', formats: ['96', '0', '97'] });
    expect(findAttribute(media[0]!, 'setup')?.value).toBe('passive');
    expect(door.codecs.map(({ codec, payloadType }) => [codec.name, payloadType])).toEqual([
      ['opus', 96],
      ['PCMU', 0],
      ['telephone-event', 97],
      ['telephone-event', 101],
    ]);
    expect(door.rtpPort).toBe(leg.rtpPort);
    expect(door.received).toMatchObject([{ encodings: [{ ssrc: 77 }] }]);
    expect(leg.configured[0]).toMatchObject({
      ...door.inside,
      sendPayloadType: 96,
      formatParameters: 'stereo=1;useinbandfec=1',
      telephoneEvent: { payloadType: 97, clockRate: 48_000 },
      direction: 'sendrecv',
    });
    expect([...leg.configured[0]!.receivePayloadTypes.keys()]).toEqual([96, 0, 97, 101]);
  });

  it('takes UDP/TLS/RTP/SAVP too, and events of the only clock that there is', async () => {
    const offer = description({ protocol: 'UDP/TLS/RTP/SAVP', formats: '96 101' });
    const { media } = await answerTo(offer);

    expect(media[0]).toMatchObject({ protocol: 'UDP/TLS/RTP/SAVP', formats: ['96', '101'] });
    // Only with the feedback profile may it be agreed on (RFC 5506 5.1).
    expect(findAttribute(media[0]!, 'rtcp-rsize')).toBeUndefined();
  });

  it('3264-6: other m-lines are refused in their places', async () => {
    const video = ['m=video 9002 UDP/TLS/RTP/SAVPF 98', 'a=rtpmap:98 VP8/90000', 'a=rtcp-mux'];
    const { media } = await answerTo(description({ more: video }));

    expect(media.map(({ type, port }) => [type, port === 0])).toEqual([
      ['audio', false],
      ['video', true],
    ]);
  });

  it('hold and resume change the direction alone', async () => {
    await answerTo(description());
    const held = await answerTo(description({ lines: ['a=sendonly'] }));
    expect(held.media[0]!.direction).toBe('recvonly');
    expect(session.localDirection).toBe('recvonly');
    await answerTo(description());

    expect(session.localDirection).toBe('sendrecv');
    expect(engine.doors).toHaveLength(1);
    expect(engine.doors[0]!.received).toHaveLength(1);
    expect(engine.doors[0]!.connected).toHaveLength(1);
  });

  it('8839-4.4.2.1: an ICE restart is answered with new credentials of ours', async () => {
    const before = await answerTo(description());
    const after = await answerTo(description({ ufrag: 'again' }));
    const ufrag = (sdp: SdpSession): unknown => findAttribute(sdp.media[0]!, 'ice-ufrag')?.value;

    expect(ufrag(after)).not.toBe(ufrag(before));
    expect(Number(after.origin.version)).toBe(Number(before.origin.version) + 1);
  });

  it.each([
    ['another certificate', { print: 'CC'.concat(':CC'.repeat(31)) }],
    ['no codec of the call', { formats: '101' }],
  ])('%s is refused, and the call stays as it was', async (_what, parts) => {
    await answerTo(description());
    expect(await session.answer(description(parts))).toMatchObject({ reject: { status: 488 } });
    expect(leg.configured).toHaveLength(1);
  });

  it('calls out: offers all that it speaks, and the answer chooses', async () => {
    const offer = await session.offer();
    expect(offer.media[0]!.formats).toEqual(['111', '9', '0', '8', '110', '101']);
    expect(findAttribute(offer.media[0]!, 'setup')?.value).toBe('actpass');
    expect(parseSdp(writeSdp(offer))).not.toBeInstanceOf(SdpError);
    const lines = ['a=rtpmap:111 opus/48000/2', 'a=rtpmap:110 telephone-event/48000'];
    const answer = description({ formats: '111 110', lines, setup: 'active' });

    expect(await session.applyAnswer(answer)).toBeUndefined();
    expect(engine.doors[0]!.connected).toMatchObject([{ role: 'client' }]);
    expect(leg.configured[0]).toMatchObject({
      sendPayloadType: 111,
      telephoneEvent: { payloadType: 110, clockRate: 48_000 },
    });
  });

  it('takes events of either clock: Chromium, when it is called, sends those of 8000 Hz beside Opus', async () => {
    await session.offer();
    const lines = ['a=rtpmap:111 opus/48000/2', 'a=rtpmap:110 telephone-event/48000'];
    await session.applyAnswer(description({ formats: '111 110 101', lines, setup: 'active' }));

    const { receivePayloadTypes } = leg.configured[0]!;
    expect([...receivePayloadTypes].map(([number, { clockRate }]) => [number, clockRate])).toEqual([
      [111, 48_000],
      [110, 48_000],
      [101, 8000],
    ]);
  });

  it('an answer that refuses the audio, or is not encrypted, is an error', async () => {
    await session.offer();

    expect(await session.applyAnswer(description({ port: 0 }))).toBeInstanceOf(SdpError);
    expect(await session.applyAnswer(description({ protocol: 'RTP/AVP' }))).toBeInstanceOf(
      SdpError,
    );
  });

  it('a peer that is never reached, or not any more, is a phone that fell silent', async () => {
    let timeouts = 0;
    leg.events.on('timeout', () => timeouts++);
    await answerTo(description());
    await clock.advanceAsync(29_000);
    expect(timeouts).toBe(0);
    await clock.advanceAsync(2000);
    expect(timeouts).toBe(1);
    engine.doors[0]!.events.emit('disconnected');
    expect(timeouts).toBe(2);
  });

  it('the door closes with the leg, and the leg with the door', async () => {
    await answerTo(description());
    await leg.close();
    expect(engine.doors[0]!.closed).toBe(true);

    const other = new FakePhoneLeg(undefined, 41_002);
    const second = new MixedSession({
      leg: other,
      createDoor: (...door) => engine.createDoor(...door),
      sessionId: '2',
      clock,
      logger: silentLogger,
    });
    await second.answer(description());
    engine.doors[1]!.close();
    await clock.advanceAsync(0);
    expect(other.closed).toBe(true);
  });
});
